import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from '../../shared/format';
import type { IBottegaClient, ISection, ISectionItem } from '../../tokens';
import type { IJobOverview } from '../../api/types/training';
import { isRunning, runtime } from './facts';
import { concernsJobs, JOB_KINDS, jobPath, resourceKind } from './kinds';

const NEWEST = 5;

/** The sidebar's section: how many run, and the newest. */
export function jobsSection(
  client: IBottegaClient,
  trans: TranslationBundle
): ISection {
  return {
    id: 'jobs',
    label: trans.__('Jobs'),
    rank: 30,
    concerns: event => event.Type === 'ResourceChanged' && concernsJobs(event),
    load: async () => {
      const [found, activity] = await Promise.all([
        client.call('bottega:ListJobs', { MaxResults: NEWEST }),
        client.call('bottega:DescribeActivity', {})
      ]);
      const counted = JOB_KINDS.map(resourceKind);
      const running = activity.Kinds.filter(kind => counted.includes(kind.Kind))
        .map(({ Statuses: statuses }) => statuses)
        .map(found => (found['InProgress'] ?? 0) + (found['Stopping'] ?? 0))
        .reduce((sum, count) => sum + count, 0);
      return {
        count:
          running > 0
            ? trans.__('%1 running', running)
            : found.Total.toLocaleString(),
        items: found.Jobs.map(item)
      };
    },
    path: 'jobs',
    create: { label: trans.__('Train a model'), command: 'bottega:train' },
    empty: trans.__('No job has run here yet.')
  };
}

function item(job: IJobOverview): ISectionItem {
  const times = { started: job.StartTime, ended: job.EndTime };
  const seconds = runtime(times, Date.now() / 1000);
  return {
    label: job.JobName,
    path: jobPath(job),
    status: job.Status,
    note: seconds === null ? '' : duration(seconds),
    ...(isRunning(job.Status) && job.StartTime !== undefined
      ? { since: job.StartTime }
      : {})
  };
}
