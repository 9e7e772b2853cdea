import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IAlgorithmDescription,
  IFinding,
  IPreviewColumn,
  IPreviewDataResponse
} from '../../api/types/training';
import { closestName } from '../../shared/closest';
import type { IDraft, Source } from './draft';
import { channelTarget, namesLabel, pendingChannels } from './draft';
import type { IPreviews, Preview } from './findings';
import { error, FIELDS } from './findings';

const SHOWN_COLUMNS = 6;

/** What is wrong with the data of a built-in algorithm. */
export function dataFindings(
  draft: IDraft,
  previews: IPreviews,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  if (!draft.train) {
    const train = algorithm.Channels.find(item => item.Name === 'train');
    return train?.Required === false
      ? []
      : [error(FIELDS.train, trans.__('Choose the data to train on.'))];
  }
  const found = unreadable(draft, previews, trans);
  const { train, validation } = previews;
  if (train.state === 'ready' && draft.train.kind !== 'kept') {
    found.push(...trainFindings(draft, train.data, algorithm, trans));
  }
  if (validation.state === 'ready' && draft.validation?.kind !== 'kept') {
    found.push(
      ...validationFindings(draft, validation.data, train, algorithm, trans)
    );
  }
  return found;
}

/** Data that cannot be read, or holds nothing. */
export function unreadable(
  draft: IDraft,
  previews: IPreviews,
  trans: TranslationBundle
): IFinding[] {
  const found: IFinding[] = [];
  for (const channel of ['train', 'validation'] as const) {
    const preview = previews[channel];
    const source: Source | null = draft[channel];
    // What the clone keeps is for the server to judge: it can read more than it can show.
    if (!source || source.kind === 'kept') {
      continue;
    }
    if (preview.state === 'error') {
      found.push(error(FIELDS[channel], preview.error.message));
    } else if (
      preview.state === 'ready' &&
      preview.data.Columns.length > 0 &&
      preview.data.Rows.length === 0
    ) {
      found.push(
        error(
          FIELDS[channel],
          channel === 'train'
            ? trans.__('The data to train on has no rows.')
            : trans.__('The validation data has no rows.')
        )
      );
    }
  }
  return found;
}

function trainFindings(
  draft: IDraft,
  data: IPreviewDataResponse,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  const found = textFindings(FIELDS.train, data, algorithm, trans);
  const { target } = draft;
  if (!draft.train || !algorithm.Supervised || !namesLabel(draft.train, data)) {
    return found;
  }
  return target
    ? [...found, ...labelFindings(target, data, trans)]
    : [
        ...found,
        error(
          FIELDS.target,
          trans.__('Choose the label column: what is to be predicted.')
        )
      ];
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
  field: string,
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
          field,
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

function validationFindings(
  draft: IDraft,
  data: IPreviewDataResponse,
  train: Preview,
  algorithm: IAlgorithmDescription,
  trans: TranslationBundle
): IFinding[] {
  const source = draft.validation;
  if (
    !source ||
    channelTarget(draft, source) === null ||
    !namesLabel(source, data)
  ) {
    return [];
  }
  const found = textFindings(FIELDS.validation, data, algorithm, trans);
  const names = new Set(data.Columns.map(column => column.Name));
  const wanted =
    train.state === 'ready' && pendingChannels(draft).includes('train')
      ? train.data.Columns.map(column => column.Name)
      : [draft.target ?? ''];
  const lacking = wanted.filter(name => !names.has(name));
  if (lacking.length > 0) {
    found.unshift(
      error(
        FIELDS.validation,
        trans.__(
          'The validation data lacks columns of the training data: %1.',
          listed(lacking, trans)
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
