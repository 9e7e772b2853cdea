import type {
  IAlgorithmDescription,
  IDescribeTrainingJobResponse
} from '../../api/types/training';

/** DescribeTrainingJob's answer. */
export type IJob = IDescribeTrainingJobResponse;

/** The log group of all training jobs. */
export const LOG_GROUP = '/aws/sagemaker/TrainingJobs';

/** The variable that names the notebook which a job runs. */
const NOTEBOOK_VARIABLE = 'BOTTEGA_NOTEBOOK';

/** Whether a job with this status has not come to its end. */
export function isRunning(status: string): boolean {
  return status === 'InProgress' || status === 'Stopping';
}

/** A hyperparameter as it was meant: the SageMaker SDK sends each one as JSON. */
export function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value;
}

/** The image as a person names it: without registry, tag and Amazon's own prefix. */
export function shortImage(image: string): string {
  const name = image.split('@')[0]?.split('/').pop() ?? image;
  return (name.split(':')[0] ?? name).replace(/^sagemaker-/, '');
}

/** The script that a job runs; empty for a built-in algorithm. */
export function scriptOf(job: IJob): string {
  return unquoted(job.HyperParameters?.['sagemaker_program'] ?? '');
}

/** The notebook that a job runs; empty when it runs none. */
export function notebookOf(job: IJob): string {
  return job.Environment?.[NOTEBOOK_VARIABLE] ?? '';
}

/** The image as a job names it. */
export function imageOf(job: IJob): string {
  const specification = job.AlgorithmSpecification;
  return specification?.TrainingImage ?? specification?.AlgorithmName ?? '';
}

/** What trains: the notebook, the script, or the algorithm. */
export function algorithmOf(job: IJob): string {
  return notebookOf(job) || scriptOf(job) || shortImage(imageOf(job));
}

/** The description of the built-in algorithm that a job runs; null when it runs none. */
export function builtInOf(
  job: IJob,
  algorithms: readonly IAlgorithmDescription[]
): IAlgorithmDescription | null {
  const name = shortImage(imageOf(job));
  return scriptOf(job)
    ? null
    : (algorithms.find(algorithm => algorithm.Name === name) ?? null);
}

/** The filter of the jobs that are worth comparing with one: those of the same algorithm. */
export function comparableFilter(job: IJob): string {
  const algorithm = scriptOf(job) || shortImage(imageOf(job));
  // A comma or a blank would begin another word of the filter.
  return /^[^\s,]+$/.test(algorithm) ? `algorithm:${algorithm}` : '';
}

/** How long a job has run, or ran, in seconds; null before its instances were started. */
export function runtime(
  job: { started?: number | undefined; ended?: number | undefined },
  now: number
): number | null {
  return job.started === undefined
    ? null
    : Math.max(0, (job.ended ?? now) - job.started);
}

/** Bucket and key of an `s3://` URI; null for anything else. */
export function parseS3(uri: string): { bucket: string; key: string } | null {
  const found = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  return found ? { bucket: found[1] ?? '', key: found[2] ?? '' } : null;
}

/** The prefix under which a job leaves what it made. */
export function outputPrefix(job: IJob): string {
  const path = job.OutputDataConfig?.S3OutputPath.replace(/\/+$/, '') ?? '';
  return `${path}/${job.TrainingJobName}/output/`;
}
