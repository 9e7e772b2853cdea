import '../../../../testing/canvas';

import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../../api/request';
import type { Answers } from '../../../../testing/fakeClient';
import type { IFlowChanges, IFlowColumn } from '../../../../api/types/wrangler';
import {
  CHAIN,
  given,
  Held,
  page,
  panelProps,
  readyModel,
  until
} from '../../__tests__/fixtures';
import { GridPanel } from '../gridPanel';
import { TableGrid } from '../tableGrid';

Object.defineProperty(globalThis, 'ResizeObserver', {
  configurable: true,
  value: class {
    observe(): void {}
    disconnect(): void {}
  }
});

// With sizes the grid is drawn, and asks for what is in sight.
for (const name of ['offsetWidth', 'offsetHeight']) {
  Object.defineProperty(HTMLElement.prototype, name, {
    configurable: true,
    get: () => 400
  });
}

const CHANGES: IFlowChanges = {
  CellsChanged: 11,
  RowsAdded: 0,
  RowsRemoved: 22,
  ColumnsAdded: 1,
  ColumnsRemoved: 0
};

async function show(answers: Answers = {}) {
  const made = await readyModel(CHAIN, answers);
  const shown = render(<GridPanel {...panelProps(made)} />);
  return { ...made, ...shown };
}

const grid = (): Promise<HTMLElement> => screen.findByRole('grid');

it('shows the selected table, and says how large it is', async () => {
  const { model, container } = await show();
  const node = await grid();
  await until(() => node.getAttribute('aria-rowcount') === '250');
  expect(node.getAttribute('aria-colcount')).toBe('2');
  expect(node).toHaveProperty('tabIndex', 0);
  expect(model.size).toMatchObject({
    rows: 250,
    columns: 2,
    sampleRows: null
  });
  expect(model.columns?.map(column => column.Name)).toEqual(['id', 'city']);
  expect((await axe(container)).violations).toEqual([]);
});

it('moves by the keys, tells the cell in focus, and selects its column', async () => {
  const { model } = await show();
  const node = await grid();
  await until(() => node.getAttribute('aria-rowcount') === '250');
  act(() => node.focus());
  const press = (key: string, keyCode = 0): void => {
    act(() => {
      node.dispatchEvent(
        new KeyboardEvent('keydown', {
          key,
          keyCode,
          bubbles: true,
          cancelable: true
        })
      );
    });
  };
  press('Home');
  expect(model.selectedColumn).toBe('id');
  press('End');
  expect(model.selectedColumn).toBe('city');
  press('ArrowDown', 40);
  await screen.findByText('city, row 2: city 1');
  const cell = document.getElementById(
    node.getAttribute('aria-activedescendant') ?? ''
  );
  expect(cell?.textContent).toBe('city 1');
  expect(cell?.getAttribute('aria-colindex')).toBe('2');
  expect(cell?.parentElement?.getAttribute('aria-rowindex')).toBe('2');
});

it('lets Tab leave', async () => {
  await show();
  const node = await grid();
  await until(() => node.getAttribute('aria-rowcount') === '250');
  const event = new KeyboardEvent('keydown', {
    key: 'Tab',
    bubbles: true,
    cancelable: true
  });
  act(() => {
    node.dispatchEvent(event);
  });
  expect(event.defaultPrevented).toBe(false);
});

it('says that it is a sample, and that all is being read', async () => {
  const held = new Held<'bottega:PreviewFlow'>();
  const { model } = await show({
    'bottega:PreviewFlow': request =>
      request.Whole
        ? held.answer(request)
        : page(request, 90_000, { Scope: 'sample', SampleRows: 100_000 })
  });
  await screen.findByText('from the first 100,000 rows; reading all…');
  expect(model.size).toMatchObject({ sampleRows: 100_000, isReading: true });
  act(() => held.give(0, page(given(held.requests[0]), 10_000_000)));
  await until(() => model.size?.rows === 10_000_000);
  await until(() => screen.queryByText(/reading all/) === null);
});

it('shows what a step changes when it is asked to, with signs', async () => {
  const { model } = await show({
    'bottega:PreviewFlow': request =>
      page(request, 12, request.Compare ? { Changes: CHANGES } : {})
  });
  await userEvent.click(await screen.findByLabelText('Show changes'));
  expect(model.compare).toBe(true);
  const chips = await screen.findByText('11 cells change');
  expect(chips.textContent).toBe('~ 11 cells change');
  expect(screen.getByText('0 rows added').className).toContain('jp-mod-none');
  expect(screen.getByText('22 rows removed').textContent).toContain('−');
  expect(screen.getByText('1 column added')).toBeTruthy();
});

it('brings what a step changes into sight', async () => {
  const scrolled = jest.spyOn(TableGrid.prototype, 'scrollToColumn');
  const columns: IFlowColumn[] = Array.from({ length: 30 }, (_, index) => ({
    Name: `c${index}`,
    Type: 'long'
  }));
  const { model } = await show({
    'bottega:PreviewFlow': request =>
      page(request, 12, {
        Columns: columns.map((column, index) =>
          request.Compare && index >= 20 && index < 23
            ? { ...column, Change: 'added' }
            : column
        )
      })
  });
  await until(() => model.size?.columns === 30);
  expect(scrolled).not.toHaveBeenCalled();
  await userEvent.click(await screen.findByLabelText('Show changes'));
  await until(() => scrolled.mock.calls.length > 0);
  expect(scrolled.mock.calls).toEqual([[20]]);
  scrolled.mockRestore();
});

it('keeps the old rows until the new ones are there', async () => {
  const held = new Held<'bottega:PreviewFlow'>();
  const { model, container } = await show({
    'bottega:PreviewFlow': request =>
      request.NodeId === 'a' ? held.answer(request) : page(request, 12)
  });
  await until(() => model.size?.rows === 12);
  act(() => model.select('a'));
  await until(() => held.requests.length === 1);
  expect(container.querySelector('.jp-mod-stale')).not.toBeNull();
  expect(model.size?.rows).toBe(12);
  act(() => held.give(0, page(given(held.requests[0]), 7)));
  await until(() => model.size?.rows === 7);
  await until(() => container.querySelector('.jp-mod-stale') === null);
});

it('never shows the rows of a table that was overtaken', async () => {
  const held = new Held<'bottega:PreviewFlow'>();
  const { model } = await show({ 'bottega:PreviewFlow': held.answer });
  act(() => model.select('a'));
  act(() => model.select('b'));
  await until(() => held.requests.length === 3);
  act(() => held.give(2, page(given(held.requests[2]), 5)));
  await until(() => model.size?.rows === 5);
  act(() => held.give(1, page(given(held.requests[1]), 99)));
  await new Promise(resolve => setTimeout(resolve, 0));
  expect(model.size?.rows).toBe(5);
});

it('says why a table cannot be shown, and tries again', async () => {
  let works = false;
  const { model } = await show({
    'bottega:PreviewFlow': request => {
      if (!works) {
        throw new BottegaError('ValidationException', 'No such file.', 400);
      }
      return page(request, 3);
    }
  });
  await screen.findByText('No such file.');
  works = true;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await until(() => model.size?.rows === 3);
  expect(screen.queryByText('No such file.')).toBeNull();
});

it('says that a table has no rows', async () => {
  await show({ 'bottega:PreviewFlow': request => page(request, 0) });
  await screen.findByText('The table has no rows.');
});

it('says that it is not known what the columns hold, beside the table', async () => {
  let works = false;
  const { model, client } = await show({
    'bottega:ProfileFlow': () => {
      if (!works) {
        throw new BottegaError('ValidationException', 'No memory.', 400);
      }
      return { Rows: 1, Scope: 'whole', Profiles: [] };
    }
  });
  await until(() => model.size !== null);
  await screen.findByText('What the columns hold is not known: No memory.');
  const before = client.requests('bottega:ProfileFlow').length;
  works = true;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await until(() => client.requests('bottega:ProfileFlow').length > before);
  await until(() => screen.queryByText(/No memory/) === null);
});

it('goes back to where one looked when a sample was too short for it', async () => {
  const held = new Held<'bottega:PreviewFlow'>();
  const { model } = await show({
    'bottega:PreviewFlow': request =>
      request.NodeId !== 'a'
        ? page(request, 100_000)
        : request.Whole
          ? held.answer(request)
          : page(request, 500, { Scope: 'sample', SampleRows: 500 })
  });
  const node = await grid();
  await until(() => node.getAttribute('aria-rowcount') === '100000');
  act(() => node.focus());
  act(() => {
    node.dispatchEvent(
      new KeyboardEvent('keydown', {
        key: 'End',
        ctrlKey: true,
        bubbles: true,
        cancelable: true
      })
    );
  });
  await screen.findByText('city, row 100,000: city 99999');
  await screen.findByText(/^rows 99,9\d\d–100,000 of 100,000$/);
  act(() => model.select('a'));
  await screen.findByText(/^rows 4\d\d–500 of 500$/);
  await until(() => held.requests.length === 1);
  act(() => held.give(0, page(given(held.requests[0]), 90_000)));
  await screen.findByText(/^rows 89,9\d\d–90,000 of 90,000$/);
});
