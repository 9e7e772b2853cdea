import type { TranslationBundle } from '@jupyterlab/translation';

import type { ILiveContext } from '../../shared/hooks/useLive';
import { useLive } from '../../shared/hooks/useLive';
import { VisibleWidget } from '../../shared/visibleWidget';
import type { IBottega, IBottegaClient } from '../../tokens';

/** In the status bar: what runs now, and how much was computed today. */
export class StatusItem extends VisibleWidget {
  constructor(
    private readonly _studio: IBottega,
    private readonly _client: IBottegaClient,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-BottegaStatusItem');
  }

  protected render(): JSX.Element {
    return (
      <Activity
        studio={this._studio}
        client={this._client}
        trans={this._trans}
        frame={this}
      />
    );
  }
}

/** The kinds of resources that compute for a while and end. */
const JOBS = ['TrainingJob', 'ProcessingJob', 'TransformJob'];

function Activity(props: {
  studio: IBottega;
  client: IBottegaClient;
  trans: TranslationBundle;
  frame: ILiveContext['frame'];
}): JSX.Element {
  const { studio, client, trans } = props;
  const live = useLive(
    props,
    signal => client.call('bottega:DescribeActivity', {}, signal),
    [],
    {
      // New points of a metric change nothing here, and come often.
      concerns: event =>
        event.Type === 'ResourceChanged' &&
        (JOBS.some(kind => kind === event.Kind) || event.Kind === 'Endpoint'),
      every: 60_000,
      fold: 800
    }
  );
  if (live.state === 'loading') {
    return <></>;
  }
  if (live.state === 'error') {
    return (
      <button
        type="button"
        className="jp-BottegaStatusItem-button"
        title={live.error.message}
        onClick={live.retry}
      >
        {trans.__('Bottega does not answer')}
      </button>
    );
  }
  const count = (kind: string, ...statuses: string[]): number => {
    const found = live.value.Kinds.find(item => item.Kind === kind);
    return statuses.reduce(
      (sum, status) => sum + (found?.Statuses[status] ?? 0),
      0
    );
  };
  const jobs = JOBS.map(kind => count(kind, 'InProgress', 'Stopping')).reduce(
    (sum, running) => sum + running,
    0
  );
  const endpoints = count('Endpoint', 'InService', 'Updating', 'Creating');
  const hours = live.value.ComputeSecondsToday / 3600;
  const today =
    hours >= 1
      ? trans.__('%1 h', hours.toFixed(1))
      : trans.__('%1 min', (hours * 60).toFixed(1));
  return (
    <button
      type="button"
      className="jp-BottegaStatusItem-button"
      title={trans.__(
        'Compute time of all job instances since midnight UTC: %1',
        today
      )}
      onClick={() => studio.open('jobs')}
    >
      {trans._n('%1 job running', '%1 jobs running', jobs)}
      {' · '}
      {trans._n('%1 endpoint', '%1 endpoints', endpoints)}
      {' · '}
      {trans.__('today %1', today)}
    </button>
  );
}
