import type { TranslationBundle } from '@jupyterlab/translation';

import type { IDescribeProcessingJobResponse } from '../../api/types/processing';
import type { JobKind } from '../../api/types/training';
import type { IDescribeTransformJobResponse } from '../../api/types/transform';
import { duration, moment } from '../../shared/format';
import { boto3Call } from '../../shared/python';
import type { IBottegaClient } from '../../tokens';
import { freshName } from './python';

/** The kinds of jobs that train nothing. */
export type OtherKind = Exclude<JobKind, 'Training'>;

/** A place in the object store that a job reads or fills. */
export interface IPlace {
  name: string;
  uri: string;
  /** What is worth knowing of it: its folder, its mode, its format. */
  detail: string;
}

/** What the screen of a processing or transform job shows. */
export interface IOtherJob {
  kind: OtherKind;
  name: string;
  status: string;
  created: number;
  started: number | undefined;
  ended: number | undefined;
  failure: string;
  /** What the job's program said to its reader. */
  message: string;
  instances: string;
  /** What runs, in one line. */
  program: string;
  inputs: IPlace[];
  outputs: IPlace[];
  facts: Array<readonly [string, string]>;
  environment: Array<readonly [string, string]>;
  logGroup: string;
  /** The boto3 call that does the same again. */
  python: (now: Date) => string;
}

/** Read a job of a kind that trains nothing. */
export async function readOtherJob(
  client: IBottegaClient,
  kind: OtherKind,
  name: string,
  trans: TranslationBundle,
  signal: AbortSignal
): Promise<IOtherJob> {
  if (kind === 'Processing') {
    const request = { ProcessingJobName: name };
    return processingJob(
      await client.call('sagemaker:DescribeProcessingJob', request, signal),
      trans
    );
  }
  const request = { TransformJobName: name };
  return transformJob(
    await client.call('sagemaker:DescribeTransformJob', request, signal),
    trans
  );
}

function instances(type = '', count = 1): string {
  return count > 1 ? `${count} × ${type}` : type;
}

function listed(...details: Array<string | undefined>): string {
  return details.filter(Boolean).join(' · ');
}

/** Those members of a description that a request to create takes, under a name that is free. */
function again<T extends object>(
  job: T,
  nameMember: keyof T & string,
  members: ReadonlyArray<keyof T & string>,
  now: Date
): object {
  const kept = members
    .filter(member => job[member] !== undefined)
    .map(member => [member, job[member]] as const);
  return {
    [nameMember]: freshName(String(job[nameMember]), now),
    ...Object.fromEntries(kept)
  };
}

function processingJob(
  job: IDescribeProcessingJobResponse,
  trans: TranslationBundle
): IOtherJob {
  const application = job.AppSpecification;
  const cluster = job.ProcessingResources.ClusterConfig;
  const command = [
    ...(application.ContainerEntrypoint ?? []),
    ...(application.ContainerArguments ?? [])
  ].join(' ');
  const ours = trans.__('managed by the program');
  const seconds = job.StoppingCondition?.MaxRuntimeInSeconds;
  return {
    kind: 'Processing',
    name: job.ProcessingJobName,
    status: job.ProcessingJobStatus,
    created: job.CreationTime,
    started: job.ProcessingStartTime,
    ended: job.ProcessingEndTime,
    failure: job.FailureReason ?? '',
    message: job.ExitMessage ?? '',
    instances: instances(cluster.InstanceType, cluster.InstanceCount),
    program: command || application.ImageUri,
    inputs: (job.ProcessingInputs ?? []).map(input => ({
      name: input.InputName,
      uri: input.S3Input?.S3Uri ?? '—',
      detail: listed(
        input.S3Input?.LocalPath,
        input.S3Input?.S3DataDistributionType,
        input.AppManaged ? ours : ''
      )
    })),
    outputs: (job.ProcessingOutputConfig?.Outputs ?? []).map(output => ({
      name: output.OutputName,
      uri: output.S3Output?.S3Uri ?? '—',
      detail: listed(
        output.S3Output?.LocalPath,
        output.S3Output?.S3UploadMode,
        output.AppManaged ? ours : ''
      )
    })),
    facts: [
      [trans.__('Image'), application.ImageUri],
      [trans.__('Command'), command || '—'],
      [
        trans.__('Longest run time'),
        seconds === undefined ? '—' : duration(seconds)
      ],
      [
        trans.__('Network isolation'),
        job.NetworkConfig?.EnableNetworkIsolation
          ? trans.__('on')
          : trans.__('off')
      ],
      [trans.__('Experiment'), job.ExperimentConfig?.ExperimentName ?? '—'],
      [trans.__('Created'), moment(job.CreationTime)],
      [trans.__('Role'), job.RoleArn ?? '—'],
      [trans.__('ARN'), job.ProcessingJobArn]
    ],
    environment: Object.entries(job.Environment ?? {}),
    logGroup: '/aws/sagemaker/ProcessingJobs',
    python: now =>
      boto3Call(
        'sagemaker',
        'create_processing_job',
        again(
          job,
          'ProcessingJobName',
          [
            'ProcessingInputs',
            'ProcessingOutputConfig',
            'ProcessingResources',
            'StoppingCondition',
            'AppSpecification',
            'Environment',
            'NetworkConfig',
            'RoleArn',
            'ExperimentConfig'
          ],
          now
        )
      )
  };
}

function transformJob(
  job: IDescribeTransformJobResponse,
  trans: TranslationBundle
): IOtherJob {
  const input = job.TransformInput;
  const output = job.TransformOutput;
  const resources = job.TransformResources;
  return {
    kind: 'Transform',
    name: job.TransformJobName,
    status: job.TransformJobStatus,
    created: job.CreationTime,
    started: job.TransformStartTime,
    ended: job.TransformEndTime,
    failure: job.FailureReason ?? '',
    message: '',
    instances: instances(resources.InstanceType, resources.InstanceCount),
    program: job.ModelName,
    inputs: [
      {
        name: trans.__('Input'),
        uri: input.DataSource.S3DataSource.S3Uri,
        detail: listed(
          input.ContentType,
          input.SplitType === 'None' ? '' : input.SplitType
        )
      }
    ],
    outputs: [
      {
        name: trans.__('Output'),
        uri: output?.S3OutputPath ?? '—',
        detail: listed(
          output?.Accept,
          output?.AssembleWith === 'None' ? '' : output?.AssembleWith
        )
      }
    ],
    facts: [
      [trans.__('Model'), job.ModelName],
      [trans.__('Batch strategy'), job.BatchStrategy ?? '—'],
      [
        trans.__('Requests at once'),
        String(job.MaxConcurrentTransforms ?? trans.__('chosen by the model'))
      ],
      [
        trans.__('Largest payload'),
        job.MaxPayloadInMB === undefined ? '—' : `${job.MaxPayloadInMB} MB`
      ],
      [trans.__('Input filter'), job.DataProcessing?.InputFilter ?? '—'],
      [trans.__('Output filter'), job.DataProcessing?.OutputFilter ?? '—'],
      [trans.__('Joined with'), job.DataProcessing?.JoinSource ?? '—'],
      [trans.__('Created'), moment(job.CreationTime)],
      [trans.__('ARN'), job.TransformJobArn]
    ],
    environment: Object.entries(job.Environment ?? {}),
    logGroup: '/aws/sagemaker/TransformJobs',
    python: now =>
      boto3Call(
        'sagemaker',
        'create_transform_job',
        again(
          job,
          'TransformJobName',
          [
            'ModelName',
            'MaxConcurrentTransforms',
            'ModelClientConfig',
            'MaxPayloadInMB',
            'BatchStrategy',
            'Environment',
            'TransformInput',
            'TransformOutput',
            'DataCaptureConfig',
            'TransformResources',
            'DataProcessing',
            'ExperimentConfig'
          ],
          now
        )
      )
  };
}
