import type {
  IAlgorithmDescription,
  IChannel,
  ICreateTrainingJobRequest,
  IInstanceTypeDescription,
  IListAlgorithmsResponse,
  IPreviewDataResponse,
  ITag
} from '../../api/types/training';

import type { ISearch } from './search';

/** What files the server makes a table of, so that a label column can be named. */
export const TABLE_EXTENSIONS: readonly string[] = ['.csv', '.parquet'];

/**
 * Where the data of a channel comes from.
 *
 * Of a file or folder and of a URI the content type can be said; without it the name tells.
 */
export type Source =
  | { kind: 'file'; path: string; contentType?: string }
  | { kind: 's3'; uri: string; contentType?: string }
  /** A channel of the job that was cloned; it stays as it is. */
  | { kind: 'kept'; channel: IChannel };

/** Where a script comes from. */
export type Script =
  | { kind: 'file'; path: string; folder: string }
  /** The code of the job that was cloned, which is in the store. */
  | { kind: 'kept'; program: string; uri: string };

/** What is to train. */
export type Trainer =
  | { kind: 'builtin'; image: string }
  | {
      kind: 'script';
      image: string;
      script: Script;
      /** Metric name to the expression that finds it in the log. */
      metrics: Readonly<Record<string, string>>;
    };

/** How a channel is read, whatever its data is. */
export type ChannelMode = Pick<IChannel, 'InputMode' | 'ShuffleConfig'>;

/** A training job as far as it is filled in. */
export interface IDraft {
  /** Empty for a name made from the algorithm and the day. */
  name: string;
  /** The data by channel; null for a channel that is shown and has none yet. */
  sources: Readonly<Record<string, Source | null>>;
  /** How the channels of a cloned job are read, by name; that stays when their data is another. */
  modes: Readonly<Record<string, ChannelMode>>;
  /** The label column; null where the data is sent as it is. */
  target: string | null;
  trainer: Trainer;
  /** By name, as text; absent ones keep their defaults. */
  hyperparameters: Readonly<Record<string, string>>;
  instanceType: string;
  instanceCount: number;
  maxRuntimeSeconds: number;
  experiment: string;
  /** Where hyperparameters are searched; null for a single training. */
  search: ISearch | null;
  tags: readonly ITag[];
  /** Members of a cloned request that the form has no field for. */
  kept: Partial<ICreateTrainingJobRequest>;
}

const FIRST_CHOICE = 'xgboost';

/** A day, as the SDK has it. */
export const DEFAULT_MAX_RUNTIME_SECONDS = 86_400;

/** The draft that a new form starts with. */
export function newDraft(
  catalog: IListAlgorithmsResponse,
  instanceType: string
): IDraft {
  const first = firstAlgorithm(catalog);
  return {
    name: '',
    sources: {},
    modes: {},
    target: null,
    trainer: first
      ? { kind: 'builtin', image: first.TrainingImage }
      : newScript(catalog),
    hyperparameters: first?.DefaultHyperParameters ?? {},
    instanceType: defaultInstance(catalog.InstanceTypes, instanceType),
    instanceCount: 1,
    maxRuntimeSeconds: DEFAULT_MAX_RUNTIME_SECONDS,
    experiment: '',
    search: null,
    tags: [],
    kept: {}
  };
}

/** The algorithm that a new form begins with: the first choice for tables, where it can run. */
export function firstAlgorithm(
  catalog: IListAlgorithmsResponse
): IAlgorithmDescription | null {
  const ready = catalog.Algorithms.filter(item => !item.Missing);
  return ready.find(item => item.Name === FIRST_CHOICE) ?? ready[0] ?? null;
}

/** A script that has not been chosen yet. */
export function newScript(catalog: IListAlgorithmsResponse): Trainer {
  return {
    kind: 'script',
    image: catalog.Frameworks[0]?.TrainingImage ?? '',
    script: { kind: 'file', path: '', folder: '' },
    metrics: {}
  };
}

/** The machine size of the settings where there is one, else the machine's own. */
function defaultInstance(
  types: readonly IInstanceTypeDescription[],
  wanted: string
): string {
  const known = types.some(type => type.InstanceType === wanted);
  const own = types.find(type => type.Default) ?? types[0];
  return known ? wanted : (own?.InstanceType ?? wanted);
}

/** The built-in algorithm that trains; null for scripts. */
export function algorithmOf(
  draft: IDraft,
  catalog: IListAlgorithmsResponse
): IAlgorithmDescription | null {
  const { trainer } = draft;
  if (trainer.kind === 'script') {
    return null;
  }
  return (
    catalog.Algorithms.find(item => item.TrainingImage === trainer.image) ??
    catalog.Algorithms.find(item => item.Name === shortName(trainer.image)) ??
    null
  );
}

/** `xgboost` for `683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1`. */
export function shortName(image: string): string {
  const repository = image.slice(image.lastIndexOf('/') + 1).split(':')[0];
  return (repository ?? '').replace(/^sagemaker-/, '');
}

/**
 * Whether the label is chosen by its name: the data is one file of a table whose columns have names.
 *
 * Everything else is sent as it is: the label in the first column, and no header.
 */
export function namesLabel(
  source: Source,
  preview: IPreviewDataResponse
): boolean {
  return (
    isTable(source) &&
    (preview.Format === 'parquet' ||
      (preview.Format === 'csv' && preview.HasHeader !== false))
  );
}

/** Whether the server can make a table of this data, to send it in another form. */
export function isTable(source: Source): boolean {
  return (
    source.kind !== 'kept' &&
    TABLE_EXTENSIONS.some(end => sourceLabel(source).endsWith(end))
  );
}

/** A source as a person names it. */
export function sourceLabel(source: Source): string {
  switch (source.kind) {
    case 'file':
      return source.path;
    case 's3':
      return source.uri;
    case 'kept':
      return source.channel.DataSource.S3DataSource?.S3Uri ?? '';
  }
}
