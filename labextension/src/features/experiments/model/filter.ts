import { parseColumn } from './names';

const KEY = /(?:[a-z]+\.)?(?:`[^`]+`|"[^"]+"|[^\s=<>!'"`()]+)/.source;
const VALUE = /(?:'[^']*'|"[^"]*"|[-+]?\d*\.?\d+(?:e[-+]?\d+)?)/.source;
const COMPARISON =
  `(?:(?:=|!=|<=|>=|<|>|i?like)\\s*${VALUE}` +
  `|is\\s+(?:not\\s+)?null|(?:not\\s+)?in\\s*\\([^)]+\\))`;
const CLAUSE = `${KEY}\\s*${COMPARISON}`;
const WHOLE = new RegExp(
  `^\\s*(?:${CLAUSE}(?:\\s+and\\s+${CLAUSE})*)?\\s*$`,
  'i'
);
const WORD = /(?:[A-Za-z]+\.(?:`[^`]*|[^\s=<>!'"`()]*)|[^\s=<>!'"`()]*)$/;
const MOST_COMPLETIONS = 8;

/** Attributes that the tracking store searches by. */
const SEARCHED = [
  'attributes.status',
  'attributes.run_name',
  'attributes.start_time',
  'attributes.user_id',
  'attributes.run_id'
];

/** Whether a filter looks finished, so that it can be tried while it is still being typed. */
export function looksWhole(filter: string): boolean {
  return WHOLE.test(filter);
}

/** A column as a filter names it: `` metrics.`validation:auc` `` where its name is no plain word. */
export function filterKey(id: string): string {
  const { kind, name } = parseColumn(id);
  if (/^[A-Za-z_]\w*$/.test(name)) {
    return id;
  }
  const quote = name.includes('`') ? '"' : '`';
  return `${kind}.${quote}${name}${quote}`;
}

/** A text in a filter; null for one that has both kinds of quotes, which no filter can say. */
export function filterText(text: string): string | null {
  if (!text.includes("'")) {
    return `'${text}'`;
  }
  return text.includes('"') ? null : `"${text}"`;
}

/** Both filters at once. */
export function bothFilters(first: string, second: string): string {
  return first.trim() ? `${first.trim()} and ${second}` : second;
}

/** What {@link completions} found. */
export interface ICompletions {
  /** Where the word that is being typed begins. */
  start: number;
  /** What it may become. */
  options: string[];
}

/**
 * The columns that the word before the caret may become.
 *
 * @param text the filter so far.
 * @param caret where in it the caret is.
 * @param ids the columns there are.
 */
export function completions(
  text: string,
  caret: number,
  ids: readonly string[]
): ICompletions {
  const before = text.slice(0, caret);
  const word = WORD.exec(before)?.[0] ?? '';
  const start = caret - word.length;
  const ahead = before.slice(0, start).trimEnd();
  // A column begins a comparison; elsewhere a value or a comparator is being typed.
  if (word === '' || !(ahead === '' || /\band$/i.test(ahead))) {
    return { start, options: [] };
  }
  const wanted = word.replace(/`/g, '').toLowerCase();
  const keys = [
    ...ids.filter(id => parseColumn(id).kind !== 'attributes'),
    ...SEARCHED
  ];
  const matching = keys.filter(id => id.toLowerCase().includes(wanted));
  matching.sort(
    (a, b) =>
      Number(b.toLowerCase().startsWith(wanted)) -
      Number(a.toLowerCase().startsWith(wanted))
  );
  const options = matching.slice(0, MOST_COMPLETIONS).map(filterKey);
  return {
    start,
    options: options.length === 1 && options[0] === word ? [] : options
  };
}
