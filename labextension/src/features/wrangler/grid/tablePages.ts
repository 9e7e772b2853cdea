import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  IFlowChanges,
  IFlowColumn,
  IPreviewFlowResponse
} from '../../../api/types/wrangler';
import type { IBottegaClient } from '../../../tokens';
import { asError } from '../../../shared/asError';
import type { IShownTable } from '../model/types';
import type { Cell } from './cells';
import { cellsOf } from './cells';

/** Rows of a page; of wide tables a page has fewer, all of them divide this. */
const PAGE_ROWS = 100;

/** A page has at most about so many cells. */
const PAGE_CELLS = 20_000;

/** Pages kept; beyond it those that were not looked at for longest are forgotten. */
const KEPT_PAGES = 60;

/** Requests at a time; browsers allow few to one server, and others need some. */
const AT_ONCE = 2;

/** One row of the table. */
export interface IRow {
  cells: readonly Cell[];
  /** added, removed, changed or empty. */
  change: string;
  /** Former cells of those that changed, by column. */
  before: Readonly<Record<string, unknown>> | null;
}

/** What is known of the table as a whole. */
export interface ITableFacts {
  columns: readonly IFlowColumn[];
  /** Null while it is not known. */
  total: number | null;
  /** How many rows of each source the table comes from; null: all. */
  sampleRows: number | null;
  changes: IFlowChanges | null;
}

/**
 * The rows of one table of a flow that are looked at.
 *
 * What comes of a sample is shown first; meanwhile the whole data is asked for, and replaces it.
 */
export class TablePages {
  /** @param at the row to begin at: one looks there already. */
  constructor(
    private readonly _client: Pick<IBottegaClient, 'call'>,
    readonly table: IShownTable,
    at = 0
  ) {
    this._wanted = [at, at];
    void this._read(Math.floor(at / PAGE_ROWS) * PAGE_ROWS, PAGE_ROWS, false);
  }

  /** Emitted when anything has changed. */
  get changed(): ISignal<TablePages, void> {
    return this._changed;
  }

  /** Null before the first answer. */
  get facts(): ITableFacts | null {
    return this._facts;
  }

  /** How many rows the grid has room for. */
  get rowCount(): number {
    return this._facts?.total ?? this._known;
  }

  /** Why the last page could not be read. */
  get problem(): Error | null {
    return this._problem;
  }

  /** Whether the whole data is being read while a sample is shown. */
  get isReadingWhole(): boolean {
    return this._wholeAbort !== null;
  }

  /** Why the whole data could not be read. */
  get wholeProblem(): Error | null {
    return this._wholeProblem;
  }

  /** The row at a position; undefined while it is on its way. */
  row(index: number): IRow | undefined {
    return this._pages.get(Math.floor(index / this._pageRows))?.[
      index % this._pageRows
    ];
  }

  /** The columns that a step adds, or of which it changes cells in the rows that are here. */
  changedColumns(): number[] {
    const rows = [...this._pages.values()].flat();
    return (this._facts?.columns ?? []).flatMap((column, index) =>
      column.Change === 'added' ||
      column.Change === 'changed' ||
      rows.some(row => row.before && column.Name in row.before)
        ? [index]
        : []
    );
  }

  /** Say which rows are looked at: their pages are read, and the next one in advance. */
  want(first: number, last: number): void {
    const isDown = first >= this._wanted[0];
    this._wanted = [first, last];
    if (!this._facts || this._isDisposed) {
      return;
    }
    const from = Math.floor(first / this._pageRows);
    const to = Math.floor(last / this._pageRows);
    const ahead = isDown ? to + 1 : from - 1;
    for (const [page, abort] of this._reading) {
      if (page < from - 1 || page > to + 1) {
        // Scrolled past: what is in sight now must not wait behind it.
        this._reading.delete(page);
        abort.abort();
      }
    }
    const pages = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    for (const page of [...pages, ahead]) {
      const known = this._pages.get(page);
      if (known) {
        this._pages.delete(page); // to the end: used last
        this._pages.set(page, known);
      } else if (this._isWanting(page)) {
        void this._read(page * this._pageRows, this._pageRows, this._whole);
      }
    }
  }

  /** Ask again what could not be read. */
  retry(): void {
    this._problem = null;
    this._changed.emit();
    if (!this._facts) {
      void this._read(0, PAGE_ROWS, false);
    } else if (this._wholeProblem) {
      void this._readWhole();
    } else {
      this.want(...this._wanted);
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this._wholeAbort?.abort();
    for (const abort of this._reading.values()) {
      abort.abort();
    }
    this._reading.clear();
    Signal.clearData(this);
  }

  private _isWanting(page: number): boolean {
    return (
      page >= 0 &&
      page * this._pageRows < this.rowCount &&
      !this._reading.has(page) &&
      this._reading.size < AT_ONCE &&
      !this._problem
    );
  }

  private async _read(
    offset: number,
    limit: number,
    whole: boolean
  ): Promise<void> {
    const abort = new AbortController();
    const page = Math.floor(offset / limit);
    this._reading.set(page, abort);
    try {
      const answer = await this._ask(offset, limit, whole, abort.signal);
      if (abort.signal.aborted || whole !== this._whole) {
        return;
      }
      this._reading.delete(page);
      this._take(answer, offset);
    } catch (error) {
      if (abort.signal.aborted || whole !== this._whole) {
        return;
      }
      this._reading.delete(page);
      this._problem = asError(error);
    }
    this._changed.emit();
    this.want(...this._wanted);
  }

  /** Read all, beginning with the page that is looked at. */
  private async _readWhole(): Promise<void> {
    const abort = (this._wholeAbort = new AbortController());
    this._wholeProblem = null;
    const offset =
      Math.floor(this._wanted[0] / this._pageRows) * this._pageRows;
    try {
      const answer = await this._ask(
        offset,
        this._pageRows,
        true,
        abort.signal
      );
      if (abort.signal.aborted) {
        return;
      }
      for (const reading of this._reading.values()) {
        reading.abort();
      }
      this._reading.clear();
      this._pages.clear();
      this._known = 0;
      this._whole = true;
      this._problem = null;
      this._wholeAbort = null;
      this._take(answer, offset);
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      this._wholeAbort = null;
      this._wholeProblem = asError(error);
    }
    this._changed.emit();
    this.want(...this._wanted);
  }

  private _ask(
    offset: number,
    limit: number,
    whole: boolean,
    signal: AbortSignal
  ): Promise<IPreviewFlowResponse> {
    return this._client.call(
      'bottega:PreviewFlow',
      {
        ...this.table,
        Offset: offset,
        Limit: limit,
        ...(whole && { Whole: true })
      },
      signal
    );
  }

  private _take(answer: IPreviewFlowResponse, offset: number): void {
    const isFirst = this._facts === null;
    this._facts = {
      columns: answer.Columns,
      total: answer.TotalRows ?? null,
      sampleRows:
        answer.Scope === 'sample' ? (answer.SampleRows ?? null) : null,
      changes: answer.Changes ?? this._facts?.changes ?? null
    };
    if (isFirst) {
      this._pageRows = pageRows(answer.Columns.length);
    }
    const rows = answer.Rows.map((row, index): IRow => {
      const before = answer.Before?.[index];
      return {
        cells: cellsOf(row),
        change: answer.RowChanges?.[index] ?? '',
        before: before && Object.keys(before).length > 0 ? before : null
      };
    });
    for (let start = 0; start < rows.length; start += this._pageRows) {
      this._pages.set(
        (offset + start) / this._pageRows,
        rows.slice(start, start + this._pageRows)
      );
    }
    if (rows.length === 0) {
      // What is not there is not asked for again.
      this._pages.set(Math.floor(offset / this._pageRows), []);
    }
    // Of a table whose length is not known, one page more may be there.
    const isFull = rows.length >= this._pageRows;
    this._known = Math.max(
      this._known,
      offset + rows.length + (isFull ? this._pageRows : 0)
    );
    this._forget();
    if (isFirst && answer.Scope === 'sample') {
      void this._readWhole();
    }
  }

  private _forget(): void {
    for (const page of this._pages.keys()) {
      if (this._pages.size <= KEPT_PAGES) {
        return;
      }
      const first = page * this._pageRows;
      if (
        first + this._pageRows <= this._wanted[0] ||
        first > this._wanted[1]
      ) {
        this._pages.delete(page);
      }
    }
  }

  private _changed = new Signal<TablePages, void>(this);
  private _facts: ITableFacts | null = null;
  private _isDisposed = false;
  private _known = 0;
  private _pageRows = PAGE_ROWS;
  private _pages = new Map<number, IRow[]>();
  private _problem: Error | null = null;
  private _reading = new Map<number, AbortController>();
  private _wanted: [number, number];
  private _whole = false;
  private _wholeAbort: AbortController | null = null;
  private _wholeProblem: Error | null = null;
}

function pageRows(columns: number): number {
  const wanted = PAGE_CELLS / Math.max(1, columns);
  return [100, 50, 25, 20, 10].find(rows => rows <= wanted) ?? 10;
}
