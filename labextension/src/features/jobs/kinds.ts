import type { TranslationBundle } from '@jupyterlab/translation';

import type { IJobOverview, JobKind } from '../../api/types/training';

/** The kinds of jobs, in the order in which a person meets them. */
export const JOB_KINDS: readonly JobKind[] = [
  'Training',
  'Processing',
  'Transform'
];

/** What a kind of job is called in events and counts. */
export function resourceKind(kind: JobKind): string {
  return `${kind}Job`;
}

/** Whether an event is about a job of any kind. */
export function concernsJobs(event: { Kind?: string | undefined }): boolean {
  return JOB_KINDS.some(kind => resourceKind(kind) === event.Kind);
}

const SCREENS: Readonly<Record<JobKind, string>> = {
  Training: 'jobs',
  Processing: 'processing-jobs',
  Transform: 'transform-jobs'
};

/** The path of a job's screen. */
export function jobPath(job: Pick<IJobOverview, 'Kind' | 'JobName'>): string {
  return `${SCREENS[job.Kind]}/${encodeURIComponent(job.JobName)}`;
}

/** A kind of job in words. */
export function kindLabel(kind: JobKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'Training':
      return trans.__('Training');
    case 'Processing':
      return trans.__('Processing');
    case 'Transform':
      return trans.__('Transform');
  }
}

/** The kind that a text names; null for none. */
export function kindOf(text: string | undefined): JobKind | null {
  return JOB_KINDS.find(kind => kind === text) ?? null;
}
