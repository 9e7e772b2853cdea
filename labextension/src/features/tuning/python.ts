import type {
  ICreateHyperParameterTuningJobRequest,
  IDescribeHyperParameterTuningJobResponse,
  IListTuningOverviewsRequest,
  ITag
} from '../../api/types/tuning';
import { boto3Call, pythonLiteral, pythonString } from '../../shared/python';

/** DescribeHyperParameterTuningJob's answer. */
export type ITuningJob = IDescribeHyperParameterTuningJobResponse;

const LONGEST_NAME = 32;

/** What Describe shows as Create got it. */
const KEPT = [
  'HyperParameterTuningJobConfig',
  'TrainingJobDefinition',
  'TrainingJobDefinitions',
  'WarmStartConfig',
  'Autotune'
] as const;

/** A name that is free: the job's own, with the present time in the place of an earlier one. */
export function freshName(name: string, now: Date): string {
  const time = now.toISOString().slice(2, 19).replace(/\D/g, '');
  const stamp = `-${time.slice(0, 6)}-${time.slice(6)}`;
  const stem = name
    .replace(/-\d{6}-\d{6}(-[0-9a-z]{1,6})?$/, '')
    .slice(0, LONGEST_NAME - stamp.length)
    .replace(/-+$/, '');
  return stem + stamp;
}

/** The request that does again what a tuning job did, under a new name. */
export function createRequest(
  job: ITuningJob,
  tags: readonly ITag[],
  now: Date
): ICreateHyperParameterTuningJobRequest {
  const kept = Object.fromEntries(
    KEPT.filter(member => job[member] !== undefined).map(member => [
      member,
      job[member]
    ])
  ) as Partial<ICreateHyperParameterTuningJobRequest>;
  return {
    HyperParameterTuningJobName: freshName(
      job.HyperParameterTuningJobName,
      now
    ),
    HyperParameterTuningJobConfig: job.HyperParameterTuningJobConfig,
    ...kept,
    ...(tags.length > 0 ? { Tags: [...tags] } : {})
  };
}

/** The boto3 call that does again what a tuning job did. */
export function tuningPython(
  job: ITuningJob,
  tags: readonly ITag[],
  now: Date
): string {
  return boto3Call(
    'sagemaker',
    'create_hyper_parameter_tuning_job',
    createRequest(job, tags, now)
  );
}

/** Code that has the trials of a tuning job as a table, and its best training job. */
export function trialsPython(name: string): string {
  return `import bottega

job = bottega.connect().tuning_job(${pythonString(name)})
trials = job.trials()
print(job.best, job.best_value, job.best_parameters)
`;
}

/** Code that gives the tuning jobs which a list shows. */
export function listPython(request: IListTuningOverviewsRequest): string {
  const filter = (request.Filter ?? '').trim();
  if (
    filter !== '' ||
    !['CreationTime', 'Name', 'Status'].includes(request.SortBy ?? '')
  ) {
    const body = pythonLiteral({
      Filter: filter,
      SortBy: request.SortBy,
      SortOrder: request.SortOrder
    });
    return `import bottega

session = bottega.connect()
found = session.client.call("bottega", "ListTuningOverviews", ${body})
for tuning in found["Tunings"]:
    print(tuning["Status"], tuning["TuningJobName"], tuning.get("BestValue"))
`;
  }
  return `import boto3

sagemaker = boto3.client("sagemaker")
pages = sagemaker.get_paginator("list_hyper_parameter_tuning_jobs").paginate(
    SortBy=${pythonString(request.SortBy ?? 'CreationTime')},
    SortOrder=${pythonString(request.SortOrder ?? 'Descending')},
)
for page in pages:
    for job in page["HyperParameterTuningJobSummaries"]:
        print(job["HyperParameterTuningJobStatus"], job["HyperParameterTuningJobName"])
`;
}
