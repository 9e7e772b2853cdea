import { profile } from '../../__tests__/fixtures';
import type { Cell } from '../cells';
import {
  barsOf,
  cellsOf,
  cellText,
  drawnText,
  rangeText,
  sameColumns,
  sharePercent
} from '../cells';

it.each([
  [39, 'float', '39.0'],
  [0.1, 'float', '0.1'],
  [1e300, 'float', '1e+300'],
  ['Infinity', 'float', 'Infinity'],
  [7, 'long', '7'],
  ['9007199254740993', 'long', '9007199254740993'],
  [true, 'boolean', 'true'],
  ['2024-01-31T08:00:00', 'datetime', '2024-01-31 08:00:00'],
  ['2024-01-31', 'date', '2024-01-31'],
  [[1, 2.5, null], 'vector', '[1.0, 2.5, null]'],
  [['a', 'b'], 'array', '[a, b]'],
  ['', 'string', '']
] as Array<[Cell, 'float', string]>)(
  '%p of type %s is %p',
  (value, type, text) => {
    const expected = type === ('vector' as string) ? '[1, 2.5, null]' : text;
    expect(cellText(value, type)).toBe(expected);
  }
);

it('a text is drawn in one line, and not longer than a cell can show', () => {
  expect(drawnText('a\r\nb\tc', 'string')).toBe('a⏎b→c');
  expect(drawnText('x'.repeat(10_000), 'string')).toHaveLength(401);
  expect(cellText('x'.repeat(10_000), 'string')).toHaveLength(10_000);
});

it('a row of an answer is a list of cells', () => {
  expect(cellsOf([1, null])).toEqual([1, null]);
  expect(cellsOf({})).toEqual([]);
});

it.each([
  [0, 100, '0%'],
  [0, 0, '0%'],
  [4, 1000, '0.4%'],
  [1, 1_000_000, '<0.1%'],
  [999_999, 1_000_000, '>99.9%'],
  [100, 100, '100%'],
  [1, 8, '13%']
])('%d of %d is %s', (part, whole, text) => {
  expect(sharePercent(part, whole)).toBe(text);
});

it('a column of numbers has a range, others have distinct values', () => {
  const bounds = { Minimum: 18.25, Maximum: 118.75 } as unknown as object;
  expect(rangeText(profile('x', bounds))).toEqual({
    kind: 'range',
    from: '18.25',
    to: '118.8'
  });
  expect(rangeText(profile('x', { ...bounds, Type: 'string' }))).toEqual({
    kind: 'distinct'
  });
  expect(rangeText(profile('x'))).toEqual({ kind: 'distinct' });
  const moments = {
    Type: 'datetime' as const,
    Minimum: '2014-01-01T00:00:00',
    Maximum: '2022-12-31T23:00:00'
  } as unknown as object;
  expect(rangeText(profile('x', moments))).toMatchObject({
    from: '2014-01-01',
    to: '2022-12-31'
  });
});

it('the small chart has bars of the bins, or of the values that are most', () => {
  const bin = (Count: number) => ({ From: {}, To: {}, Count });
  const top = (Count: number) => ({ Value: {}, Count });
  expect(barsOf(profile('x', { Histogram: [bin(1), bin(4), bin(0)] }))).toEqual(
    [0.25, 1, 0]
  );
  expect(barsOf(profile('x', { TopValues: [top(10), top(5)] }))).toEqual([
    1, 0.5
  ]);
  expect(barsOf(profile('x'))).toEqual([]);
});

it('columns are the same by name, type and change', () => {
  const column = { Name: 'a', Type: 'long' as const };
  expect(sameColumns([column], [{ ...column }])).toBe(true);
  expect(sameColumns([column], [{ ...column, Type: 'float' }])).toBe(false);
  expect(sameColumns([column], [{ ...column, Change: 'added' }])).toBe(false);
  expect(sameColumns([column], [])).toBe(false);
});
