import { LETTER_WIDTH, RecordedContext } from '../../../../testing/canvas';

import type { CellRenderer } from '@lumino/datagrid';
import { GraphicsContext } from '@lumino/datagrid';

import { trans } from '../../../../testing/fakeClient';
import { profile } from '../../__tests__/fixtures';
import { BodyRenderer, RowHeaderRenderer } from '../cellRenderers';
import type { IGridTheme } from '../gridTheme';
import { HeaderRenderer } from '../headerRenderer';
import type { IBodyCell, IHeaderCell } from '../tableModel';
import { LOADING } from '../tableModel';

/** Every colour is its own name. */
const THEME = new Proxy({} as IGridTheme, {
  get: (_, name) => String(name)
});

const BODY: IBodyCell = {
  type: 'string',
  change: '',
  before: undefined,
  isSelectedColumn: false
};

function draw(
  renderer: CellRenderer,
  value: unknown,
  metadata: object,
  width = 200
): RecordedContext {
  const context = new RecordedContext();
  renderer.paint(
    new GraphicsContext(context as unknown as CanvasRenderingContext2D),
    {
      x: 0,
      y: 0,
      width,
      height: 24,
      region: 'body',
      row: 3,
      column: 1,
      value,
      metadata: metadata as Record<string, unknown>
    }
  );
  return context;
}

const body = new BodyRenderer(() => THEME, trans);
const header = new HeaderRenderer(() => THEME, trans);
const texts = (context: RecordedContext): string[] =>
  context.texts.map(drawn => drawn.text);

it('draws texts at the left and numbers at the right', () => {
  expect(draw(body, 'Rome', BODY).texts).toMatchObject([
    { text: 'Rome', x: 8, fill: 'text', font: 'font' }
  ]);
  expect(draw(body, 39, { ...BODY, type: 'float' }).texts).toMatchObject([
    { text: '39.0', x: 200 - 8 - 4 * LETTER_WIDTH }
  ]);
});

it('draws what is missing as missing, not as an empty text', () => {
  expect(draw(body, null, BODY).texts).toMatchObject([
    { text: 'missing', font: 'italicFont', fill: 'muted' }
  ]);
  expect(texts(draw(body, '', BODY))).toEqual(['']);
});

it('draws what is on its way as a bar', () => {
  const context = draw(body, LOADING, BODY);
  expect(context.texts).toEqual([]);
  expect(context.boxes).toMatchObject([{ fill: 'skeleton' }]);
});

it('cuts what does not fit', () => {
  expect(texts(draw(body, 'abcdefghijkl', BODY, 58))).toEqual(['abcde…']);
  expect(texts(draw(body, 'abc', BODY, 10))).toEqual(['']);
});

it('draws a change in its colour, with a sign and the former value struck out', () => {
  const context = draw(body, 'Rome', {
    ...BODY,
    change: 'changed',
    before: 'rome '
  });
  expect(context.boxes[0]?.fill).toBe('changed');
  expect(texts(context)).toEqual(['~', 'rome ', 'Rome']);
  const strike = context.boxes[1];
  expect(strike).toMatchObject({ height: 1, width: 5 * LETTER_WIDTH });
  expect(context.texts[2]?.x).toBeGreaterThan(
    (strike?.x ?? 0) + (strike?.width ?? 0)
  );
});

it('draws a former number before the new one, which stays at the right', () => {
  const context = draw(body, 2, {
    ...BODY,
    type: 'long',
    change: 'changed',
    before: null
  });
  expect(texts(context)).toEqual(['~', 'missing', '2']);
  expect(context.texts[2]?.x).toBe(200 - 8 - LETTER_WIDTH);
});

it('leaves the former value out where there is no room for it', () => {
  const metadata = { ...BODY, change: 'changed', before: 'rome' };
  expect(texts(draw(body, 'Rome', metadata, 60))).toEqual(['~', 'Rome']);
});

it('draws what is removed struck out', () => {
  const context = draw(body, 'Rome', { ...BODY, change: 'removed' });
  expect(texts(context)).toEqual(['−', 'Rome']);
  expect(context.boxes).toMatchObject([
    { fill: 'removed' },
    { height: 1, width: 4 * LETTER_WIDTH }
  ]);
});

it('tints the column that is selected', () => {
  const context = draw(body, 'x', { ...BODY, isSelectedColumn: true });
  expect(context.boxes).toMatchObject([{ fill: 'selected' }]);
});

it('numbers rows, with what became of them', () => {
  const rows = new RowHeaderRenderer(() => THEME);
  expect(draw(rows, 4, { change: '' }).texts).toMatchObject([
    { text: '4', fill: 'muted' }
  ]);
  const added = draw(rows, '+ 4', { change: 'added' });
  expect(added.texts).toMatchObject([{ text: '+ 4', fill: 'addedText' }]);
  expect(added.boxes).toMatchObject([{ fill: 'added' }]);
});

describe('the head of a column', () => {
  const cell = (more: Partial<IHeaderCell> = {}): IHeaderCell => ({
    column: { Name: 'monthly_charges', Type: 'float' },
    profile: null,
    rows: 0,
    isSelectedColumn: false,
    ...more
  });

  it('has type and name, and bars where facts will come', () => {
    const context = draw(header, '', cell());
    expect(texts(context)).toEqual(['1.2', 'monthly_charges']);
    expect(context.boxes.map(box => box.fill)).toEqual([
      'skeleton',
      'skeleton'
    ]);
  });

  it('has a chart, the share that is missing, and the range', () => {
    const context = draw(
      header,
      '',
      cell({
        profile: profile('monthly_charges', {
          Minimum: 18.3,
          Maximum: 118.8,
          Histogram: [
            { From: {}, To: {}, Count: 2 },
            { From: {}, To: {}, Count: 1 },
            { From: {}, To: {}, Count: 0 }
          ]
        } as unknown as object)
      })
    );
    expect(texts(context).slice(2)).toEqual(['0.4% missing', '18.3 – 118.8']);
    const bars = context.boxes.filter(box => box.fill === 'bars');
    expect(bars.map(bar => bar.height)).toEqual([28, 14, 0]);
    const missing = context.boxes.find(box => box.fill === 'missing');
    expect(missing?.width).toBe(2);
  });

  it('says what is invalid, and how many values there are', () => {
    const context = draw(
      header,
      '',
      cell({
        profile: profile('city', {
          Type: 'string',
          Missing: 0,
          Invalid: 500,
          DistinctExact: false
        })
      })
    );
    expect(texts(context).slice(2)).toEqual([
      '0% missing · 50% invalid',
      'about 900 distinct'
    ]);
  });

  it('has the sign of what becomes of the column', () => {
    const column = { Name: 'a', Type: 'long' as const };
    expect(
      texts(draw(header, '', cell({ column: { ...column, Change: 'added' } })))
    ).toEqual(['+', '123', 'a']);
    const removed = draw(
      header,
      '',
      cell({ column: { ...column, Change: 'removed' } })
    );
    expect(texts(removed)[0]).toBe('−');
    expect(removed.boxes).toEqual([]);
  });

  it('shows that it is selected', () => {
    const context = draw(header, '', cell({ isSelectedColumn: true }));
    expect(context.boxes.map(box => box.fill)).toContain('accent');
  });
});
