import type { IFinding, IPreviewDataResponse } from '../../api/types/training';

/** The fields of findings, as CheckTrainingJob names them; the target is the form's own. */
export const FIELDS = {
  train: 'InputDataConfig.train',
  validation: 'InputDataConfig.validation',
  target: 'Target',
  image: 'AlgorithmSpecification.TrainingImage',
  script: 'HyperParameters.sagemaker_program',
  name: 'TrainingJobName',
  instanceType: 'ResourceConfig.InstanceType',
  instanceCount: 'ResourceConfig.InstanceCount',
  maxRuntime: 'StoppingCondition.MaxRuntimeInSeconds',
  experiment: 'ExperimentConfig.ExperimentName'
} as const;

/** What is known of the data of a channel. */
export type Preview =
  | { state: 'none' }
  | { state: 'loading' }
  | { state: 'error'; error: Error }
  | { state: 'ready'; data: IPreviewDataResponse };

/** The previews of both channels. */
export interface IPreviews {
  train: Preview;
  validation: Preview;
}

/** A finding that keeps the job from being started. */
export function error(field: string, message: string): IFinding {
  return { Severity: 'Error', Field: field, Message: message };
}
