import type {
  IAlgorithmDescription,
  IChannel,
  ICreateTrainingJobRequest,
  IInstanceTypeDescription,
  IListAlgorithmsResponse,
  IPreviewDataResponse,
  ITag
} from '../../api/types/training';

/** What files the server makes a table of, so that a label column can be named. */
export const TABLE_EXTENSIONS: readonly string[] = ['.csv', '.parquet'];

/** Where the data of a channel comes from. */
export type Source =
  | { kind: 'file'; path: string }
  | { kind: 's3'; uri: string }
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

/** A training job as far as it is filled in. */
export interface IDraft {
  /** Empty for a name made from the algorithm and the day. */
  name: string;
  train: Source | null;
  validation: Source | null;
  /** Further channels of a cloned job. */
  others: readonly IChannel[];
  /** The label column; null where the data is sent as it is. */
  target: string | null;
  trainer: Trainer;
  /** By name, as text; absent ones keep their defaults. */
  hyperparameters: Readonly<Record<string, string>>;
  instanceType: string;
  instanceCount: number;
  maxRuntimeSeconds: number;
  experiment: string;
  tags: readonly ITag[];
  /** Members of a cloned request that the form has no field for. */
  kept: Partial<ICreateTrainingJobRequest>;
}

/** A day, as the SDK has it. */
export const DEFAULT_MAX_RUNTIME_SECONDS = 86_400;

/** The draft that a new form starts with. */
export function newDraft(
  catalog: IListAlgorithmsResponse,
  instanceType: string
): IDraft {
  const first = catalog.Algorithms[0];
  return {
    name: '',
    train: null,
    validation: null,
    others: [],
    target: null,
    trainer: first
      ? { kind: 'builtin', image: first.TrainingImage }
      : newScript(catalog),
    hyperparameters: first?.DefaultHyperParameters ?? {},
    instanceType: defaultInstance(catalog.InstanceTypes, instanceType),
    instanceCount: 1,
    maxRuntimeSeconds: DEFAULT_MAX_RUNTIME_SECONDS,
    experiment: '',
    tags: [],
    kept: {}
  };
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
    takesTarget(source) &&
    (preview.Format === 'parquet' ||
      (preview.Format === 'csv' && preview.HasHeader !== false))
  );
}

/** Whether the server can bring the label of this data to the front: it is one file of a table. */
function takesTarget(source: Source): boolean {
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

/** What `prepareChannel` gets as its target. */
export function channelTarget(draft: IDraft, source: Source): string | null {
  return draft.trainer.kind === 'builtin' && takesTarget(source)
    ? draft.target
    : null;
}

/**
 * The channels whose data is not yet in the store in the form that the job wants.
 *
 * What they hold can only be judged by their preview.
 */
export function pendingChannels(draft: IDraft): string[] {
  const sources = { train: draft.train, validation: draft.validation };
  return Object.entries(sources)
    .filter(
      ([, source]) =>
        source !== null &&
        (source.kind === 'file' ||
          (source.kind === 's3' && channelTarget(draft, source) !== null))
    )
    .map(([name]) => name);
}
