import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { asError } from '../../../shared/asError';
import type { SaveState } from './types';

/**
 * Writes texts one after the other; of those that came while one was being written, the last.
 */
export class Saver {
  constructor(private readonly _write: (text: string) => Promise<void>) {}

  get state(): SaveState {
    return this._state;
  }

  get changed(): ISignal<Saver, SaveState> {
    return this._changed;
  }

  /** Resolves when this text or a later one is kept, or could not be: see {@link state}. */
  save(text: string): Promise<void> {
    this._next = text;
    this._running ??= this._run();
    return this._running;
  }

  /** Try again what could not be kept. */
  async retry(): Promise<void> {
    if (this._state.state === 'failed' && this._failed !== null) {
      await this.save(this._failed);
    }
  }

  private async _run(): Promise<void> {
    let state: SaveState = { state: 'saved' };
    this._set({ state: 'saving' });
    while (this._next !== null) {
      const text = this._next;
      this._next = null;
      try {
        await this._write(text);
        this._failed = null;
        state = { state: 'saved' };
      } catch (error) {
        this._failed = text;
        state = { state: 'failed', error: asError(error) };
      }
    }
    this._running = null;
    this._set(state);
  }

  private _set(state: SaveState): void {
    this._state = state;
    this._changed.emit(state);
  }

  private _changed = new Signal<Saver, SaveState>(this);
  private _failed: string | null = null;
  private _next: string | null = null;
  private _running: Promise<void> | null = null;
  private _state: SaveState = { state: 'saved' };
}
