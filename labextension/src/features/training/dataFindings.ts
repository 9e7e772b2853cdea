import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IAlgorithmDescription,
  IFinding,
  IPreviewColumn,
  IPreviewDataResponse
} from '../../api/types/training';
import { BottegaError } from '../../api/request';
import { closestName } from '../../shared/closest';
import {
  channelOf,
  channelTarget,
  chosenContentType,
  endingType,
  isRewritten,
  readsTable,
  sentSources,
  shownChannels,
  takesLabel
} from './channels';
import type { IDraft, Source } from './draft';
import { isTable, namesLabel, sourceLabel } from './draft';
import type { Previews } from './findings';
import { channelField, error, FIELDS, warning } from './findings';

const SHOWN_COLUMNS = 6;
const FEATURES = 'feature_dim';

/** What is wrong with the data of a built-in algorithm. */
export function dataFindings(
  draft: IDraft,
  previews: Previews,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  const found = [
    ...missing(draft, algorithm, trans),
    ...foreign(draft, algorithm, trans),
    ...unreadable(draft, previews, algorithm, trans)
  ];
  for (const [name, source] of sentSources(draft, algorithm)) {
    const preview = previews[name];
    if (
      preview?.state !== 'ready' ||
      source.kind === 'kept' ||
      !readsTable(algorithm, name)
    ) {
      continue;
    }
    const { data } = preview;
    found.push(
      ...(name === 'train'
        ? trainFindings(draft, source, data, algorithm, trans)
        : furtherFindings(draft, name, data, previews, algorithm, trans))
    );
  }
  return found;
}

/** Channels that the algorithm cannot do without. */
function missing(
  draft: IDraft,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  return shownChannels(draft, algorithm)
    .filter(({ name, required }) => required && !draft.sources[name])
    .map(({ name, description }) =>
      error(
        channelField(name),
        {
          train: trans.__('Choose the data to train on.'),
          validation: trans.__(
            'Choose the validation data, which %1 needs.',
            algorithm.DisplayName
          )
        }[name] ??
          trans.__(
            'Choose the data of the channel %1. %2',
            name,
            description?.Description ?? ''
          )
      )
    );
}

/** Data whose name says that it is something else than the algorithm reads. */
function foreign(
  draft: IDraft,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  return sentSources(draft, algorithm).flatMap(([name, source]) => {
    const place = sourceLabel(source);
    const type = endingType(place);
    const read = channelOf(algorithm, name)?.ContentTypes ?? [];
    const isRead =
      (isTable(source) && readsTable(algorithm, name)) ||
      read.some(item => item.split(';')[0] === type);
    return source.kind === 'kept' ||
      isRead ||
      type === '' ||
      chosenContentType(draft, algorithm, name) !== null
      ? []
      : [
          error(
            channelField(name),
            trans.__(
              '%1 is %2, which %3 does not read here. It reads %4.',
              place.slice(place.lastIndexOf('/') + 1),
              type,
              algorithm.DisplayName,
              read.join(', ')
            )
          )
        ];
  });
}

/**
 * Data that cannot be read, or holds nothing.
 *
 * @param algorithm null for a script, which may read what nothing here can show.
 */
export function unreadable(
  draft: IDraft,
  previews: Previews,
  algorithm: IAlgorithmDescription | null,
  trans: TranslationBundle
): IFinding[] {
  const found: IFinding[] = [];
  for (const [name, source] of sentSources(draft, algorithm)) {
    const preview = previews[name];
    // What the clone keeps is for the server to judge: it can read more than it can show.
    if (!preview || source.kind === 'kept') {
      continue;
    }
    const field = channelField(name);
    const isMeant = algorithm !== null && readsTable(algorithm, name);
    if (preview.state === 'error') {
      const isFatal =
        isMeant ||
        (preview.error instanceof BottegaError &&
          preview.error.code === 'NoSuchFile');
      found.push((isFatal ? error : warning)(field, preview.error.message));
    } else if (preview.state === 'folder') {
      if (preview.folder.files + preview.folder.folders === 0) {
        found.push(error(field, trans.__('The folder is empty.')));
      }
    } else if (
      preview.state === 'ready' &&
      preview.data.Columns.length > 0 &&
      preview.data.Rows.length === 0
    ) {
      found.push(error(field, noRows(name, trans)));
    }
  }
  return found;
}

function noRows(channel: string, trans: TranslationBundle): string {
  switch (channel) {
    case 'train':
      return trans.__('The data to train on has no rows.');
    case 'validation':
      return trans.__('The validation data has no rows.');
    default:
      return trans.__('The data of the channel %1 has no rows.', channel);
  }
}

function trainFindings(
  draft: IDraft,
  source: Source,
  data: IPreviewDataResponse,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  const found = textFindings('train', data, algorithm, trans);
  const { target } = draft;
  if (takesLabel(algorithm) && namesLabel(source, data)) {
    found.push(
      ...(target
        ? labelFindings(target, data, trans)
        : [
            error(
              FIELDS.target,
              trans.__('Choose the label column: what is to be predicted.')
            )
          ])
    );
  }
  return [...found, ...widthFindings(draft, source, data, algorithm, trans)];
}

/** Whether the data has as many features as the algorithm is told. */
function widthFindings(
  draft: IDraft,
  source: Source,
  data: IPreviewDataResponse,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  const features = featureCount(source, data, algorithm);
  const told = draft.hyperparameters[FEATURES] ?? '';
  const isTold = algorithm.HyperParameters.some(item => item.Name === FEATURES);
  return features === null ||
    !isTold ||
    !/^\d+$/.test(told) ||
    Number(told) === features
    ? []
    : [
        error(
          `HyperParameters.${FEATURES}`,
          trans._n(
            '%2 is %3, but the data has %1 feature column.',
            '%2 is %3, but the data has %1 feature columns.',
            features,
            FEATURES,
            told
          )
        )
      ];
}

/** How many feature columns a table has; null where that cannot be seen. */
export function featureCount(
  source: Source | null | undefined,
  data: IPreviewDataResponse,
  algorithm: IAlgorithmDescription
): number | null {
  return source && isTable(source) && readsTable(algorithm, 'train')
    ? data.Columns.length - (algorithm.Supervised ? 1 : 0)
    : null;
}

function labelFindings(
  target: string,
  data: IPreviewDataResponse,
  trans: TranslationBundle
): IFinding[] {
  const names = data.Columns.map(column => column.Name);
  const label = data.Columns.find(column => column.Name === target);
  if (!label) {
    const close = closestName(target, names);
    return [
      error(
        FIELDS.target,
        close === null
          ? trans.__(
              'The data has no column %1; it has %2.',
              target,
              listed(names, trans)
            )
          : trans.__(
              'The data has no column %1. Did you mean %2?',
              target,
              close
            )
      )
    ];
  }
  const missing = label.Missing ?? 0;
  return missing > 0
    ? [
        error(
          FIELDS.target,
          trans.__(
            'The label %1 is missing in %2 of the first %3 rows. Drop these rows or fill them in.',
            target,
            missing,
            data.Rows.length
          )
        )
      ]
    : [];
}

/** Columns that the algorithm cannot take, as all it takes is numbers. */
function textFindings(
  channel: string,
  data: IPreviewDataResponse,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  const text = data.Columns.filter((column, index) =>
    isText(column, data.Rows, index)
  ).map(column => column.Name);
  return text.length === 0
    ? []
    : [
        error(
          channelField(channel),
          trans._n(
            '%2 takes numbers only. Encode this column first, or leave it out: %3.',
            '%2 takes numbers only. Encode these columns first, or leave them out: %3.',
            text.length,
            algorithm.DisplayName,
            listed(text, trans)
          )
        )
      ];
}

/** Whether a column is neither numbers nor True and False. */
function isText(
  column: IPreviewColumn,
  rows: readonly string[][],
  index: number
): boolean {
  if (column.Type === 'boolean') {
    // Yes and No are for people: what reads the table takes them for text.
    return rows.some(row => !/^(true|false|)$/i.test(row[index] ?? ''));
  }
  return column.Type === 'text' || column.Type === 'time';
}

/** What is wrong with a table beside the training data: it has to have the same columns. */
function furtherFindings(
  draft: IDraft,
  name: string,
  data: IPreviewDataResponse,
  previews: Previews,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  const source = draft.sources[name];
  if (
    !source ||
    !isRewritten(draft, algorithm, name) ||
    !namesLabel(source, data)
  ) {
    return [];
  }
  const found = textFindings(name, data, algorithm, trans);
  const names = new Set(data.Columns.map(column => column.Name));
  const { train } = previews;
  const first = draft.sources['train'];
  const target = channelTarget(draft, algorithm, name);
  const wanted =
    first &&
    train?.state === 'ready' &&
    isRewritten(draft, algorithm, 'train') &&
    namesLabel(first, train.data)
      ? train.data.Columns.map(column => column.Name)
      : target === null
        ? []
        : [target];
  const lacking = wanted.filter(column => !names.has(column));
  if (lacking.length > 0) {
    const columns = listed(lacking, trans);
    found.unshift(
      error(
        channelField(name),
        name === 'validation'
          ? trans.__(
              'The validation data lacks columns of the training data: %1.',
              columns
            )
          : trans.__(
              'The data of the channel %2 lacks columns of the training data: %1.',
              columns,
              name
            )
      )
    );
  }
  return found;
}

function listed(names: readonly string[], trans: TranslationBundle): string {
  const shown = names.slice(0, SHOWN_COLUMNS).join(', ');
  const more = names.length - SHOWN_COLUMNS;
  return more > 0 ? trans.__('%1 and %2 more', shown, more) : shown;
}
