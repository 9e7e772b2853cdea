import type { IFinding, IPreviewDataResponse } from '../../api/types/training';

/** The fields of findings, as CheckTrainingJob names them; the target is the form's own. */
export const FIELDS = {
  target: 'Target',
  image: 'AlgorithmSpecification.TrainingImage',
  script: 'HyperParameters.sagemaker_program',
  name: 'TrainingJobName',
  instanceType: 'ResourceConfig.InstanceType',
  instanceCount: 'ResourceConfig.InstanceCount',
  maxRuntime: 'StoppingCondition.MaxRuntimeInSeconds',
  experiment: 'ExperimentConfig.ExperimentName',
  ranges: 'ParameterRanges',
  metric: 'HyperParameterTuningJobObjective.MetricName',
  direction: 'HyperParameterTuningJobObjective.Type',
  strategy: 'Strategy',
  trials: 'ResourceLimits.MaxNumberOfTrainingJobs',
  parallel: 'ResourceLimits.MaxParallelTrainingJobs',
  epochs: 'HyperbandStrategyConfig'
} as const;

/** The field of a channel. */
export function channelField(name: string): string {
  return `InputDataConfig.${name}`;
}

/** A folder of the file browser; what is in folders below it is not counted. */
export interface IFolder {
  files: number;
  folders: number;
  bytes: number;
}

/** What is known of the data of a channel. */
export type Preview =
  | { state: 'none' }
  | { state: 'loading' }
  | { state: 'error'; error: Error }
  | { state: 'folder'; folder: IFolder }
  | { state: 'ready'; data: IPreviewDataResponse };

/** The previews by channel; absent ones are none. */
export type Previews = Readonly<Partial<Record<string, Preview>>>;

/** A finding that keeps the job from being started. */
export function error(field: string, message: string): IFinding {
  return { Severity: 'Error', Field: field, Message: message };
}

/** A finding that does not. */
export function warning(field: string, message: string): IFinding {
  return { Severity: 'Warning', Field: field, Message: message };
}
