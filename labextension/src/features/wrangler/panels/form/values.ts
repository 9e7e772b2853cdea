import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IFlowColumn,
  IFlowParameter
} from '../../../../api/types/wrangler';
import type { Values } from '../json';
import { isSame } from '../json';

/** What a form says of one parameter: what was wrong with its value. */
export interface IProblem {
  /** The parameter at fault; empty where it is none in particular. */
  parameter: string;
  message: string;
  /** Whether all that is wrong is that it has not been filled in yet. */
  isMissing?: boolean;
}

/** The default of a parameter; undefined where it has none. */
export function defaultOf(parameter: IFlowParameter): unknown {
  return parameter.Default;
}

/**
 * Whether a parameter is shown and heeded.
 *
 * As on the server: a condition on a parameter that is not heeded itself looks at its default.
 */
export function isHeeded(
  parameter: IFlowParameter,
  parameters: readonly IFlowParameter[],
  values: Values
): boolean {
  const { When: when } = parameter;
  if (!when) {
    return true;
  }
  const other = parameters.find(item => item.Name === when.Parameter);
  if (!other) {
    return false;
  }
  const heeded = isHeeded(other, parameters, values);
  const value = heeded ? effective(other, values) : defaultOf(other);
  return when.Values.some(allowed => isSame(allowed, value));
}

/** The value that counts: what was given, or the default. */
export function effective(parameter: IFlowParameter, values: Values): unknown {
  const given = values[parameter.Name];
  return given === undefined || given === null ? defaultOf(parameter) : given;
}

/** The parameters that are shown with these values, in the order of the form. */
export function heededParameters(
  parameters: readonly IFlowParameter[],
  values: Values
): IFlowParameter[] {
  return parameters.filter(item => isHeeded(item, parameters, values));
}

/** Why a column cannot be chosen; null where it can. */
export function unfitReason(
  parameter: IFlowParameter,
  column: IFlowColumn,
  trans: TranslationBundle
): string | null {
  const { ColumnTypes: types } = parameter;
  return types && !types.includes(column.Type)
    ? trans.__('takes %1', types.join(', '))
    : null;
}

/**
 * What is wrong with the values already, before the server has seen them; null for nothing.
 *
 * Only what is certain: the server knows the data, and says the rest.
 */
export function firstProblem(
  parameters: readonly IFlowParameter[],
  values: Values,
  trans: TranslationBundle
): IProblem | null {
  for (const parameter of heededParameters(parameters, values)) {
    const found = problemOf(parameter, values[parameter.Name], trans);
    if (found) {
      return { parameter: parameter.Name, ...found };
    }
  }
  return null;
}

function problemOf(
  parameter: IFlowParameter,
  value: unknown,
  trans: TranslationBundle
): Omit<IProblem, 'parameter'> | null {
  if (isEmpty(parameter, value)) {
    return parameter.Required && defaultOf(parameter) === undefined
      ? {
          message: trans.__('%1 is missing.', parameter.Label),
          isMissing: true
        }
      : null;
  }
  switch (parameter.Kind) {
    case 'integer':
    case 'number': {
      const message = numberProblem(parameter, value, trans);
      return message === null ? null : { message };
    }
    case 'records':
      return recordsProblem(parameter, value, trans);
    default:
      return null;
  }
}

function recordsProblem(
  parameter: IFlowParameter,
  value: unknown,
  trans: TranslationBundle
): Omit<IProblem, 'parameter'> | null {
  for (const [index, record] of recordsOf(value).entries()) {
    const found = firstProblem(parameter.Fields ?? [], record, trans);
    if (found) {
      return {
        message: trans.__(
          '%1, entry %2: %3',
          parameter.Label,
          index + 1,
          found.message
        ),
        isMissing: found.isMissing ?? false
      };
    }
  }
  return null;
}

function numberProblem(
  parameter: IFlowParameter,
  value: unknown,
  trans: TranslationBundle
): string | null {
  const number = numberOf(value);
  if (number === null) {
    return parameter.Kind === 'integer'
      ? trans.__('%1: “%2” is no whole number.', parameter.Label, String(value))
      : trans.__('%1: “%2” is no number.', parameter.Label, String(value));
  }
  if (parameter.Kind === 'integer' && !Number.isInteger(number)) {
    return trans.__(
      '%1: “%2” is no whole number.',
      parameter.Label,
      String(value)
    );
  }
  const { Minimum: least = -Infinity, Maximum: most = Infinity } = parameter;
  return number < least || number > most
    ? trans.__(
        '%1: %2 is not %3.',
        parameter.Label,
        String(value),
        rangeText(parameter, trans)
      )
    : null;
}

/** The range of a number in words: `from 0 to 100`; empty where it has none. */
export function rangeText(
  parameter: IFlowParameter,
  trans: TranslationBundle
): string {
  const { Minimum: least, Maximum: most } = parameter;
  if (least !== undefined && most !== undefined) {
    return trans.__('from %1 to %2', least, most);
  }
  if (least !== undefined) {
    return trans.__('%1 or more', least);
  }
  return most === undefined ? '' : trans.__('%1 or less', most);
}

/** A typed number; null for what is none. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') {
    return value;
  }
  const text = typeof value === 'string' ? value.trim() : '';
  const number = Number(text);
  return text === '' || !Number.isFinite(number) ? null : number;
}

/** The entries of a parameter of kind records. */
export function recordsOf(value: unknown): Values[] {
  return Array.isArray(value)
    ? value.map(item =>
        typeof item === 'object' && item !== null ? (item as Values) : {}
      )
    : [];
}

/** The names or texts of a parameter; the file may have a single one by itself. */
export function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.map(String);
  }
  return typeof value === 'string' && value !== '' ? [value] : [];
}

function isEmpty(parameter: IFlowParameter, value: unknown): boolean {
  if (value === undefined || value === null) {
    return true;
  }
  // Empty text is a text.
  if (['text', 'value', 'texts'].includes(parameter.Kind)) {
    return false;
  }
  return value === '' || (Array.isArray(value) && value.length === 0);
}

/**
 * The values as the server takes them: numbers as numbers, nothing that the form does not show.
 *
 * What the step had before and has no longer is null, which clears it.
 */
export function toSend(
  parameters: readonly IFlowParameter[],
  values: Values,
  before: Values = {}
): Record<string, unknown> {
  const sent: Record<string, unknown> = {};
  for (const parameter of heededParameters(parameters, values)) {
    const value = values[parameter.Name];
    if (!isEmpty(parameter, value)) {
      sent[parameter.Name] = sendable(parameter, value);
    }
  }
  for (const name of Object.keys(before)) {
    if (!(name in sent) && parameters.some(item => item.Name === name)) {
      sent[name] = null;
    }
  }
  return sent;
}

function sendable(parameter: IFlowParameter, value: unknown): unknown {
  switch (parameter.Kind) {
    case 'integer':
    case 'number':
      return numberOf(value) ?? value;
    case 'columns':
      return textsOf(value);
    case 'column':
      return Array.isArray(value) && value.length === 1 ? value[0] : value;
    case 'records':
      return recordsOf(value).map(record =>
        toSend(parameter.Fields ?? [], record)
      );
    default:
      return value;
  }
}

/** What a split is at first. */
const USUAL_SPLITS = [
  { name: 'Train', percentage: 0.8 },
  { name: 'Test', percentage: 0.2 }
];

/**
 * What a form starts with when a transform was chosen while a column was selected: the column goes
 * into the first parameter that takes it.
 */
export function startingValues(
  parameters: readonly IFlowParameter[],
  column: IFlowColumn | null
): Record<string, unknown> {
  const splits = parameters.some(
    item => item.Name === 'splits' && item.Kind === 'records'
  )
    ? { splits: USUAL_SPLITS }
    : {};
  if (!column) {
    return splits;
  }
  const place = parameters.find(
    item =>
      (item.Kind === 'column' || item.Kind === 'columns') &&
      (!item.ColumnTypes || item.ColumnTypes.includes(column.Type)) &&
      isHeeded(item, parameters, {})
  );
  if (!place) {
    return splits;
  }
  return {
    ...splits,
    [place.Name]: place.Kind === 'columns' ? [column.Name] : column.Name
  };
}
