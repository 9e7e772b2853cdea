import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';

import type { IEventBatch, IEventStream } from '../../api/events';
import type { IStudioEvent } from '../../api/types/studio';
import type { IBottega, IBottegaClient } from '../../tokens';

interface IKind {
  path: (name: string) => string;
  good: (trans: TranslationBundle, name: string) => string;
  bad: (trans: TranslationBundle, name: string) => string;
}

const KINDS: Record<string, IKind> = {
  TrainingJob: {
    path: name => `jobs/${encodeURIComponent(name)}`,
    good: (trans, name) => trans.__('Training job %1 completed', name),
    bad: (trans, name) => trans.__('Training job %1 failed', name)
  },
  HyperParameterTuningJob: {
    path: name => `tuning/${encodeURIComponent(name)}`,
    good: (trans, name) => trans.__('Tuning job %1 completed', name),
    bad: (trans, name) => trans.__('Tuning job %1 failed', name)
  },
  Endpoint: {
    path: name => `endpoints/${encodeURIComponent(name)}`,
    good: (trans, name) => trans.__('Endpoint %1 is in service', name),
    bad: (trans, name) => trans.__('Endpoint %1 failed', name)
  }
};

/** What the training jobs of a tuning job are called: after it, with a number and eight digits. */
const TRIAL = /^(.+)-\d{3,}-[0-9a-f]{8}$/;

/** Tells through JupyterLab's notifications what has ended, as far as the settings want it. */
export function notifyOfEnds(
  client: IBottegaClient,
  studio: IBottega,
  trans: TranslationBundle
): IDisposable {
  const settled = new Map<string, string>();
  const tell = (event: IStudioEvent): void => {
    const { Name: name = '', Status: status = '' } = event;
    const kind = KINDS[event.Kind ?? ''];
    if (!kind || event.Type !== 'ResourceChanged') {
      return;
    }
    const key = `${event.Kind}/${name}`;
    if (event.Change === 'deleted') {
      settled.delete(key); // the status is that of before
      return;
    }
    const former = settled.get(key);
    settled.set(key, status);
    // Trials end by the dozen; what their tuning job came to is told.
    const tuning = TRIAL.exec(name)?.[1];
    const isTrial =
      event.Kind === 'TrainingJob' &&
      tuning !== undefined &&
      settled.has(`HyperParameterTuningJob/${tuning}`);
    if (former === status || isTrial) {
      return;
    }
    const good = status === 'Completed' || status === 'InService';
    const bad = status === 'Failed';
    const options = {
      autoClose: bad ? (false as const) : 5000,
      actions: [
        {
          label: trans.__('Open'),
          callback: () => studio.open(kind.path(name))
        }
      ]
    };
    if (good && studio.settings.notifyCompleted) {
      Notification.success(kind.good(trans, name), options);
    } else if (bad && studio.settings.notifyFailed) {
      Notification.error(kind.bad(trans, name), options);
    }
  };
  const onEvents = (_: IEventStream, batch: IEventBatch): void =>
    batch.events.forEach(tell);
  client.events.received.connect(onEvents);
  return new DisposableDelegate(() => {
    client.events.received.disconnect(onEvents);
  });
}
