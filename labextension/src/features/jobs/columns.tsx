import type { TranslationBundle } from '@jupyterlab/translation';

import type { IJobOverview } from '../../api/types/training';
import { Sparkline } from '../../shared/components/controls';
import { StatusChip, statusKind } from '../../shared/components/status';
import { ago, duration, measured, moment } from '../../shared/format';
import type { IColumn } from '../../shared/table/table';
import { isRunning, runtime } from './facts';
import { kindLabel } from './kinds';

/** The columns that are always there. */
const FIXED = ['status', 'name'];

/** A column of the jobs table. */
export type JobColumn = IColumn<IJobOverview>;

/** How long a job has run, or ran. */
function jobRuntime(job: IJobOverview, now: number): string {
  const seconds = runtime({ started: job.StartTime, ended: job.EndTime }, now);
  return seconds === null ? '' : duration(seconds);
}

/** All columns that the table can show, in their order. */
export function jobColumns(trans: TranslationBundle, now: number): JobColumn[] {
  return [
    {
      id: 'status',
      label: trans.__('Status'),
      width: 206,
      sortKey: 'Status',
      render: job => (
        <>
          <StatusChip status={job.Status} detail={job.SecondaryStatus} />
          {isRunning(job.Status) && (
            <span className="jp-BottegaJobs-elapsed">
              {jobRuntime(job, now)}
            </span>
          )}
        </>
      )
    },
    {
      id: 'name',
      label: trans.__('Name'),
      width: 170,
      sortKey: 'Name',
      render: job => <strong title={job.JobName}>{job.JobName}</strong>
    },
    {
      id: 'kind',
      label: trans.__('Kind'),
      width: 92,
      render: job => kindLabel(job.Kind, trans)
    },
    {
      id: 'algorithm',
      label: trans.__('Algorithm or script'),
      width: 130,
      sortKey: 'Algorithm',
      render: job => <span title={job.Image}>{job.Algorithm}</span>
    },
    {
      id: 'instance',
      label: trans.__('Instances'),
      width: 130,
      render: job =>
        job.InstanceCount > 1
          ? `${job.InstanceCount} × ${job.InstanceType ?? ''}`
          : (job.InstanceType ?? '')
    },
    {
      id: 'experiment',
      label: trans.__('Experiment'),
      width: 108,
      render: job => job.ExperimentName ?? ''
    },
    {
      id: 'started',
      label: trans.__('Started'),
      width: 84,
      sortKey: 'CreationTime',
      render: job => (
        <span title={moment(job.CreationTime)}>
          {ago(job.CreationTime, now, trans)}
        </span>
      )
    },
    {
      id: 'duration',
      label: trans.__('Duration'),
      width: 92,
      align: 'end',
      sortKey: 'Duration',
      render: job => jobRuntime(job, now)
    },
    {
      id: 'objective',
      label: trans.__('Objective'),
      width: 130,
      render: job => job.ObjectiveMetric ?? ''
    },
    {
      id: 'value',
      label: trans.__('Value'),
      width: 76,
      align: 'end',
      sortKey: 'Objective',
      render: job =>
        job.ObjectiveValue === undefined ? '' : measured(job.ObjectiveValue)
    },
    {
      id: 'trend',
      label: trans.__('Trend'),
      width: 92,
      render: job =>
        job.ObjectiveTrend && (
          <Sparkline
            values={job.ObjectiveTrend}
            kind={statusKind(job.Status)}
            label={trans.__(
              'Course of %1 in %2',
              job.ObjectiveMetric ?? '',
              job.JobName
            )}
          />
        )
    }
  ];
}

/** The columns that a new table does not show. */
const HIDDEN = ['instance', 'experiment'];

/** Read which columns are shown; the text lists those whose choice is not the usual one. */
export function shownColumns(
  columns: readonly JobColumn[],
  choice: string
): JobColumn[] {
  const changed = new Set(choice.split(',').filter(Boolean));
  return columns.filter(
    ({ id }) => FIXED.includes(id) || HIDDEN.includes(id) === changed.has(id)
  );
}

/** Show or hide one column: the text that {@link shownColumns} reads. */
export function toggledColumn(choice: string, id: string): string {
  const changed = new Set(choice.split(',').filter(Boolean));
  if (!changed.delete(id)) {
    changed.add(id);
  }
  return [...changed].sort().join(',');
}

/** Whether a column can be hidden. */
export function isOptional(column: JobColumn): boolean {
  return !FIXED.includes(column.id);
}
