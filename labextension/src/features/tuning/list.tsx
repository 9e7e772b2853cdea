import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useEffect } from 'react';

import { BottegaError } from '../../api/request';
import type {
  IListTuningOverviewsRequest,
  ITuningOverview,
  TuningOverviewSortKey
} from '../../api/types/tuning';
import {
  Button,
  CopyButton,
  FilterBox
} from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, duration, measured, moment } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IColumn } from '../../shared/table/table';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IScreenProps } from '../../tokens';
import { TUNE_COMMAND } from './commands';
import {
  concernsTunings,
  countsText,
  directionText,
  doneText,
  runtime,
  tuningPath
} from './facts';
import { listPython } from './python';

/** The filter's words are those of the API, in every language. */
const EXAMPLE = 'status:InProgress strategy:Bayesian';

const SORT_KEYS: readonly TuningOverviewSortKey[] = [
  'CreationTime',
  'Name',
  'Status',
  'Strategy',
  'Duration',
  'Trials',
  'BestValue'
];

/** The list that the screen's parameters ask for. */
function listRequest(
  parameters: Readonly<Record<string, string>>
): Required<IListTuningOverviewsRequest> {
  const sort = SORT_KEYS.find(key => key === parameters['sort']);
  return {
    Offset: 0,
    MaxResults: 100,
    Filter: parameters['filter'] ?? '',
    SortBy: sort ?? 'CreationTime',
    SortOrder: parameters['order'] === 'ascending' ? 'Ascending' : 'Descending'
  };
}

/** Every hyperparameter tuning job, live. */
export function TuningsScreen(props: IScreenProps): JSX.Element {
  const { client, studio, trans, frame, parameters } = props;
  const request = listRequest(parameters);
  const { Filter: filter, SortBy: sort, SortOrder: order } = request;
  const now = useNow(frame, true);
  const rows = useWindowedRows<ITuningOverview>(
    props,
    async (offset, limit, signal) => {
      const page = await client.call(
        'bottega:ListTuningOverviews',
        { ...request, Offset: offset, MaxResults: limit },
        signal
      );
      return { rows: page.Tunings, total: page.Total };
    },
    [filter, sort, order],
    concernsTunings
  );
  useEffect(() => frame.setTitle(trans.__('Tuning')), [frame, trans]);

  const setFilter = useCallback(
    (text: string) => frame.setParameters({ filter: text.trim() }),
    [frame]
  );
  const tune = (): void => void studio.execute(TUNE_COMMAND);
  const code = (): string => listPython(request);
  // What is wrong with the filter is said at its box.
  const refusal =
    filter !== '' &&
    rows.problem instanceof BottegaError &&
    rows.problem.code === 'ValidationException'
      ? rows.problem.message
      : null;
  const clear = {
    label: trans.__('Clear the filter'),
    run: () => setFilter('')
  };
  const empty =
    filter === '' ? (
      <Empty
        sentence={trans.__(
          'No model has been tuned here yet. Tuning trains a model many times to find its best hyperparameters.'
        )}
        action={{ label: trans.__('Tune a model'), run: tune }}
      />
    ) : (
      <Empty
        sentence={trans.__('No tuning job matches the filter “%1”.', filter)}
        action={clear}
      />
    );
  return (
    <>
      <header className="jp-BottegaHeader">
        <h1>{trans.__('Tuning')}</h1>
        <span className="jp-BottegaHeader-count" role="status">
          {rows.total !== null && rows.total.toLocaleString()}
        </span>
        <div className="jp-BottegaHeader-actions">
          <FilterBox
            value={filter}
            onChange={setFilter}
            label={trans.__('Filter tuning jobs')}
            placeholder={EXAMPLE}
            problem={refusal}
          />
          <CopyButton
            text={code}
            label={trans.__('Copy as Python')}
            trans={trans}
          />
          <Button
            onClick={() =>
              void studio.openInNotebook(code(), trans.__('Tuning'))
            }
          >
            {trans.__('Open in notebook')}
          </Button>
          <Button kind="primary" onClick={tune}>
            {trans.__('Tune a model')}
          </Button>
        </div>
      </header>
      {refusal && rows.total === null ? (
        <Empty
          sentence={trans.__('The filter “%1” is not understood.', filter)}
          action={clear}
        />
      ) : (
        <Table
          rows={rows}
          columns={columns(trans, now)}
          label={trans.__('Tuning jobs')}
          trans={trans}
          rowKey={tuning => tuning.TuningJobName}
          sorting={{ key: sort, descending: order === 'Descending' }}
          onSort={sorting =>
            frame.setParameters({
              sort: sorting.key,
              order: sorting.descending ? '' : 'ascending'
            })
          }
          onOpen={tuning => studio.open(tuningPath(tuning.TuningJobName))}
          failure={trans.__('The tuning jobs cannot be read.')}
          empty={empty}
          pinned={2}
        />
      )}
    </>
  );
}

function columns(
  trans: TranslationBundle,
  now: number
): Array<IColumn<ITuningOverview>> {
  return [
    {
      id: 'status',
      label: trans.__('Status'),
      width: 130,
      sortKey: 'Status',
      render: tuning => <StatusChip status={tuning.Status} />
    },
    {
      id: 'name',
      label: trans.__('Name'),
      width: 210,
      sortKey: 'Name',
      render: tuning => (
        <strong title={tuning.FailureReason ?? tuning.TuningJobName}>
          {tuning.TuningJobName}
        </strong>
      )
    },
    {
      id: 'trials',
      label: trans.__('Trials'),
      width: 80,
      align: 'end',
      sortKey: 'Trials',
      render: tuning => doneText(tuning.Trials)
    },
    {
      id: 'objective',
      label: trans.__('Objective'),
      width: 140,
      render: tuning => (
        <span
          title={
            tuning.ObjectiveType && directionText(tuning.ObjectiveType, trans)
          }
        >
          {tuning.ObjectiveMetric ?? ''}
        </span>
      )
    },
    {
      id: 'best',
      label: trans.__('Best'),
      width: 76,
      align: 'end',
      sortKey: 'BestValue',
      render: tuning =>
        tuning.BestValue === undefined ? '—' : measured(tuning.BestValue)
    },
    {
      id: 'strategy',
      label: trans.__('Strategy'),
      width: 96,
      sortKey: 'Strategy',
      render: tuning => tuning.Strategy
    },
    {
      id: 'algorithm',
      label: trans.__('Algorithm'),
      width: 130,
      render: tuning => tuning.Algorithm ?? ''
    },
    {
      id: 'counts',
      label: trans.__('What became of them'),
      width: 190,
      render: tuning => {
        const text = countsText(tuning.Trials, 0, trans);
        return <span title={text}>{text}</span>;
      }
    },
    {
      id: 'started',
      label: trans.__('Started'),
      width: 90,
      sortKey: 'CreationTime',
      render: tuning => (
        <span title={moment(tuning.CreationTime)}>
          {ago(tuning.CreationTime, now, trans)}
        </span>
      )
    },
    {
      id: 'duration',
      label: trans.__('Duration'),
      width: 86,
      align: 'end',
      sortKey: 'Duration',
      render: tuning => duration(runtime(tuning, now))
    }
  ];
}
