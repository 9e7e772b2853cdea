import type {
  ICreateTrainingJobRequest,
  IListJobsRequest,
  ITag,
  JobKind
} from '../../api/types/training';
import { boto3Call, pythonLiteral, pythonString } from '../../shared/python';
import type { IJob } from './facts';
import { scriptOf } from './facts';
import { kindOf } from './kinds';

const LONGEST_NAME = 63;

/** What Describe shows as Create got it. */
const KEPT = [
  'HyperParameters',
  'AlgorithmSpecification',
  'RoleArn',
  'InputDataConfig',
  'OutputDataConfig',
  'ResourceConfig',
  'StoppingCondition',
  'VpcConfig',
  'EnableNetworkIsolation',
  'EnableInterContainerTrafficEncryption',
  'EnableManagedSpotTraining',
  'CheckpointConfig',
  'Environment',
  'RetryStrategy',
  'ExperimentConfig',
  'DebugHookConfig',
  'DebugRuleConfigurations',
  'ProfilerConfig',
  'ProfilerRuleConfigurations',
  'TensorBoardOutputConfig',
  'RemoteDebugConfig',
  'InfraCheckConfig'
] as const;

/** A name that is free: the job's own, with the present time in the place of an earlier one. */
export function freshName(name: string, now: Date): string {
  const time = now.toISOString().slice(0, 19).replace(/\D/g, '');
  const stamp = `-${time.slice(0, 8)}-${time.slice(8)}`;
  const stem = name
    .replace(/-\d{8}-\d{6}$/, '')
    .slice(0, LONGEST_NAME - stamp.length)
    .replace(/-+$/, '');
  return stem + stamp;
}

/** The CreateTrainingJob request that does again what a job did, under a new name. */
export function createRequest(
  job: IJob,
  tags: readonly ITag[],
  now: Date
): ICreateTrainingJobRequest {
  const kept = Object.fromEntries(
    KEPT.filter(
      // What is off by default needs no line.
      member => job[member] !== undefined && job[member] !== false
    ).map(member => [member, job[member]])
  ) as Partial<ICreateTrainingJobRequest>;
  const specification = kept.AlgorithmSpecification;
  if (specification && !scriptOf(job) && !specification.ContainerEntrypoint) {
    // A built-in algorithm brings its own metrics, and refuses to be given any.
    const rest = { ...specification };
    delete rest.MetricDefinitions;
    kept.AlgorithmSpecification = rest;
  }
  return {
    TrainingJobName: freshName(job.TrainingJobName, now),
    RoleArn: job.RoleArn ?? '',
    OutputDataConfig: job.OutputDataConfig ?? { S3OutputPath: '' },
    ...kept,
    ...(tags.length > 0 ? { Tags: [...tags] } : {})
  };
}

/** The boto3 call that does again what a job did. */
export function jobPython(job: IJob, tags: readonly ITag[], now: Date): string {
  return boto3Call(
    'sagemaker',
    'create_training_job',
    createRequest(job, tags, now)
  );
}

/**
 * Code that gives the jobs which a list shows.
 *
 * SageMaker's lists know one kind, one status, one part of the name and three orders; a list of
 * anything else is that of bottega's own ListJobs.
 */
export function listPython(request: IListJobsRequest): string {
  const words = (request.Filter ?? '').split(/\s+/).filter(Boolean);
  const members: Record<string, string> = {};
  let kind: JobKind | null = null;
  let plain = ['CreationTime', 'Name', 'Status'].includes(
    request.SortBy ?? 'CreationTime'
  );
  for (const word of words) {
    const [key = '', value] = word.split(':', 2);
    const member = value === undefined ? 'name' : key.toLowerCase();
    const target = { name: 'NameContains', status: 'StatusEquals' }[member];
    if (member === 'kind' && kind === null && kindOf(value)) {
      kind = kindOf(value);
    } else if (!target || target in members || (value ?? '').includes(',')) {
      plain = false;
    } else {
      members[target] = value ?? key;
    }
  }
  if (!plain || kind === null) {
    const rest = { Filter: request.Filter, SortBy: request.SortBy };
    const body = pythonLiteral({ ...rest, SortOrder: request.SortOrder });
    return `import bottega\n\nsession = bottega.connect()\nfound = session.client.call("bottega", "ListJobs", ${body})\nfor job in found["Jobs"]:\n    print(job["Status"], job["Kind"], job["JobName"], job.get("ObjectiveValue"))\n`;
  }
  const parameters = {
    ...members,
    SortBy: request.SortBy ?? 'CreationTime',
    SortOrder: request.SortOrder ?? 'Descending'
  };
  const lines = Object.entries(parameters)
    .map(([name, value]) => `    ${name}=${pythonString(value)},\n`)
    .join('');
  return `import boto3\n\nsagemaker = boto3.client("sagemaker")\npages = sagemaker.get_paginator("list_${kind.toLowerCase()}_jobs").paginate(\n${lines})\nfor page in pages:\n    for job in page["${kind}JobSummaries"]:\n        print(job["${kind}JobStatus"], job["${kind}JobName"])\n`;
}
