import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** Matches are asked for at most so many at once. */
export const MATCHES = 10_000;

/**
 * Finds lines.
 *
 * @param first the line to begin with.
 */
export type LogFinder = (
  text: string,
  first: number,
  limit: number,
  signal: AbortSignal
) => Promise<{ lines: number[]; complete: boolean }>;

/** The lines of a log that have a text, also of one that grows. */
export class LogSearch {
  constructor(private readonly _find: LogFinder) {}

  /** Emitted whenever the matches, or what is known of them, change. */
  get changed(): ISignal<LogSearch, void> {
    return this._changed;
  }

  /** What is looked for; nothing when empty. */
  get text(): string {
    return this._text;
  }

  /** The numbers of the lines found so far, in order. */
  get matches(): readonly number[] {
    return this._matches;
  }

  /** Whether there are no further matches. */
  get complete(): boolean {
    return this._complete;
  }

  get busy(): boolean {
    return this._busy;
  }

  get problem(): Error | null {
    return this._problem;
  }

  /**
   * Look for another text.
   *
   * @param total how many lines the log has.
   */
  async setText(text: string, total: number): Promise<void> {
    this._abort.abort();
    this._abort = new AbortController();
    this._text = text;
    this._matches = [];
    this._complete = text === '';
    this._busy = false;
    this._problem = null;
    this._next = 0;
    if (text) {
      await this._read(total);
    } else {
      this._changed.emit();
    }
  }

  /** Look through what the log has grown by. */
  async extend(total: number): Promise<void> {
    if (this._text && this._complete && !this._busy && total > this._next) {
      await this._read(total);
    }
  }

  /** The match after a line, the first one after the last. */
  async after(line: number, total: number): Promise<number | null> {
    let found = this._matches.find(match => match > line);
    if (found === undefined && !this._complete && !this._busy) {
      await this._read(total);
      found = this._matches.find(match => match > line);
    }
    return found ?? this._matches[0] ?? null;
  }

  /** The match before a line, the last known one before the first. */
  before(line: number): number | null {
    const { _matches: matches } = this;
    for (let index = matches.length - 1; index >= 0; index -= 1) {
      const match = matches[index];
      if (match !== undefined && match < line) {
        return match;
      }
    }
    return matches[matches.length - 1] ?? null;
  }

  dispose(): void {
    this._abort.abort();
    Signal.clearData(this);
  }

  private async _read(total: number): Promise<void> {
    const { signal } = this._abort;
    this._busy = true;
    this._changed.emit();
    try {
      const found = await this._find(this._text, this._next, MATCHES, signal);
      if (signal.aborted) {
        return;
      }
      const last = this._matches[this._matches.length - 1] ?? -1;
      this._matches = [
        ...this._matches,
        ...found.lines.filter(line => line > last)
      ];
      this._complete = found.complete;
      // A growing log may have been looked through further than to `total`; that is known only of
      // the lines that were there before.
      const reached = this._matches[this._matches.length - 1] ?? -1;
      this._next = found.complete ? total : reached + 1;
      this._problem = null;
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this._problem = error instanceof Error ? error : new Error(String(error));
    }
    this._busy = false;
    this._changed.emit();
  }

  private _abort = new AbortController();
  private _busy = false;
  private readonly _changed = new Signal<LogSearch, void>(this);
  private _complete = true;
  private _matches: number[] = [];
  private _next = 0;
  private _problem: Error | null = null;
  private _text = '';
}
