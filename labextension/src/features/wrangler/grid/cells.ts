import type {
  FlowColumnType,
  IFlowColumn,
  IFlowColumnProfile
} from '../../../api/types/wrangler';
import { measured } from '../../../shared/format';

/** What a cell can hold: as PreviewFlow has it. */
export type Cell = string | number | boolean | null | Cell[];

/** So much of a long text is drawn; a cell shows no more anyway. */
const DRAWN = 400;

/** The cells of a row of an answer, which the operations' models call a document. */
export function cellsOf(row: unknown): readonly Cell[] {
  return Array.isArray(row) ? (row as Cell[]) : [];
}

/** A cell as it is drawn and copied; missing values are not for this. */
export function cellText(value: Cell, type: FlowColumnType): string {
  if (value === null) {
    return '';
  }
  if (Array.isArray(value)) {
    return `[${value.map(part => cellText(part, type) || 'null').join(', ')}]`;
  }
  if (typeof value === 'number' && type === 'float') {
    return Number.isInteger(value) && Math.abs(value) < 1e15
      ? value.toFixed(1)
      : String(value);
  }
  if (typeof value === 'string' && type === 'datetime') {
    return value.replace('T', ' ').replace(/\.0+$/, '');
  }
  return String(value);
}

/** {@link cellText}, in one line of a length that can be drawn. */
export function drawnText(value: Cell, type: FlowColumnType): string {
  const text = cellText(value, type);
  const cut = text.length > DRAWN ? `${text.slice(0, DRAWN)}…` : text;
  return cut.replace(/\r\n|\n|\r/g, '⏎').replace(/\t/g, '→');
}

/** Whether the values of a type stand at the right of their column. */
export function isNumeric(type: FlowColumnType): boolean {
  return type === 'long' || type === 'float';
}

/** The sign of a type in the header. */
export function typeGlyph(type: FlowColumnType): string {
  return GLYPHS[type] ?? '?';
}

const GLYPHS: Record<FlowColumnType, string> = {
  long: '123',
  float: '1.2',
  boolean: 't/f',
  string: 'abc',
  date: 'date',
  datetime: 'time',
  vector: '[1]',
  array: '[a]'
};

/** Heights of the header's small chart, between 0 and 1. */
export function barsOf(profile: IFlowColumnProfile): number[] {
  const counts =
    profile.Histogram.length > 0
      ? profile.Histogram.map(bin => bin.Count)
      : profile.TopValues.map(top => top.Count);
  const most = Math.max(...counts, 1);
  return counts.map(count => count / most);
}

/** A share of rows in percent, never a rounded nought or hundred: `0.4%`, `<0.1%`. */
export function sharePercent(part: number, whole: number): string {
  if (whole === 0 || part === 0) {
    return '0%';
  }
  const percent = (part / whole) * 100;
  if (percent < 0.1) {
    return '<0.1%';
  }
  if (percent > 99.9 && percent < 100) {
    return '>99.9%';
  }
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)}%`;
}

/** What is said of a column's values: `18.3 – 118.8`, or how many there are. */
export function rangeText(
  profile: IFlowColumnProfile
): { kind: 'range'; from: string; to: string } | { kind: 'distinct' } {
  const from = bound(profile.Minimum, profile.Type);
  const to = bound(profile.Maximum, profile.Type);
  const hasRange =
    isNumeric(profile.Type) ||
    profile.Type === 'date' ||
    profile.Type === 'datetime';
  return hasRange && from !== '' && to !== ''
    ? { kind: 'range', from, to }
    : { kind: 'distinct' };
}

function bound(value: unknown, type: FlowColumnType): string {
  if (typeof value === 'number') {
    return measured(value);
  }
  return typeof value === 'string'
    ? type === 'datetime'
      ? value.slice(0, 10)
      : value
    : '';
}

/** The signs of changes, beside their colours. */
export const CHANGE_SIGNS: Readonly<Record<string, string>> = {
  added: '+',
  removed: '−',
  changed: '~'
};

/** Whether two answers have the same columns. */
export function sameColumns(
  one: readonly IFlowColumn[],
  other: readonly IFlowColumn[]
): boolean {
  return (
    one.length === other.length &&
    one.every((column, index) => {
      const its = other[index];
      return (
        column.Name === its?.Name &&
        column.Type === its.Type &&
        column.Change === its.Change
      );
    })
  );
}
