import type {
  IChannel,
  ICreateTrainingJobRequest,
  IListAlgorithmsResponse
} from '../../api/types/training';
import { boto3Call, pythonLiteral, pythonString } from '../../shared/python';
import type { IDraft } from './draft';
import {
  algorithmOf,
  channelTarget,
  DEFAULT_MAX_RUNTIME_SECONDS,
  shortName,
  sourceLabel
} from './draft';
import { sentHyperparameters } from './hyperparameters';
import type { IStudioFacts } from './requests';
import { COLUMNS_TAG, createRequest, plannedInput } from './requests';

/**
 * The code that starts the same job: a call of the SDK, or of boto3 for a cloned job that asks for
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
  const beyond = beyondSdk(draft, catalog, studio, planned);
  const brings =
    [draft.train, draft.validation].some(
      source => source && source.kind !== 'kept'
    ) ||
    (trainer.kind === 'script' && trainer.script.kind === 'file');
  if (brings) {
    // Something has to be brought into the store, which only the SDK does along the way.
    const note =
      beyond.length > 0 ? `# Not in this call: ${beyond.join(', ')}\n` : '';
    return note + sdkCall(draft, catalog);
  }
  return trainer.kind === 'script' ||
    beyond.length > 0 ||
    ![...keptChannels(draft)].every(isPlain)
    ? boto3Call('sagemaker', 'create_training_job', planned)
    : sdkCall(draft, catalog);
}

/** Members of the request that the SDK would not send so. */
function beyondSdk(
  draft: IDraft,
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
      plannedInput(draft, studio)
    )
  };
  return Object.entries(planned)
    .filter(
      ([member, value]) =>
        JSON.stringify(value) !== JSON.stringify(sent[member])
    )
    .map(([member]) => member);
}

function* keptChannels(draft: IDraft): Generator<IChannel> {
  for (const source of [draft.train, draft.validation]) {
    if (source?.kind === 'kept') {
      yield source.channel;
    }
  }
  yield* draft.others;
}

/** Whether a channel is all said by its URI and its content type. */
function isPlain(channel: IChannel): boolean {
  const source = channel.DataSource.S3DataSource;
  return (
    source?.S3DataType === 'S3Prefix' &&
    (source.S3DataDistributionType ?? 'FullyReplicated') === 'FullyReplicated'
  );
}

function sdkCall(draft: IDraft, catalog: IListAlgorithmsResponse): string {
  const { trainer } = draft;
  const algorithm = algorithmOf(draft, catalog);
  const values = algorithm
    ? sentHyperparameters(algorithm, draft.hyperparameters)
    : draft.hyperparameters;
  const { train, validation } = draft;
  const target = train && channelTarget(draft, train);
  const tags = Object.fromEntries(
    draft.tags
      .filter(tag => train?.kind === 'kept' || tag.Key !== COLUMNS_TAG)
      .map(tag => [tag.Key, tag.Value])
  );
  const contentType = [...keptChannels(draft)].find(item => item.ContentType);
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
    contentType !== undefined && [
      'content_type',
      pythonString(contentType.ContentType ?? '')
    ],
    draft.others.length > 0 && [
      'channels',
      pythonLiteral(
        Object.fromEntries(
          draft.others.map(channel => [
            channel.ChannelName,
            sourceLabel({ kind: 'kept', channel })
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
    draft.experiment !== '' && ['experiment', pythonString(draft.experiment)],
    Object.keys(tags).length > 0 && ['tags', pythonLiteral(tags, '    ')],
    ['name', pythonString(draft.name)]
  ];
  const lines = options
    .filter(option => option !== false)
    .map(([name, value]) => `    ${name}=${value},`);
  return `import bottega\n\nsession = bottega.connect()\njob = session.train(\n${lines.join('\n')}\n)\n`;
}
