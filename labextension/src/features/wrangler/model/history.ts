import type { ITableRef } from './types';

/** A flow as it was, and what was looked at. */
export interface ISnapshot {
  text: string;
  selected: ITableRef | null;
}

/** So many steps back; a text of a large flow has a few hundred kilobytes. */
const KEPT = 200;

/** What was there before each edit, and what an undo took back. */
export class History {
  get canUndo(): boolean {
    return this._past.length > 0;
  }

  get canRedo(): boolean {
    return this._future.length > 0;
  }

  /** An edit has been made; what was taken back before is gone. */
  record(before: ISnapshot): void {
    this._past.push(before);
    if (this._past.length > KEPT) {
      this._past.shift();
    }
    this._future = [];
  }

  /** What to go back to; null when there is nothing. */
  undo(present: ISnapshot): ISnapshot | null {
    const found = this._past.pop() ?? null;
    if (found) {
      this._future.push(present);
    }
    return found;
  }

  /** What to go forward to; null when there is nothing. */
  redo(present: ISnapshot): ISnapshot | null {
    const found = this._future.pop() ?? null;
    if (found) {
      this._past.push(present);
    }
    return found;
  }

  private _future: ISnapshot[] = [];
  private _past: ISnapshot[] = [];
}
