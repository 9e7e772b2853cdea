import type {
  IChannel,
  ICreateTrainingJobRequest,
  IDescribeTrainingJobResponse,
  IListAlgorithmsResponse,
  ITag
} from '../../api/types/training';
import type { IBottegaClient } from '../../tokens';
import type { ChannelMode, IDraft, Source, Trainer } from './draft';
import { DEFAULT_MAX_RUNTIME_SECONDS, shortName } from './draft';
import { PROGRAM, SUBMIT_DIRECTORY } from './requests';

/** What a trial of a tuning job was told of it; a job of its own has no tuning job. */
const TUNING_OBJECTIVE = '_tuning_objective_metric';

/** What a clone takes over as it is, where the form has no field for it. */
const KEPT = [
  'RoleArn',
  'OutputDataConfig',
  'VpcConfig',
  'EnableNetworkIsolation',
  'EnableInterContainerTrafficEncryption',
  'EnableManagedSpotTraining',
  'CheckpointConfig',
  'DebugHookConfig',
  'DebugRuleConfigurations',
  'TensorBoardOutputConfig',
  'ProfilerConfig',
  'ProfilerRuleConfigurations',
  'Environment',
  'RetryStrategy',
  'RemoteDebugConfig',
  'InfraCheckConfig'
] as const;

/** Read a job, for the draft of one that does the same. */
export async function readClone(
  client: Pick<IBottegaClient, 'call'>,
  job: string,
  catalog: IListAlgorithmsResponse
): Promise<IDraft> {
  const description = await client.call('sagemaker:DescribeTrainingJob', {
    TrainingJobName: job
  });
  const { Tags: tags } = await client.call('sagemaker:ListTags', {
    ResourceArn: description.TrainingJobArn
  });
  return cloneDraft(description, tags ?? [], catalog);
}

/** The draft of a job that does the same as another one, under a new name. */
export function cloneDraft(
  job: IDescribeTrainingJobResponse,
  tags: readonly ITag[],
  catalog: IListAlgorithmsResponse
): IDraft {
  const specification = job.AlgorithmSpecification ?? {
    TrainingInputMode: 'File' as const
  };
  const image =
    specification.TrainingImage ?? specification.AlgorithmName ?? '';
  const {
    [PROGRAM]: program,
    [SUBMIT_DIRECTORY]: uri,
    ...given
  } = job.HyperParameters ?? {};
  const hyperparameters = Object.fromEntries(
    Object.entries(given).filter(([name]) => name !== TUNING_OBJECTIVE)
  );
  const channels = job.InputDataConfig ?? [];
  const ownCode =
    program !== undefined ||
    specification.ContainerEntrypoint !== undefined ||
    channels.some(item => item.ChannelName === 'code');
  const builtin = catalog.Algorithms.some(
    item => item.TrainingImage === image || item.Name === shortName(image)
  );
  const trainer: Trainer =
    builtin && !ownCode
      ? { kind: 'builtin', image }
      : {
          kind: 'script',
          image,
          script: { kind: 'kept', program: program ?? '', uri: uri ?? '' },
          metrics: Object.fromEntries(
            (specification.MetricDefinitions ?? []).map(item => [
              item.Name,
              item.Regex
            ])
          )
        };
  return {
    name: '',
    sources: Object.fromEntries(
      channels.map((channel): [string, Source] => [
        channel.ChannelName,
        { kind: 'kept', channel }
      ])
    ),
    modes: Object.fromEntries(
      channels.map(channel => [channel.ChannelName, modeOf(channel)])
    ),
    target: null,
    trainer,
    hyperparameters,
    instanceType: job.ResourceConfig?.InstanceType ?? '',
    instanceCount: job.ResourceConfig?.InstanceCount ?? 1,
    maxRuntimeSeconds:
      job.StoppingCondition.MaxRuntimeInSeconds ?? DEFAULT_MAX_RUNTIME_SECONDS,
    experiment: job.ExperimentConfig?.ExperimentName ?? '',
    search: null,
    tags: tags.filter(tag => !tag.Key.startsWith('aws:')),
    kept: keptMembers(job)
  };
}

function modeOf(channel: IChannel): ChannelMode {
  const { InputMode, ShuffleConfig } = channel;
  return {
    ...(InputMode && { InputMode }),
    ...(ShuffleConfig && { ShuffleConfig })
  };
}

/** What of the job the form has no field for. */
function keptMembers(
  job: IDescribeTrainingJobResponse
): Partial<ICreateTrainingJobRequest> {
  const members: Array<[string, unknown]> = [
    ...KEPT.map(name => [name, job[name]] as [string, unknown]),
    [
      'ResourceConfig',
      without(job.ResourceConfig, 'InstanceType', 'InstanceCount')
    ],
    [
      'StoppingCondition',
      without(job.StoppingCondition, 'MaxRuntimeInSeconds')
    ],
    ['ExperimentConfig', without(job.ExperimentConfig, 'ExperimentName')],
    [
      'AlgorithmSpecification',
      without(
        job.AlgorithmSpecification,
        'TrainingImage',
        'AlgorithmName',
        'MetricDefinitions'
      )
    ]
  ];
  return Object.fromEntries(members.filter(([, value]) => says(value)));
}

/** The members of a structure but for those that the form has fields for. */
function without(structure: object | undefined, ...names: string[]): object {
  return Object.fromEntries(
    Object.entries(structure ?? {}).filter(([name]) => !names.includes(name))
  );
}

/** Whether a member says anything: false, and nothing at all, is what it is without it. */
function says(value: unknown): boolean {
  return typeof value === 'object' && value !== null
    ? Object.keys(value).length > 0
    : value !== undefined && value !== false;
}
