import type { TranslationBundle } from '@jupyterlab/translation';

import { BottegaError } from '../../api/request';
import type { IStudioEvent } from '../../api/types/studio';
import type {
  IDescribeTuningProgressResponse,
  ITuningObjective,
  ITuningTrial,
  ITuningTrialCounts,
  MetricDirection
} from '../../api/types/tuning';
import { measured } from '../../shared/format';

/** How a tuning job goes: DescribeTuningProgress's answer. */
export type IProgress = IDescribeTuningProgressResponse;

/** Whether a tuning job, or a training job, with this status has not come to its end. */
export function isRunning(status: string): boolean {
  return status === 'InProgress' || status === 'Stopping';
}

/** What is said where the objectives of trials would be, and there is none. */
export function noObjectiveText(
  status: string,
  trans: TranslationBundle
): string {
  return isRunning(status)
    ? trans.__('No trial has a final objective yet.')
    : trans.__('No trial has a final objective.');
}

/** The path of a tuning job's screen. */
export function tuningPath(name: string): string {
  return `tuning/${encodeURIComponent(name)}`;
}

/** Whether something happened to a tuning job. */
export function concernsTunings(event: IStudioEvent): boolean {
  return event.Kind === 'HyperParameterTuningJob';
}

/** Whether something happened to this tuning job. */
export function concernsTuning(event: IStudioEvent, name: string): boolean {
  return concernsTunings(event) && event.Name === name;
}

/** Whether a refusal says that there is no such tuning job. */
export function isMissing(error: Error | null): boolean {
  return (
    error instanceof BottegaError &&
    (error.code === 'ResourceNotFound' ||
      (error.code === 'ValidationException' &&
        error.message.includes('not found')))
  );
}

/** How long a job has run, or ran, in seconds. */
export function runtime(
  job: {
    CreationTime: number;
    EndTime?: number | undefined;
  },
  now: number
): number {
  return Math.max(0, (job.EndTime ?? now) - job.CreationTime);
}

/** How many trials have ended. */
export function endedCount(counts: ITuningTrialCounts): number {
  return counts.Total - counts.InProgress;
}

/** `12 / 20`; `12` without a limit. */
export function doneText(counts: ITuningTrialCounts): string {
  const ended = endedCount(counts).toLocaleString();
  return counts.Limit === undefined
    ? ended
    : `${ended} / ${counts.Limit.toLocaleString()}`;
}

/** `9 completed, 2 stopped early, 1 failed, 2 running`; empty before the first trial. */
export function countsText(
  counts: ITuningTrialCounts,
  stoppedEarly: number,
  trans: TranslationBundle
): string {
  const stopped = counts.Stopped - stoppedEarly;
  return [
    counts.Completed > 0 && trans.__('%1 completed', counts.Completed),
    stoppedEarly > 0 && trans.__('%1 stopped early', stoppedEarly),
    stopped > 0 && trans.__('%1 stopped', stopped),
    counts.Failed > 0 && trans.__('%1 failed', counts.Failed),
    counts.InProgress > 0 && trans.__('%1 running', counts.InProgress)
  ]
    .filter(Boolean)
    .join(', ');
}

/** What the trials are judged by; of several definitions, that of the best trial or the first. */
export function objectiveOf(progress: IProgress): ITuningObjective {
  const definition = progress.BestTrial?.DefinitionName;
  return (
    progress.Objectives.find(item => item.DefinitionName === definition) ??
    progress.Objectives[0] ?? {
      DefinitionName: '',
      MetricName: '',
      Type: 'Maximize'
    }
  );
}

/** Which way is better, in words. */
export function directionText(
  direction: MetricDirection,
  trans: TranslationBundle
): string {
  return direction === 'Minimize'
    ? trans.__('lower is better')
    : trans.__('higher is better');
}

/** A hyperparameter's value as people read it: a text without JSON's quotes, four digits. */
export function valueText(value: string | undefined): string {
  if (value === undefined) {
    return '';
  }
  const plain = unquoted(value);
  const number = plain.trim() === '' ? NaN : Number(plain);
  return Number.isFinite(number) && !/^-?\d+$/.test(plain)
    ? measured(number)
    : plain;
}

/** A hyperparameter as it was meant: the SageMaker SDK sends each one as JSON. */
export function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value;
}

/** The objective of a trial as an axis has it; null while it has no final one. */
export function finalObjective(trial: ITuningTrial): number | null {
  return trial.ObjectiveStatus === 'Succeeded'
    ? (trial.Objective ?? null)
    : null;
}

/** The names of the tuned hyperparameters, each once, in the order of the definitions. */
export function parameterNames(progress: IProgress): string[] {
  return [...new Set(progress.Parameters.map(item => item.Name))];
}
