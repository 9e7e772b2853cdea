import type {
  Completion,
  CompletionContext,
  CompletionResult,
  CompletionSource
} from '@codemirror/autocomplete';

import type { IFlowColumn } from '../../../../api/types/wrangler';

/** Functions of Spark SQL that formulas mostly use, with what they take. */
const FUNCTIONS: ReadonlyArray<readonly [string, string]> = [
  ['abs', '(number)'],
  ['ceil', '(number)'],
  ['coalesce', '(value, …)'],
  ['concat', '(text, …)'],
  ['date_format', '(moment, format)'],
  ['datediff', '(end, start)'],
  ['day', '(moment)'],
  ['dayofweek', '(moment)'],
  ['exp', '(number)'],
  ['floor', '(number)'],
  ['greatest', '(value, …)'],
  ['hour', '(moment)'],
  ['if', '(condition, value, otherwise)'],
  ['initcap', '(text)'],
  ['isnull', '(value)'],
  ['least', '(value, …)'],
  ['length', '(text)'],
  ['ln', '(number)'],
  ['log', '(base, number)'],
  ['lower', '(text)'],
  ['ltrim', '(text)'],
  ['minute', '(moment)'],
  ['mod', '(number, divisor)'],
  ['month', '(moment)'],
  ['nullif', '(value, other)'],
  ['pow', '(number, exponent)'],
  ['regexp_extract', '(text, pattern, group)'],
  ['regexp_replace', '(text, pattern, replacement)'],
  ['replace', '(text, search, replacement)'],
  ['round', '(number, digits)'],
  ['rtrim', '(text)'],
  ['sign', '(number)'],
  ['split', '(text, pattern)'],
  ['sqrt', '(number)'],
  ['substring', '(text, from, length)'],
  ['to_date', '(text, format)'],
  ['to_timestamp', '(text, format)'],
  ['trim', '(text)'],
  ['upper', '(text)'],
  ['year', '(moment)']
];

const WORDS = [
  'AND',
  'CASE',
  'CAST',
  'ELSE',
  'END',
  'IN',
  'IS NULL',
  'LIKE',
  'NOT',
  'OR',
  'THEN',
  'WHEN'
];

/** Completes the columns of a table, and the functions of formulas. */
export function formulaCompletions(
  columns: () => readonly IFlowColumn[]
): CompletionSource {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/`[^`]*|[\p{L}_][\p{L}\p{N}_]*/u);
    if (!word && !context.explicit) {
      return null;
    }
    return {
      from: word?.from ?? context.pos,
      options: [...columnCompletions(columns()), ...FUNCTION_COMPLETIONS],
      validFor: /^(`[^`]*|[\p{L}_][\p{L}\p{N}_]*)$/u
    };
  };
}

/** A column's name as formulas have it: in backticks where it is no plain word. */
export function formulaName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replace(/`/g, '``')}\``;
}

function columnCompletions(columns: readonly IFlowColumn[]): Completion[] {
  return columns.map(column => ({
    label: formulaName(column.Name),
    detail: column.Type,
    type: 'variable',
    boost: 10
  }));
}

const FUNCTION_COMPLETIONS: readonly Completion[] = [
  ...FUNCTIONS.map(([name, takes]) => ({
    label: name,
    detail: takes,
    type: 'function',
    apply: `${name}(`
  })),
  ...WORDS.map(word => ({ label: word, type: 'keyword' }))
];
