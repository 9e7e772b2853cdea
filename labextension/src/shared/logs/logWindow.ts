import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** Lines are asked for, kept and forgotten in pages of this size. */
export const PAGE_LINES = 500;

/** Pages kept; beyond it those that were not looked at for longest are forgotten. */
export const KEPT_PAGES = 24;

/** One line of a log. */
export interface ILogLine {
  /** Counted from 0. */
  number: number;
  /** Seconds since the epoch. */
  time: number;
  message: string;
}

/**
 * Reads lines of a log.
 *
 * @param first the number of the first line; null for the last lines.
 * @param count lines at most. Fewer may come, from the first on.
 */
export type LogReader = (
  first: number | null,
  count: number,
  signal: AbortSignal
) => Promise<{ lines: ILogLine[]; total: number }>;

/**
 * A log that only the server has whole, however long it is: the lines that are looked at are here.
 *
 * A page holds its first lines, as many as are known: the last page of a growing log fills up, and
 * a page of very long lines comes in several answers.
 */
export class LogWindow {
  constructor(private readonly _read: LogReader) {}

  /** Emitted whenever lines, total or problem change. */
  get changed(): ISignal<LogWindow, void> {
    return this._changed;
  }

  /** How many lines the log has; null before the first answer. */
  get total(): number | null {
    return this._total;
  }

  /** Why the last attempt to read failed; the next {@link poll} tries again. */
  get problem(): Error | null {
    return this._problem;
  }

  /** How many lines are in memory. */
  get held(): number {
    let held = 0;
    for (const lines of this._pages.values()) {
      held += lines.length;
    }
    return held;
  }

  /** A line; undefined while it is on its way. */
  line(number: number): ILogLine | undefined {
    return this._pages.get(Math.floor(number / PAGE_LINES))?.[
      number % PAGE_LINES
    ];
  }

  /** Say which lines are looked at; what is missing of them is read. */
  want(first: number, last: number): void {
    const from = Math.max(0, Math.floor(first / PAGE_LINES));
    const to = Math.max(from, Math.floor(last / PAGE_LINES));
    this._wanted = [from, to];
    if (this._total === null) {
      return;
    }
    for (let page = from; page <= to; page += 1) {
      const known = this._pages.get(page);
      if (known) {
        this._pages.delete(page); // to the end: used last
        this._pages.set(page, known);
      }
      const start = page * PAGE_LINES;
      const whole = Math.min(PAGE_LINES, this._total - start);
      if ((known?.length ?? 0) < whole && !this._reading.has(page)) {
        void this._fill(page, start + (known?.length ?? 0));
      }
    }
  }

  /** Look whether the log has grown. */
  async poll(): Promise<void> {
    if (this._polling) {
      return;
    }
    this._polling = true;
    // From the second last page on, so that a view at the end needs nothing more.
    const count = this._total === null ? 2 * PAGE_LINES : PAGE_LINES;
    await this._take(this._total, count);
    this._polling = false;
    this._again();
  }

  dispose(): void {
    this._abort.abort();
    Signal.clearData(this);
  }

  private async _fill(page: number, first: number): Promise<void> {
    this._reading.add(page);
    const found = await this._take(first, (page + 1) * PAGE_LINES - first);
    this._reading.delete(page);
    // Without any line the page would be asked for again and again: that is left to a poll.
    if (found > 0) {
      this._again();
    }
  }

  private _again(): void {
    if (!this._abort.signal.aborted && !this._problem && this._wanted) {
      const [from, to] = this._wanted;
      this.want(from * PAGE_LINES, to * PAGE_LINES);
    }
  }

  /** Read lines and keep them; returns how many came. */
  private async _take(first: number | null, count: number): Promise<number> {
    const { signal } = this._abort;
    try {
      const { lines, total } = await this._read(first, count, signal);
      if (signal.aborted) {
        return 0;
      }
      const news =
        lines.length > 0 || total !== this._total || this._problem !== null;
      if (total < (this._total ?? 0)) {
        this._pages.clear(); // another log of the same name
      }
      this._total = total;
      this._problem = null;
      this._keep(lines);
      if (news) {
        this._changed.emit();
      }
      return lines.length;
    } catch (error) {
      if (!signal.aborted) {
        this._problem =
          error instanceof Error ? error : new Error(String(error));
        this._changed.emit();
      }
      return 0;
    }
  }

  private _keep(lines: readonly ILogLine[]): void {
    let index = 0;
    while (index < lines.length) {
      const number = lines[index]?.number ?? 0;
      const page = Math.floor(number / PAGE_LINES);
      const offset = number % PAGE_LINES;
      const part = lines.slice(index, index + PAGE_LINES - offset);
      index += part.length;
      const known = this._pages.get(page) ?? [];
      const reaches = offset + part.length > known.length;
      if (offset <= known.length && reaches) {
        this._pages.delete(page);
        this._pages.set(page, [...known.slice(0, offset), ...part]);
      }
    }
    const [from, to] = this._wanted ?? [0, 0];
    for (const page of this._pages.keys()) {
      if (this._pages.size <= KEPT_PAGES) {
        return;
      }
      if (page < from || page > to) {
        this._pages.delete(page);
      }
    }
  }

  private readonly _abort = new AbortController();
  private readonly _changed = new Signal<LogWindow, void>(this);
  private readonly _pages = new Map<number, ILogLine[]>();
  private _polling = false;
  private _problem: Error | null = null;
  private readonly _reading = new Set<number>();
  private _total: number | null = null;
  private _wanted: [number, number] | null = null;
}
