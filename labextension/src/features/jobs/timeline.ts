import type { ISecondaryStatusTransition } from '../../api/types/training';

/** One step of a job's life. */
export interface ITimelineStep {
  /** The step's SecondaryStatus. */
  status: string;
  state: 'done' | 'present' | 'ahead' | 'bad';
  /** How long it took, or has taken; null for what is ahead and for the end. */
  seconds: number | null;
  /** Its part of the bar, 0 to 1. */
  share: number;
  message: string;
}

const PLAN = ['Starting', 'Downloading', 'Training', 'Uploading', 'Completed'];

const ENDS = new Set([
  'Completed',
  'Failed',
  'Stopped',
  'MaxRuntimeExceeded',
  'MaxWaitTimeExceeded',
  'Interrupted'
]);

const BAD = new Set(['Failed', 'MaxRuntimeExceeded', 'MaxWaitTimeExceeded']);

/** What has no length of its own is drawn as wide as this part of the bar. */
const LEAST_SHARE = 0.08;

/**
 * A job's steps in their order: those behind it with their times, the present one, those ahead.
 *
 * @param transitions of DescribeTrainingJob.
 * @param running whether the job has not ended.
 * @param now seconds since the epoch.
 */
export function timeline(
  transitions: readonly ISecondaryStatusTransition[],
  running: boolean,
  now: number
): ITimelineStep[] {
  const steps = transitions.map((transition, index) => {
    const { Status: status, StartTime: start } = transition;
    const present = running && index === transitions.length - 1;
    const following = transitions[index + 1]?.StartTime;
    const end = transition.EndTime ?? following ?? (present ? now : start);
    return {
      status,
      state: present
        ? ('present' as const)
        : BAD.has(status)
          ? ('bad' as const)
          : ('done' as const),
      seconds: ENDS.has(status) ? null : Math.max(0, end - start),
      message: transition.StatusMessage ?? ''
    };
  });
  const ahead = running ? stepsAhead(steps[steps.length - 1]?.status) : [];
  const all = [
    ...steps,
    ...ahead.map(status => ({
      status,
      state: 'ahead' as const,
      seconds: null,
      message: ''
    }))
  ];
  const total = all.reduce((sum, step) => sum + (step.seconds ?? 0), 0);
  const shares = all.map(step =>
    Math.max(LEAST_SHARE, total > 0 ? (step.seconds ?? 0) / total : 0)
  );
  const whole = shares.reduce((sum, share) => sum + share, 0);
  return all.map((step, index) => ({
    ...step,
    share: (shares[index] ?? 0) / whole
  }));
}

function stepsAhead(present: string | undefined): string[] {
  if (present === 'Stopping') {
    return ['Stopped'];
  }
  const index = PLAN.indexOf(present ?? '');
  // Pending and Restarting come before everything else.
  return PLAN.slice(index + 1);
}
