import type {
  IAlgorithmDescription,
  IChannel,
  ICreateTrainingJobRequest,
  IListAlgorithmsResponse,
  ITag
} from '../../api/types/training';
import { chosenContentType, contentTypeByName, sentSources } from './channels';
import type { IDraft, Source, Trainer } from './draft';
import { algorithmOf, shortName } from './draft';
import { sentHyperparameters } from './hyperparameters';
import type { ISearch } from './search';
import { LONGEST_NAME, trialHyperparameters } from './search';

/** The tag that says where the order of the feature columns is kept. */
export const COLUMNS_TAG = 'bottega:columns';

export const PROGRAM = 'sagemaker_program';
export const SUBMIT_DIRECTORY = 'sagemaker_submit_directory';
/** So much of a made name is the day and a few letters. */
const MADE_PART = 15;
const NAME_PATTERN = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;

/** The studio that the job is for. */
export interface IStudioFacts {
  roleArn: string;
  bucket: string;
}

/** What was brought into the store for a job. */
export interface IPrepared {
  channels: readonly IChannel[];
  columnsUri: string | null;
  code: { program: string; uri: string } | null;
}

/** Whether a training job may be called so. */
export function isJobName(name: string): boolean {
  return NAME_PATTERN.test(name);
}

/**
 * A name for a new job: `xgboost-2026-11-26-k3f`.
 *
 * @param random gives numbers from 0 to 1, as `Math.random` does.
 */
export function freshName(
  base: string,
  now: Date,
  random: () => number
): string {
  const word =
    base
      .replace(/[^a-zA-Z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40)
      .replace(/-+$/, '') || 'job';
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const end = Array.from({ length: 3 }, () =>
    Math.floor(random() * 36).toString(36)
  ).join('');
  return `${word}-${day}-${end}`;
}

/** Where a file of the browser's computer goes. */
export function uploadKey(
  file: string,
  now: Date,
  random: () => number
): string {
  return `uploads/${freshName('data', now, random)}/${file}`;
}

/** What the name of a new job begins with; a search has a shorter name. */
export function nameBase(
  trainer: Trainer,
  search: ISearch | null = null
): string {
  const base = trainerName(trainer);
  return search ? base.slice(0, LONGEST_NAME - MADE_PART) : base;
}

function trainerName(trainer: Trainer): string {
  if (trainer.kind === 'builtin') {
    return shortName(trainer.image);
  }
  const { script } = trainer;
  const path = script.kind === 'file' ? script.path : script.program;
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.replace(/\.py$/, '') || 'script';
}

/** Where the data of a job goes. */
export function inputPrefix(name: string): string {
  return `${name}/input`;
}

/** Where the code of a job goes. */
export function sourcePrefix(name: string): string {
  return `${name}/source`;
}

/** The request that starts the job. */
export function createRequest(
  draft: IDraft,
  catalog: IListAlgorithmsResponse,
  studio: IStudioFacts,
  prepared: IPrepared
): ICreateTrainingJobRequest {
  const { trainer, kept } = draft;
  const algorithm = algorithmOf(draft, catalog);
  const given = trialHyperparameters(draft.hyperparameters, draft.search);
  const hyperparameters = algorithm
    ? sentHyperparameters(algorithm, given)
    : given;
  if (prepared.code) {
    hyperparameters[PROGRAM] = prepared.code.program;
    hyperparameters[SUBMIT_DIRECTORY] = prepared.code.uri;
  }
  const metrics = trainer.kind === 'script' ? trainer.metrics : {};
  const { channels } = prepared;
  const tags = tagsOf(draft, prepared.columnsUri);
  return {
    ...kept,
    TrainingJobName: draft.name,
    RoleArn: kept.RoleArn ?? studio.roleArn,
    AlgorithmSpecification: {
      TrainingInputMode: 'File',
      ...kept.AlgorithmSpecification,
      TrainingImage: trainer.image,
      ...(Object.keys(metrics).length > 0 && {
        MetricDefinitions: Object.entries(metrics).map(([Name, Regex]) => ({
          Name,
          Regex
        }))
      })
    },
    HyperParameters: hyperparameters,
    ...(channels.length > 0 && { InputDataConfig: [...channels] }),
    OutputDataConfig: kept.OutputDataConfig ?? {
      S3OutputPath: `s3://${studio.bucket}/`
    },
    ResourceConfig: {
      VolumeSizeInGB: 30,
      ...kept.ResourceConfig,
      InstanceType: draft.instanceType,
      InstanceCount: draft.instanceCount
    },
    StoppingCondition: {
      ...kept.StoppingCondition,
      MaxRuntimeInSeconds: draft.maxRuntimeSeconds
    },
    // A tuning job has no experiment.
    ...(draft.experiment &&
      !draft.search && {
        ExperimentConfig: {
          ...kept.ExperimentConfig,
          ExperimentName: draft.experiment
        }
      }),
    ...(tags.length > 0 && { Tags: tags })
  };
}

/** The tags of a job; the order of the columns goes with the data. */
function tagsOf(draft: IDraft, columnsUri: string | null): ITag[] {
  const isKept = draft.sources['train']?.kind === 'kept';
  const tags = draft.tags.filter(tag => isKept || tag.Key !== COLUMNS_TAG);
  return columnsUri === null
    ? tags
    : [...tags, { Key: COLUMNS_TAG, Value: columnsUri }];
}

/**
 * What would be in the store, for a check before anything is: where the data and the code will be.
 *
 * @param algorithm the built-in algorithm that reads the data; null for a script.
 */
export function plannedInput(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  studio: IStudioFacts
): IPrepared {
  const root = `s3://${studio.bucket}`;
  const channels = sentSources(draft, algorithm).map(([name, source]) =>
    source.kind === 'kept'
      ? source.channel
      : plannedChannel(draft, algorithm, name, source, root)
  );
  const { trainer } = draft;
  const script = trainer.kind === 'script' ? trainer.script : null;
  return {
    channels,
    columnsUri: null,
    code:
      script?.kind === 'file'
        ? {
            program: script.path.slice(script.path.lastIndexOf('/') + 1),
            uri: `${root}/${sourcePrefix(draft.name)}/sourcedir.tar.gz`
          }
        : keptCode(draft)
  };
}

function plannedChannel(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  name: string,
  source: Exclude<Source, { kind: 'kept' }>,
  root: string
): IChannel {
  const contentType =
    chosenContentType(draft, algorithm, name) ??
    contentTypeByName(
      algorithm,
      name,
      source.kind === 's3' ? source.uri : source.path
    );
  return {
    ChannelName: name,
    DataSource: {
      S3DataSource: {
        S3DataType: 'S3Prefix',
        S3Uri:
          source.kind === 's3'
            ? source.uri
            : `${root}/${inputPrefix(draft.name)}/${name}/`,
        S3DataDistributionType: 'FullyReplicated'
      }
    },
    ...(contentType && { ContentType: contentType }),
    ...draft.modes[name]
  };
}

/** The code of a cloned job; null for code that has to be brought, or where there is none. */
export function keptCode(
  draft: IDraft
): { program: string; uri: string } | null {
  const script = draft.trainer.kind === 'script' ? draft.trainer.script : null;
  return script?.kind === 'kept' && script.program
    ? { program: script.program, uri: script.uri }
    : null;
}
