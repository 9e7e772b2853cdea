import type { ITranslator } from '@jupyterlab/translation';
import { useEffect, useRef, useState } from 'react';

import type { IEventBatch, IEventStream } from '../../api/events';
import { Button, CopyButton } from '../../shared/components/controls';
import { Failure, Skeleton } from '../../shared/components/states';
import { useSignal } from '../../shared/hooks/useSignal';
import type { IScreenProps } from '../../tokens';
import { AlgorithmStep } from './algorithmStep';
import { DataStep } from './dataStep';
import type { IFiles } from './files';
import { FindingsPanel } from './findingsPanel';
import { focusField } from './focusField';
import { useIntent } from './intent';
import { trainingCode } from './python';
import { ResourcesStep } from './resourcesStep';
import { SearchStep } from './searchStep';
import { TrainModel } from './trainModel';

type IProps = IScreenProps & { files: IFiles; translator: ITranslator };

/** Train a model: data, algorithm and resources on one page, and what would fail beside them. */
export function TrainScreen(props: IProps): JSX.Element {
  const { client, files, trans } = props;
  const { instanceType } = props.studio.settings;
  const [model, setModel] = useState<TrainModel | null>(null);
  useEffect(() => {
    const mine = new TrainModel({ client, files, trans, instanceType });
    setModel(mine);
    void mine.load();
    void mine.loadExperiments();
    return () => mine.dispose();
    // Another default of the settings is for the next form.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, files, trans]);
  return model ? <Form {...props} model={model} /> : <Skeleton trans={trans} />;
}

function Form(props: IProps & { model: TrainModel }): JSX.Element {
  const { client, studio, frame, trans, model } = props;
  useSignal(model.changed);
  useIntent(model, props);
  const form = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  useEffect(() => {
    if (wanted !== null && form.current) {
      focusField(form.current, wanted);
      setWanted(null);
    }
  }, [wanted]);
  useEffect(() => {
    let missed = false;
    const recheck = (): void => {
      missed = !frame.isVisible;
      if (!missed && model.stage === null) {
        model.recheck();
      }
    };
    const onEvents = (_: IEventStream, batch: IEventBatch): void => {
      const concerned =
        batch.reset ||
        batch.events.some(
          event =>
            event.Type === 'ResourceChanged' && event.Kind === 'TrainingJob'
        );
      // What waits and what is free changes with every job, but not with each metric of one.
      if (concerned) {
        recheck();
      }
    };
    const onVisible = (_: unknown, visible: boolean): void => {
      if (visible && missed) {
        recheck();
      }
    };
    const { events } = client;
    events.received.connect(onEvents);
    frame.visibilityChanged.connect(onVisible);
    return () => {
      events.received.disconnect(onEvents);
      frame.visibilityChanged.disconnect(onVisible);
    };
  }, [client, frame, model]);
  const { catalog, draft } = model;
  const isSearch = draft.search !== null;
  useEffect(
    () =>
      frame.setTitle(
        isSearch ? trans.__('Tune a model') : trans.__('Train a model')
      ),
    [frame, isSearch, trans]
  );
  if (!catalog) {
    return model.failure ? (
      <Failure
        error={model.failure.error}
        trans={trans}
        what={trans.__('The algorithms cannot be read.')}
        retry={() => void model.load()}
      />
    ) : (
      <Skeleton trans={trans} />
    );
  }
  const start = async (): Promise<void> => {
    const name = await model.start();
    if (name !== null) {
      studio.open(
        `${isSearch ? 'tuning' : 'jobs'}/${encodeURIComponent(name)}`
      );
    }
  };
  const code = (): string => {
    const { studio: facts } = model;
    const planned = model.planned();
    return facts && planned ? trainingCode(draft, catalog, facts, planned) : '';
  };
  const step = { ...props, draft, catalog, findings: model.findings, wanted };
  return (
    <div
      className="jp-BottegaTraining"
      data-state={model.stage ?? 'ready'}
      ref={form}
    >
      <header className="jp-BottegaHeader">
        <h1>
          {draft.search ? trans.__('Tune a model') : trans.__('Train a model')}
        </h1>
        <span className="jp-BottegaHeader-space" />
        <CopyButton
          text={code}
          label={trans.__('Copy as Python')}
          trans={trans}
        />
        <Button onClick={() => void studio.openInNotebook(code(), draft.name)}>
          {trans.__('Open in notebook')}
        </Button>
      </header>
      <div className="jp-BottegaTraining-columns">
        <fieldset
          className="jp-BottegaTraining-steps"
          disabled={model.stage !== null}
        >
          <legend className="jp-BottegaTraining-legend">
            {trans.__('The training job')}
          </legend>
          <DataStep {...step} />
          <AlgorithmStep {...step} />
          {draft.search && <SearchStep {...step} search={draft.search} />}
          <ResourcesStep {...step} />
        </fieldset>
        <FindingsPanel
          model={model}
          trans={trans}
          onFocus={setWanted}
          onStart={() => void start()}
        />
      </div>
    </div>
  );
}
