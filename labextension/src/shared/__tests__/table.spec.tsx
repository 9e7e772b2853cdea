import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { trans } from '../../testing/fakeClient';
import type { IColumn, ISorting } from '../table/table';
import { Table } from '../table/table';
import { WindowedRows } from '../table/windowedRows';

interface IRow {
  name: string;
  size: number;
}

const columns: Array<IColumn<IRow>> = [
  {
    id: 'name',
    label: 'Name',
    width: 200,
    sortKey: 'Name',
    render: row => row.name
  },
  {
    id: 'size',
    label: 'Size',
    width: 80,
    align: 'end',
    render: row => row.size
  }
];

function listing(total: number): WindowedRows<IRow> {
  return new WindowedRows(async (offset, limit) => ({
    total,
    rows: Array.from(
      { length: Math.max(0, Math.min(limit, total - offset)) },
      (_, index) => ({ name: `job-${offset + index}`, size: offset + index })
    )
  }));
}

async function shown(
  rows: WindowedRows<IRow>,
  more: {
    onSort?: (sorting: ISorting) => void;
    onOpen?: (row: IRow) => void;
    onChoose?: (key: string, row: IRow, chosen: boolean) => void;
  } = {}
): Promise<HTMLElement> {
  const view = (): JSX.Element => (
    <Table
      rows={rows}
      columns={columns}
      label="Jobs"
      trans={trans}
      rowKey={row => row.name}
      sorting={{ key: 'Name', descending: true }}
      onSort={more.onSort ?? (() => undefined)}
      failure="The jobs cannot be read."
      empty={<p>No jobs yet.</p>}
      {...(more.onOpen ? { onOpen: more.onOpen } : {})}
      {...(more.onChoose
        ? { onChoose: more.onChoose, chosen: new Set(['job-1']) }
        : {})}
    />
  );
  rows.want(0, 0);
  const { container, rerender } = render(view());
  await act(async () => {
    await new Promise(resolve => setTimeout(resolve));
  });
  rerender(view());
  return container;
}

describe('Table', () => {
  it('has only the rows in sight, and says how many there are', async () => {
    await shown(listing(10_000));
    const grid = screen.getByRole('grid', { name: 'Jobs' });
    expect(grid.getAttribute('aria-rowcount')).toBe('10001');
    const rows = screen.getAllByRole('row');
    expect(rows.length).toBeLessThan(40);
    expect(screen.getByText('job-0')).toBeTruthy();
  });

  it('shows what is empty as empty', async () => {
    await shown(listing(0));
    expect(screen.getByText('No jobs yet.')).toBeTruthy();
  });

  it('sorts by a click on a heading that can be sorted by', async () => {
    const onSort = jest.fn();
    await shown(listing(3), { onSort });
    await userEvent.click(screen.getByRole('button', { name: /^Name/ }));
    expect(onSort).toHaveBeenCalledWith({ key: 'Name', descending: false });
    expect(
      screen
        .getByRole('columnheader', { name: /^Name/ })
        .getAttribute('aria-sort')
    ).toBe('descending');
  });

  it('opens with Enter and moves with the arrows', async () => {
    const onOpen = jest.fn();
    const container = await shown(listing(5), { onOpen });
    const first = container.querySelector<HTMLElement>('[data-index="0"]');
    act(() => first?.focus());
    await userEvent.keyboard('{ArrowDown}');
    await act(async () => {
      await new Promise(resolve => requestAnimationFrame(resolve));
    });
    expect(document.activeElement?.getAttribute('data-index')).toBe('1');
    await userEvent.keyboard('{Enter}');
    expect(onOpen).toHaveBeenCalledWith({ name: 'job-1', size: 1 });
  });

  it('chooses with the box and with Space, without opening', async () => {
    const onChoose = jest.fn();
    const onOpen = jest.fn();
    const container = await shown(listing(3), { onChoose, onOpen });
    await userEvent.click(screen.getByLabelText('Choose job-0'));
    expect(onChoose).toHaveBeenCalledWith(
      'job-0',
      { name: 'job-0', size: 0 },
      true
    );
    act(() =>
      container.querySelector<HTMLElement>('[data-index="1"]')?.focus()
    );
    await userEvent.keyboard(' ');
    expect(onChoose).toHaveBeenLastCalledWith(
      'job-1',
      { name: 'job-1', size: 1 },
      false
    );
    expect(onOpen).not.toHaveBeenCalled();
  });

  it('widens a column by the keyboard', async () => {
    const container = await shown(listing(3));
    const border = screen.getByRole('separator', { name: 'Width of Name' });
    act(() => border.focus());
    await userEvent.keyboard('{ArrowRight}');
    const header = container.querySelector<HTMLElement>(
      '.jp-BottegaTable-header'
    );
    expect(header?.style.gridTemplateColumns).toMatch(/^216px /);
  });

  it('says what failed and offers to try again', async () => {
    const rows = new WindowedRows<IRow>(async () => {
      throw new Error('The service is stopping.');
    });
    await shown(rows);
    expect(screen.getByRole('alert').textContent).toMatch(
      /The jobs cannot be read.*The service is stopping/
    );
    expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy();
  });

  it('has nothing that keeps people out', async () => {
    const container = await shown(listing(3), { onChoose: () => undefined });
    expect((await axe(container)).violations).toEqual([]);
  });
});
