import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** Rows are asked for in pages of this size. */
export const PAGE_ROWS = 100;

/** Pages kept; beyond it those that were not looked at for longest are forgotten. */
const KEPT_PAGES = 40;

/** A page of rows, and how many rows there are in all. */
export interface IRowPage<T> {
  rows: T[];
  total: number;
}

/** Reads one page. */
export type PageReader<T> = (
  offset: number,
  limit: number,
  signal: AbortSignal
) => Promise<IRowPage<T>>;

/**
 * The rows of a listing that only the server has whole: those that are looked at are here.
 *
 * Pages come as they are wanted. After {@link refresh} the old rows stay until the new ones are
 * there, so that nothing flickers while a list is live.
 */
export class WindowedRows<T> {
  constructor(private readonly _read: PageReader<T>) {}

  /** Emitted whenever rows, total or problem change. */
  get changed(): ISignal<WindowedRows<T>, void> {
    return this._changed;
  }

  /** How many rows there are; null before the first answer. */
  get total(): number | null {
    return this._total;
  }

  /** Why the last page could not be read. */
  get problem(): Error | null {
    return this._problem;
  }

  /** The row at a position; undefined while it is on its way. */
  row(index: number): T | undefined {
    return this._pages.get(Math.floor(index / PAGE_ROWS))?.rows[
      index % PAGE_ROWS
    ];
  }

  /** Say which rows are looked at; pages that are missing or old are read. */
  want(first: number, last: number): void {
    const from = Math.max(0, Math.floor(first / PAGE_ROWS));
    const to = Math.max(from, Math.floor(last / PAGE_ROWS));
    this._wanted = [from, to];
    for (const [page, abort] of this._reading) {
      // Scrolled past: what is in sight now must not wait behind it.
      if (page < from || page > to) {
        this._reading.delete(page);
        abort.abort();
      }
    }
    for (let page = from; page <= to; page += 1) {
      const known = this._pages.get(page);
      if (known) {
        this._pages.delete(page); // to the end: used last
        this._pages.set(page, known);
      }
      if (known?.generation !== this._generation && !this._reading.has(page)) {
        void this._fetch(page);
      }
    }
  }

  /**
   * Everything may have changed: read what is looked at again, the rest when it is wanted.
   *
   * A page that is on its way comes first, and is read again after that: where changes follow each
   * other faster than answers do, a list must not stay without any.
   */
  refresh(): void {
    this._generation += 1;
    this.want(this._wanted[0] * PAGE_ROWS, this._wanted[1] * PAGE_ROWS);
  }

  dispose(): void {
    for (const abort of this._reading.values()) {
      abort.abort();
    }
    Signal.clearData(this);
  }

  private async _fetch(page: number): Promise<void> {
    const generation = this._generation;
    const abort = new AbortController();
    this._reading.set(page, abort);
    try {
      const found = await this._read(page * PAGE_ROWS, PAGE_ROWS, abort.signal);
      if (abort.signal.aborted) {
        return;
      }
      this._pages.delete(page);
      this._pages.set(page, { rows: found.rows, generation });
      this._total = found.total;
      this._problem = null;
      this._forget();
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      this._problem = error instanceof Error ? error : new Error(String(error));
    }
    this._reading.delete(page);
    this._changed.emit();
    if (generation !== this._generation && !abort.signal.aborted) {
      this.want(this._wanted[0] * PAGE_ROWS, this._wanted[1] * PAGE_ROWS);
    }
  }

  private _forget(): void {
    for (const page of this._pages.keys()) {
      if (this._pages.size <= KEPT_PAGES) {
        return;
      }
      if (page < this._wanted[0] || page > this._wanted[1]) {
        this._pages.delete(page);
      }
    }
  }

  private _changed = new Signal<WindowedRows<T>, void>(this);
  private _generation = 0;
  private _pages = new Map<number, { rows: T[]; generation: number }>();
  private _problem: Error | null = null;
  private _reading = new Map<number, AbortController>();
  private _total: number | null = null;
  private _wanted: [number, number] = [0, 0];
}
