import type { TranslationBundle } from '@jupyterlab/translation';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { KeyboardEvent, ReactNode } from 'react';
import { useEffect, useRef, useState } from 'react';

import { Failure, Skeleton } from '../components/states';
import type { WindowedRows } from './windowedRows';

const ROW_HEIGHT = 32;
const HEADER_HEIGHT = 32;
const NARROWEST = 48;
const KEY_STEP = 16;

/** One column of a table. */
export interface IColumn<T> {
  id: string;
  label: string;
  /** In pixels, until the user drags the border. */
  width: number;
  align?: 'start' | 'end';
  /** The sort key of the server; a column without one cannot be sorted. */
  sortKey?: string;
  render: (row: T) => ReactNode;
}

/** How a table is sorted. */
export interface ISorting {
  key: string;
  descending: boolean;
}

interface ITableProps<T> {
  rows: WindowedRows<T>;
  columns: ReadonlyArray<IColumn<T>>;
  /** Names the table for a screen reader. */
  label: string;
  trans: TranslationBundle;
  rowKey: (row: T) => string;
  sorting: ISorting;
  onSort: (sorting: ISorting) => void;
  /** Enter, or a click on the row. */
  onOpen?: (row: T) => void;
  /** Rows that can be chosen have a box in front. */
  chosen?: ReadonlySet<string>;
  onChoose?: (key: string, row: T, chosen: boolean) => void;
  /** What could not be done, for the failure. */
  failure: string;
  /** Shown where there are no rows at all. */
  empty: ReactNode;
  /** How many columns stay in sight at the left when the table is scrolled sideways. */
  pinned?: number;
}

/**
 * A table of any length: only the rows in sight exist, and they are read as they come into sight.
 *
 * It is a grid as WAI-ARIA has it: arrows, Page Up and Down, Home and End move the focus from row
 * to row, Enter opens, Space chooses; a column's border is dragged, or moved by the arrows.
 */
export function Table<T>(props: ITableProps<T>): JSX.Element {
  const { rows, columns, trans, sorting } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(0);
  const [widths, setWidths] = useState<Readonly<Record<string, number>>>({});
  const total = rows.total ?? 0;
  const selectable = props.onChoose !== undefined;

  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    scrollPaddingStart: HEADER_HEIGHT
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items[items.length - 1]?.index ?? 0;
  useEffect(() => rows.want(first, last), [rows, first, last]);
  useEffect(() => {
    // Another list begins at its top.
    scroller.current?.scrollTo({ top: 0 });
    setFocused(0);
  }, [rows]);

  if (rows.total === null) {
    return rows.problem ? (
      <Failure
        error={rows.problem}
        trans={trans}
        what={props.failure}
        retry={() => rows.refresh()}
      />
    ) : (
      <Skeleton trans={trans} rows={12} />
    );
  }
  if (total === 0) {
    return <>{props.empty}</>;
  }

  const widthOf = (column: IColumn<T>): number =>
    widths[column.id] ?? column.width;
  const template = [
    ...(selectable ? ['32px'] : []),
    ...columns.map((column, index) =>
      index === columns.length - 1
        ? `minmax(${widthOf(column)}px, 1fr)`
        : `${widthOf(column)}px`
    )
  ].join(' ');
  const offsets = columns.map(
    (_, index) =>
      (selectable ? 32 : 0) +
      columns.slice(0, index).reduce((sum, column) => sum + widthOf(column), 0)
  );
  const pin = (index: number): { className: string; style: object } =>
    index < (props.pinned ?? 0)
      ? {
          className: ' jp-mod-pinned',
          style: { left: `${offsets[index] ?? 0}px` }
        }
      : { className: '', style: {} };
  // The boxes stay with the columns that stay.
  const boxPin = props.pinned ? ' jp-mod-pinned jp-mod-first' : '';

  const focusRow = (index: number): void => {
    const wanted = Math.max(0, Math.min(total - 1, index));
    setFocused(wanted);
    virtual.scrollToIndex(wanted);
    requestAnimationFrame(() => {
      scroller.current
        ?.querySelector<HTMLElement>(`[data-index="${wanted}"]`)
        ?.focus();
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    const index = Number(target.dataset['index'] ?? NaN);
    if (Number.isNaN(index)) {
      return;
    }
    const page = Math.max(1, items.length - 10);
    const steps: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: total - 1
    };
    const next = steps[event.key];
    const row = rows.row(index);
    if (next !== undefined) {
      event.preventDefault();
      focusRow(next);
    } else if (event.key === 'Enter' && row) {
      event.preventDefault();
      props.onOpen?.(row);
    } else if (event.key === ' ' && row && props.onChoose) {
      event.preventDefault();
      const key = props.rowKey(row);
      props.onChoose(key, row, !props.chosen?.has(key));
    }
  };

  const active = focused >= first && focused <= last ? focused : first;
  return (
    <div
      className="jp-BottegaTable"
      role="grid"
      aria-label={props.label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length + (selectable ? 1 : 0)}
      aria-multiselectable={selectable}
      ref={scroller}
      onKeyDown={onKeyDown}
      data-total={total}
    >
      <div
        className="jp-BottegaTable-header"
        role="row"
        aria-rowindex={1}
        style={{ gridTemplateColumns: template }}
      >
        {selectable && (
          <span
            role="columnheader"
            className={`jp-BottegaTable-heading${boxPin}`}
          >
            <span className="jp-Bottega-hidden">{trans.__('Chosen')}</span>
          </span>
        )}
        {columns.map((column, index) => (
          <Heading
            key={column.id}
            column={column}
            sorting={sorting}
            onSort={props.onSort}
            width={widthOf(column)}
            trans={trans}
            pin={pin(index)}
            onWidth={width =>
              setWidths(present => ({
                ...present,
                [column.id]: Math.max(NARROWEST, width)
              }))
            }
          />
        ))}
      </div>
      <div
        className="jp-BottegaTable-body"
        role="rowgroup"
        style={{ height: `${virtual.getTotalSize()}px` }}
      >
        {items.map(item => {
          const row = rows.row(item.index);
          const key = row ? props.rowKey(row) : '';
          const chosen = props.chosen?.has(key) ?? false;
          return (
            <div
              key={item.index}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={selectable ? chosen : undefined}
              aria-busy={!row}
              data-index={item.index}
              data-key={key}
              tabIndex={item.index === active ? 0 : -1}
              className={`jp-BottegaTable-row${props.onOpen ? ' jp-mod-opens' : ''}`}
              style={{
                gridTemplateColumns: template,
                transform: `translateY(${item.start}px)`
              }}
              onFocus={() => setFocused(item.index)}
              onClick={() => row && props.onOpen?.(row)}
            >
              {selectable && (
                <span
                  role="gridcell"
                  className={`jp-BottegaTable-cell${boxPin}`}
                  onClick={event => event.stopPropagation()}
                >
                  {row && (
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      checked={chosen}
                      aria-label={trans.__('Choose %1', key)}
                      onChange={event =>
                        props.onChoose?.(key, row, event.target.checked)
                      }
                    />
                  )}
                </span>
              )}
              {columns.map((column, index) => (
                <span
                  key={column.id}
                  role="gridcell"
                  className={`jp-BottegaTable-cell jp-mod-${column.align ?? 'start'}${pin(index).className}`}
                  style={pin(index).style}
                >
                  {row ? column.render(row) : null}
                </span>
              ))}
            </div>
          );
        })}
      </div>
      {rows.problem && (
        <div className="jp-BottegaTable-problem" role="alert">
          {rows.problem.message}
          <button
            type="button"
            className="jp-BottegaButton jp-mod-small"
            onClick={() => rows.refresh()}
          >
            {trans.__('Try again')}
          </button>
        </div>
      )}
    </div>
  );
}

/** A column's heading: sorts by a click, and is as wide as its border is dragged. */
function Heading<T>(props: {
  column: IColumn<T>;
  sorting: ISorting;
  onSort: (sorting: ISorting) => void;
  width: number;
  onWidth: (width: number) => void;
  trans: TranslationBundle;
  pin: { className: string; style: object };
}): JSX.Element {
  const { column, sorting, trans } = props;
  const key = column.sortKey;
  const sorted = key !== undefined && sorting.key === key;
  const direction = sorting.descending ? 'descending' : 'ascending';
  const drag = useRef<{ x: number; width: number } | null>(null);
  return (
    <span
      role="columnheader"
      aria-sort={sorted ? direction : key === undefined ? undefined : 'none'}
      className={`jp-BottegaTable-heading jp-mod-${column.align ?? 'start'}${props.pin.className}`}
      style={props.pin.style}
    >
      {key === undefined ? (
        column.label
      ) : (
        <button
          type="button"
          className="jp-BottegaTable-sort"
          onClick={() =>
            props.onSort({
              key,
              descending: sorted ? !sorting.descending : true
            })
          }
        >
          {column.label}
          {sorted && (
            <span aria-hidden="true">{sorting.descending ? ' ↓' : ' ↑'}</span>
          )}
        </button>
      )}
      <span
        role="separator"
        aria-orientation="vertical"
        aria-label={trans.__('Width of %1', column.label)}
        aria-valuenow={Math.round(props.width)}
        aria-valuemin={NARROWEST}
        tabIndex={0}
        className="jp-BottegaTable-border"
        onPointerDown={event => {
          drag.current = { x: event.clientX, width: props.width };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={event => {
          if (drag.current) {
            props.onWidth(drag.current.width + event.clientX - drag.current.x);
          }
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
        onKeyDown={event => {
          const step = { ArrowLeft: -KEY_STEP, ArrowRight: KEY_STEP }[
            event.key
          ];
          if (step !== undefined) {
            event.preventDefault();
            props.onWidth(props.width + step);
          }
        }}
      />
    </span>
  );
}
