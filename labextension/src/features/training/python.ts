import type {
  IAlgorithmDescription,
  IChannel,
  ICreateTrainingJobRequest,
  IListAlgorithmsResponse
} from '../../api/types/training';
import { boto3Call, pythonLiteral, pythonString } from '../../shared/python';
import {
  channelTarget,
  chosenContentType,
  contentTypeByName,
  isRewritten,
  pendingChannels,
  sentSources
} from './channels';
import type { IDraft, Source } from './draft';
import {
  algorithmOf,
  DEFAULT_MAX_RUNTIME_SECONDS,
  shortName,
  sourceLabel
} from './draft';
import { sentHyperparameters } from './hyperparameters';
import { trialHyperparameters, tuningRequest } from './search';
import { searchOptions } from './searchPython';
import type { IStudioFacts } from './requests';
import { COLUMNS_TAG, createRequest, plannedInput } from './requests';

/**
 * The code that starts the same job, or the same search: a call of the SDK, or of boto3 for a cloned job that asks for
 * more than the SDK's `train` takes.
 *
 * @param planned the request that the form would send.
 */
export function trainingCode(
  draft: IDraft,
  catalog: IListAlgorithmsResponse,
  studio: IStudioFacts,
  planned: ICreateTrainingJobRequest
): string {
  const { trainer } = draft;
  const algorithm = algorithmOf(draft, catalog);
  const beyond = beyondSdk(draft, algorithm, catalog, studio, planned);
  const brings =
    pendingChannels(draft, algorithm).length > 0 ||
    (trainer.kind === 'script' && trainer.script.kind === 'file');
  if (brings) {
    // Something has to be brought into the store, which only the SDK does along the way.
    const note =
      beyond.length > 0 ? `# Not in this call: ${beyond.join(', ')}\n` : '';
    return note + sdkCall(draft, algorithm);
  }
  return trainer.kind === 'script' || beyond.length > 0
    ? boto3(draft, planned)
    : sdkCall(draft, algorithm);
}

function boto3(draft: IDraft, planned: ICreateTrainingJobRequest): string {
  return draft.search
    ? boto3Call(
        'sagemaker',
        'create_hyper_parameter_tuning_job',
        tuningRequest(planned, draft.search)
      )
    : boto3Call('sagemaker', 'create_training_job', planned);
}

/** Members of the request that the SDK would not send so. */
function beyondSdk(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  catalog: IListAlgorithmsResponse,
  studio: IStudioFacts,
  planned: ICreateTrainingJobRequest
): string[] {
  const { Environment } = draft.kept;
  const sent: Partial<Record<string, unknown>> = {
    ...createRequest(
      { ...draft, kept: Environment ? { Environment } : {} },
      catalog,
      studio,
      plannedInput(draft, algorithm, studio)
    )
  };
  const differing = Object.entries(planned)
    .filter(
      ([member, value]) =>
        JSON.stringify(value) !== JSON.stringify(sent[member])
    )
    .map(([member]) => member);
  const given = givenContentType(draft, algorithm);
  const channels = sentSources(draft, algorithm)
    .filter(
      ([name, source]) => !isSaid(draft, algorithm, name, source, given ?? '')
    )
    .map(([name]) => `InputDataConfig.${name}`);
  return [...differing, ...channels];
}

/** The one content type that the SDK is given, for what no ending tells; null for none. */
function givenContentType(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): string | null {
  const types = sentSources(draft, algorithm).map(([name, source]) =>
    wantedContentType(draft, algorithm, name, source)
  );
  return types.find(Boolean) ?? null;
}

/** The content type that was chosen, or that a cloned job had; null where the name tells. */
function wantedContentType(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  name: string,
  source: Source
): string | null {
  return source.kind === 'kept'
    ? (source.channel.ContentType ?? '')
    : chosenContentType(draft, algorithm, name);
}

/** Whether a channel is all said by its URI or path and the content type that the SDK is given. */
function isSaid(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  name: string,
  source: Source,
  given: string
): boolean {
  if (
    draft.modes[name]?.InputMode ||
    draft.modes[name]?.ShuffleConfig ||
    (source.kind === 'kept' && !isPlain(source.channel))
  ) {
    return false;
  }
  if (isRewritten(draft, algorithm, name)) {
    return true;
  }
  const byName = (more: string): string =>
    contentTypeByName(algorithm, name, sourceLabel(source), more);
  const wanted = wantedContentType(draft, algorithm, name, source);
  return byName(given) === (wanted ?? byName(''));
}

/** Whether the data of a channel is all said by its URI and its content type. */
function isPlain(channel: IChannel): boolean {
  const { S3DataSource: source, ...others } = channel.DataSource;
  return (
    source?.S3DataType === 'S3Prefix' &&
    (source.S3DataDistributionType ?? 'FullyReplicated') ===
      'FullyReplicated' &&
    !source.AttributeNames &&
    !source.InstanceGroupNames &&
    Object.keys(others).length === 0 &&
    [channel.CompressionType, channel.RecordWrapperType].every(
      value => value === undefined || value === 'None'
    )
  );
}

function sdkCall(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): string {
  const { trainer } = draft;
  const { search } = draft;
  const searched = new Set(search?.ranges.map(range => range.name));
  const given = trialHyperparameters(draft.hyperparameters, search);
  const values = Object.fromEntries(
    Object.entries(
      algorithm ? sentHyperparameters(algorithm, given) : given
    ).filter(([name]) => !searched.has(name))
  );
  const {
    train = null,
    validation = null,
    ...others
  } = Object.fromEntries(sentSources(draft, algorithm));
  const target = channelTarget(draft, algorithm, 'train');
  const tags = Object.fromEntries(
    draft.tags
      .filter(tag => train?.kind === 'kept' || tag.Key !== COLUMNS_TAG)
      .map(tag => [tag.Key, tag.Value])
  );
  const contentType = givenContentType(draft, algorithm);
  const options: Array<[string, string] | false> = [
    trainer.kind === 'builtin'
      ? ['algorithm', pythonString(algorithm?.Name ?? shortName(trainer.image))]
      : [
          'script',
          pythonString(
            trainer.script.kind === 'file'
              ? trainer.script.path
              : trainer.script.program
          )
        ],
    trainer.kind === 'script' &&
      trainer.script.kind === 'file' &&
      trainer.script.folder !== '' && [
        'source_dir',
        pythonString(trainer.script.folder)
      ],
    trainer.kind === 'script' && ['image', pythonString(trainer.image)],
    train !== null && ['data', pythonString(sourceLabel(train))],
    validation !== null && [
      'validation',
      pythonString(sourceLabel(validation))
    ],
    Boolean(target) && ['target', pythonString(target ?? '')],
    contentType !== null && ['content_type', pythonString(contentType)],
    Object.keys(others).length > 0 && [
      'channels',
      pythonLiteral(
        Object.fromEntries(
          Object.entries(others).map(([name, source]) => [
            name,
            sourceLabel(source)
          ])
        ),
        '    '
      )
    ],
    Object.keys(values).length > 0 && [
      'hyperparameters',
      pythonLiteral(values, '    ')
    ],
    trainer.kind === 'script' &&
      Object.keys(trainer.metrics).length > 0 && [
        'metrics',
        pythonLiteral(trainer.metrics, '    ')
      ],
    ['instance_type', pythonString(draft.instanceType)],
    draft.instanceCount !== 1 && [
      'instance_count',
      String(draft.instanceCount)
    ],
    draft.maxRuntimeSeconds !== DEFAULT_MAX_RUNTIME_SECONDS && [
      'max_runtime',
      String(draft.maxRuntimeSeconds)
    ],
    draft.kept.Environment !== undefined && [
      'environment',
      pythonLiteral(draft.kept.Environment, '    ')
    ],
    draft.experiment !== '' &&
      !search && ['experiment', pythonString(draft.experiment)],
    ...(search ? searchOptions(search, algorithm !== null) : []),
    Object.keys(tags).length > 0 && ['tags', pythonLiteral(tags, '    ')],
    ['name', pythonString(draft.name)]
  ];
  const lines = options
    .filter(option => option !== false)
    .map(([name, value]) => `    ${name}=${value},`);
  return `import bottega\n\nsession = bottega.connect()\njob = session.${search ? 'tune' : 'train'}(\n${lines.join('\n')}\n)\n`;
}
