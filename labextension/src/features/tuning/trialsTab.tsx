import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback } from 'react';

import { BottegaError } from '../../api/request';
import type {
  IListTuningTrialsRequest,
  ITuningTrial,
  TuningTrialSortKey
} from '../../api/types/tuning';
import { FilterBox, Sparkline } from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { StatusChip, statusKind } from '../../shared/components/status';
import { duration, measured } from '../../shared/format';
import type { IColumn } from '../../shared/table/table';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IProgress } from './facts';
import {
  concernsTuning,
  objectiveOf,
  parameterNames,
  valueText
} from './facts';
import type { ITuningViewProps } from './tuningView';

const EXAMPLE = 'status:Stopped objective:Succeeded';
const COURSE_POINTS = 32;
const SORT_KEYS: readonly TuningTrialSortKey[] = [
  'Number',
  'Name',
  'Status',
  'Objective',
  'Duration',
  'DefinitionName'
];

/** The sort key of the table for a hyperparameter. */
const PARAMETER = 'Parameter:';

/** The order that the screen's parameters ask for; the newest trial first where they ask for none. */
function order(parameters: Readonly<Record<string, string>>): Pick<
  IListTuningTrialsRequest,
  'SortBy' | 'SortParameter' | 'SortOrder'
> & {
  key: string;
} {
  const wanted = parameters['by'] ?? '';
  const sort = SORT_KEYS.find(key => key === wanted);
  const SortOrder =
    parameters['way'] === 'ascending' ? 'Ascending' : 'Descending';
  return wanted.startsWith(PARAMETER)
    ? {
        key: wanted,
        SortBy: 'Parameter',
        SortParameter: wanted.slice(PARAMETER.length),
        SortOrder
      }
    : { key: sort ?? 'Number', SortBy: sort ?? 'Number', SortOrder };
}

/** The trials as a table: what each was given and what became of it. */
export function TrialsTab(
  props: ITuningViewProps & { now: number }
): JSX.Element {
  const { client, frame, name, now, parameters, progress, studio, trans } =
    props;
  const filter = parameters['trials'] ?? '';
  const { key, ...sorting } = order(parameters);
  const rows = useWindowedRows<ITuningTrial>(
    props,
    async (offset, limit, signal) => {
      const page = await client.call(
        'bottega:ListTuningTrials',
        {
          TuningJobName: name,
          Offset: offset,
          MaxResults: limit,
          Filter: filter,
          CoursePoints: COURSE_POINTS,
          ...sorting
        },
        signal
      );
      return { rows: page.Trials, total: page.Total };
    },
    [name, filter, key, sorting.SortOrder],
    // Its training jobs are called after it; their metrics come while they run.
    event =>
      concernsTuning(event, name) ||
      (event.Kind === 'TrainingJob' &&
        (event.Name?.startsWith(`${name}-`) ?? false))
  );
  const setFilter = useCallback(
    (text: string) => frame.setParameters({ trials: text.trim() }),
    [frame]
  );
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
  return (
    <div className="jp-BottegaTuning-trials">
      <div className="jp-BottegaTuning-controls">
        <FilterBox
          value={filter}
          onChange={setFilter}
          label={trans.__('Filter trials')}
          placeholder={EXAMPLE}
          problem={refusal}
        />
      </div>
      {refusal && rows.total === null ? (
        <Empty
          sentence={trans.__('The filter “%1” is not understood.', filter)}
          action={clear}
        />
      ) : (
        <Table
          rows={rows}
          columns={columns(progress, trans, now)}
          label={trans.__('Trials')}
          trans={trans}
          rowKey={trial => trial.TrainingJobName}
          sorting={{ key, descending: sorting.SortOrder === 'Descending' }}
          onSort={chosen =>
            frame.setParameters({
              by: chosen.key,
              way: chosen.descending ? '' : 'ascending'
            })
          }
          onOpen={trial => {
            if (!trial.Deleted) {
              studio.open(`jobs/${encodeURIComponent(trial.TrainingJobName)}`);
            }
          }}
          failure={trans.__('The trials cannot be read.')}
          empty={
            filter === '' ? (
              <Empty sentence={trans.__('No trial was started yet.')} />
            ) : (
              <Empty
                sentence={trans.__('No trial matches the filter “%1”.', filter)}
                action={clear}
              />
            )
          }
          pinned={2}
        />
      )}
    </div>
  );
}

function columns(
  progress: IProgress,
  trans: TranslationBundle,
  now: number
): Array<IColumn<ITuningTrial>> {
  const { MetricName: metric } = objectiveOf(progress);
  const several = progress.Objectives.length > 1;
  return [
    {
      id: 'number',
      label: trans.__('Trial'),
      width: 64,
      align: 'end',
      sortKey: 'Number',
      render: trial => <span title={trial.TrainingJobName}>{trial.Number}</span>
    },
    {
      id: 'status',
      label: trans.__('Status'),
      width: 150,
      sortKey: 'Status',
      render: trial => (
        <StatusChip
          status={trial.Status}
          {...(trial.SecondaryStatus ? { detail: trial.SecondaryStatus } : {})}
        />
      )
    },
    {
      id: 'objective',
      label: metric || trans.__('Objective'),
      width: 130,
      align: 'end',
      sortKey: 'Objective',
      render: trial => (
        <>
          {trial.Best && (
            <span className="jp-BottegaMark jp-BottegaTuning-best">
              {trans.__('best')}
            </span>
          )}{' '}
          {trial.Objective === undefined ? '—' : measured(trial.Objective)}
        </>
      )
    },
    {
      id: 'course',
      label: trans.__('Course'),
      width: 92,
      render: trial =>
        trial.Course && (
          <Sparkline
            values={trial.Course.Values}
            kind={statusKind(trial.Status)}
            label={trans.__('Course of trial %1', trial.Number)}
          />
        )
    },
    ...(several
      ? [
          {
            id: 'definition',
            label: trans.__('Definition'),
            width: 110,
            sortKey: 'DefinitionName',
            render: (trial: ITuningTrial) => trial.DefinitionName
          }
        ]
      : []),
    ...parameterNames(progress).map((name): IColumn<ITuningTrial> => ({
      id: `parameter:${name}`,
      label: name,
      width: 110,
      align: 'end',
      sortKey: `${PARAMETER}${name}`,
      render: trial => (
        <span title={trial.Parameters[name]}>
          {valueText(trial.Parameters[name])}
        </span>
      )
    })),
    {
      id: 'epochs',
      label: trans.__('Epochs'),
      width: 70,
      align: 'end',
      render: trial => trial.Epochs?.toLocaleString() ?? ''
    },
    {
      id: 'duration',
      label: trans.__('Duration'),
      width: 84,
      align: 'end',
      sortKey: 'Duration',
      render: trial =>
        trial.StartTime === undefined
          ? ''
          : duration(Math.max(0, (trial.EndTime ?? now) - trial.StartTime))
    },
    {
      id: 'why',
      label: trans.__('Why it ended'),
      width: 240,
      render: trial => {
        const why = trial.FailureReason ?? trial.StopReason ?? '';
        const text = trial.Deleted
          ? `${trans.__('Deleted since.')} ${why}`
          : why;
        return <span title={text}>{text}</span>;
      }
    }
  ];
}
