import type {
  IAlgorithmDescription,
  IChannelDescription,
  IListAlgorithmsResponse
} from '../../api/types/training';
import type { IDraft, Source } from './draft';
import { firstAlgorithm, isTable } from './draft';

const TABLE_TYPES: readonly string[] = [
  'text/csv',
  'application/x-recordio-protobuf'
];
/** Where a name's ending tells the content type, as the server has it. */
const BY_ENDING: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.libsvm': 'text/libsvm',
  '.svm': 'text/libsvm',
  '.parquet': 'application/x-parquet',
  '.jsonl': 'application/jsonlines',
  '.json': 'application/json',
  '.pbr': 'application/x-recordio-protobuf',
  '.txt': 'text/plain',
  '.jpg': 'application/x-image',
  '.jpeg': 'application/x-image',
  '.png': 'application/x-image'
};

/** A channel that the form has a field for. */
export interface IShownChannel {
  name: string;
  required: boolean;
  /** As the algorithm describes it; null where it reads no such channel, or is not known. */
  description: IChannelDescription | null;
}

/** The description of a channel; null where the algorithm reads none of that name. */
export function channelOf(
  algorithm: IAlgorithmDescription | null,
  name: string
): IChannelDescription | null {
  return algorithm?.Channels.find(item => item.Name === name) ?? null;
}

/**
 * The channels that the form shows, the train channel first.
 *
 * What was chosen for a channel that the algorithm does not read is neither shown nor sent, but
 * comes back with an algorithm that reads it. What a cloned job had stays: it was sent once.
 *
 * @param algorithm null for scripts, which read whatever they are given.
 */
export function shownChannels(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): IShownChannel[] {
  const names = new Set(['train']);
  for (const { Name: name, Required: required } of algorithm?.Channels ?? []) {
    if (required || name in draft.sources) {
      names.add(name);
    }
  }
  for (const [name, source] of Object.entries(draft.sources)) {
    if (!algorithm || source?.kind === 'kept') {
      names.add(name);
    }
  }
  return [...names].map(name => {
    const description = channelOf(algorithm, name);
    return { name, description, required: description?.Required ?? false };
  });
}

/** The channels that can be added to those that are shown. */
export function addableChannels(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): Array<{ name: string; description: string }> {
  const shown = new Set(
    shownChannels(draft, algorithm).map(channel => channel.name)
  );
  const known = algorithm
    ? algorithm.Channels.map(item => ({
        name: item.Name,
        description: item.Description
      }))
    : [{ name: 'validation', description: '' }];
  return known.filter(item => !shown.has(item.name));
}

/** The channels that a job gets, the train channel first. */
export function sentSources(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): Array<[name: string, source: Source]> {
  return shownChannels(draft, algorithm).flatMap(({ name }) => {
    const source = draft.sources[name];
    return source ? [[name, source] as [string, Source]] : [];
  });
}

/** Whether a channel holds a table for an algorithm that learns from tables. */
export function readsTable(
  algorithm: IAlgorithmDescription,
  name: string
): boolean {
  const types = channelOf(algorithm, name)?.ContentTypes ?? [];
  return algorithm.ReadsTables && types.some(isTableType);
}

function isTableType(type: string): boolean {
  return TABLE_TYPES.includes(type.split(';')[0] ?? '');
}

/** Whether a label can be chosen: the algorithm learns from the columns of a table. */
export function takesLabel(algorithm: IAlgorithmDescription | null): boolean {
  return algorithm !== null && algorithm.Supervised && algorithm.ReadsTables;
}

/** What `prepareChannel` gets as its target; null where the data is sent without one. */
export function channelTarget(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  name: string
): string | null {
  const source = draft.sources[name];
  return algorithm?.Supervised &&
    source &&
    isTable(source) &&
    readsTable(algorithm, name)
    ? draft.target
    : null;
}

/** Whether the server makes a table of the data, and sends that. */
export function isRewritten(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  name: string
): boolean {
  const source = draft.sources[name];
  if (!algorithm || !source || !isTable(source)) {
    return false;
  }
  return algorithm.Supervised
    ? channelTarget(draft, algorithm, name) !== null
    : source.kind === 'file' && readsTable(algorithm, name);
}

/**
 * The channels whose data is not yet in the store in the form that the job wants.
 *
 * What they hold can only be judged by their preview.
 */
export function pendingChannels(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null
): string[] {
  return sentSources(draft, algorithm)
    .filter(
      ([name, source]) =>
        source.kind === 'file' ||
        (source.kind === 's3' && channelTarget(draft, algorithm, name) !== null)
    )
    .map(([name]) => name);
}

/** The content types to choose from; none where the data itself tells, or nothing does. */
export function contentTypeChoices(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  name: string
): readonly string[] {
  const source = draft.sources[name];
  const types = channelOf(algorithm, name)?.ContentTypes ?? [];
  const told =
    algorithm !== null && source && isTable(source)
      ? readsTable(algorithm, name)
      : false;
  return !source || source.kind === 'kept' || told || types.length < 2
    ? []
    : types;
}

/** The content type that was chosen for data that is sent as it is; null for the name's own. */
export function chosenContentType(
  draft: IDraft,
  algorithm: IAlgorithmDescription | null,
  name: string
): string | null {
  const source = draft.sources[name];
  const chosen = source && source.kind !== 'kept' ? source.contentType : null;
  return chosen && contentTypeChoices(draft, algorithm, name).includes(chosen)
    ? chosen
    : null;
}

/** The content type that the ending of a path or URI stands for; empty where it tells nothing. */
export function endingType(place: string): string {
  const ending = /[^/](\.[^./]+)\/*$/.exec(place)?.[1] ?? '';
  return BY_ENDING[ending] ?? '';
}

/**
 * The content type that the server gives to data that is sent as it is.
 *
 * @param place a path or URI, whose ending may tell.
 * @param given what is meant where the ending does not tell.
 * @returns empty where there is none.
 */
export function contentTypeByName(
  algorithm: IAlgorithmDescription | null,
  name: string,
  place: string,
  given = ''
): string {
  const known = endingType(place);
  const read = channelOf(algorithm, name)?.ContentTypes ?? [];
  const unlabelled = `${known};label_size=0`;
  if (read.includes(unlabelled)) {
    return unlabelled;
  }
  return read.includes(known)
    ? known
    : given || (read.length === 1 ? (read[0] ?? '') : known);
}

/** The algorithms as people look for them: the first choice, those for tables, the others. */
export function byUse(
  catalog: IListAlgorithmsResponse
): IAlgorithmDescription[] {
  const first = firstAlgorithm(catalog);
  const rank = (item: IAlgorithmDescription): number =>
    item === first ? 0 : takesLabel(item) ? 1 : item.ReadsTables ? 2 : 3;
  return [...catalog.Algorithms].sort((a, b) => rank(a) - rank(b));
}
