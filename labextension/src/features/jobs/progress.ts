import type { IMetricCourse } from '../../api/types/training';
import type { IJob } from './facts';
import { unquoted } from './facts';

/** How far a job is in its own counting. */
export interface IProgress {
  kind: 'round' | 'cell';
  done: number;
  total: number;
  /** Seconds until the end at the present pace; null where that is not known. */
  left: number | null;
}

const ROUNDS = ['num_round', 'epochs', 'n_estimators'];
const CELLS_VARIABLE = 'BOTTEGA_NOTEBOOK_CELLS';
const CELL_METRIC = 'notebook:cell';

/** The pace is that of so many last points. */
const PACE_POINTS = 50;

/**
 * How far a job is: by the rounds that its hyperparameters ask for, or the cells of its notebook.
 *
 * @returns null where neither is known, or where the job counts in another way.
 */
export function progressOf(
  job: IJob,
  courses: readonly IMetricCourse[],
  now: number
): IProgress | null {
  const cells = courses.find(course => course.Name === CELL_METRIC);
  const cellCount = Number(job.Environment?.[CELLS_VARIABLE] ?? NaN);
  if (cells && cellCount > 0) {
    const done = cells.Values[cells.Values.length - 1] ?? 0;
    return { kind: 'cell', done, total: cellCount, left: null };
  }
  const total = roundsOf(job);
  const longest = courses.reduce<IMetricCourse | null>(
    (best, course) =>
      stepsOf(course) > (best ? stepsOf(best) : 0) ? course : best,
    null
  );
  const done = longest ? stepsOf(longest) : 0;
  if (total === null || !longest || done === 0 || done > total) {
    return null;
  }
  return { kind: 'round', done, total, left: timeLeft(longest, total, now) };
}

function roundsOf(job: IJob): number | null {
  for (const name of ROUNDS) {
    const text = unquoted(job.HyperParameters?.[name] ?? '');
    if (/^\d+$/.test(text)) {
      return Number(text);
    }
  }
  return null;
}

/** How many values were logged; steps are counted from 0. */
function stepsOf(course: IMetricCourse): number {
  const last = course.Steps[course.Steps.length - 1];
  return last === undefined ? 0 : last + 1;
}

function timeLeft(
  course: IMetricCourse,
  total: number,
  now: number
): number | null {
  const last = course.Times.length - 1;
  const first = Math.max(0, last - PACE_POINTS);
  const steps = (course.Steps[last] ?? 0) - (course.Steps[first] ?? 0);
  const end = course.Times[last] ?? 0;
  const seconds = end - (course.Times[first] ?? 0);
  if (steps <= 0 || seconds <= 0) {
    return null;
  }
  const left = (total - stepsOf(course)) * (seconds / steps);
  // Some of it has passed since the last round was heard of.
  return Math.max(0, left - Math.max(0, now - end));
}
