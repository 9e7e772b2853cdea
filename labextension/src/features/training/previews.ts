import type { IDisposable } from '@lumino/disposable';

import { BottegaError } from '../../api/request';
import type { IBottegaClient } from '../../tokens';
import type { Source } from './draft';
import type { IFiles } from './files';
import type { Preview, Previews } from './findings';
import { readPreview } from './input';

/** What is typed counts a moment after the last key. */
const TYPING_MS = 350;

/** What is known of the data of each channel: of the source that was chosen last. */
export class ChannelPreviews implements IDisposable {
  constructor(
    private readonly _options: {
      client: IBottegaClient;
      /** The files of the file browser, of which folders are looked at. */
      files: Pick<IFiles, 'folder'>;
      /** Called when data has been looked at. */
      onLooked: (channel: string, source: Source, preview: Preview) => void;
    }
  ) {}

  /** By channel. */
  get all(): Previews {
    return this._previews;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.clear();
  }

  /** Forget all of them. */
  clear(): void {
    Object.values(this._timers).forEach(clearTimeout);
    this._sources = {};
    this._previews = {};
  }

  /** Look, a moment later, at what was chosen for a channel; null for nothing. */
  look(channel: string, source: Source | null): void {
    clearTimeout(this._timers[channel]);
    this._sources[channel] = source;
    this._put(channel, { state: source ? 'loading' : 'none' });
    if (source) {
      this._timers[channel] = setTimeout(
        () => void this._load(channel, source),
        TYPING_MS
      );
    }
  }

  private async _load(channel: string, source: Source): Promise<void> {
    const preview = await this._read(source);
    // Another may have been chosen meanwhile.
    if (this._sources[channel] === source && !this._isDisposed) {
      this._put(channel, preview);
      this._options.onLooked(channel, source, preview);
    }
  }

  private async _read(source: Source): Promise<Preview> {
    const { client } = this._options;
    try {
      return { state: 'ready', data: await readPreview(client, source) };
    } catch (reason) {
      const error =
        reason instanceof Error ? reason : new Error(String(reason));
      const folder = await this._folder(source, error);
      return folder ?? { state: 'error', error };
    }
  }

  /** The folder that a path names, where that is why it has no rows. */
  private async _folder(source: Source, error: Error): Promise<Preview | null> {
    const isMissing =
      error instanceof BottegaError && error.code === 'NoSuchFile';
    if (source.kind !== 'file' || isMissing) {
      return null;
    }
    try {
      const folder = await this._options.files.folder(source.path);
      return folder && { state: 'folder', folder };
    } catch {
      // Why the path cannot be read is said by the first error.
      return null;
    }
  }

  private _put(channel: string, preview: Preview): void {
    this._previews = { ...this._previews, [channel]: preview };
  }

  private _isDisposed = false;
  private _previews: Previews = {};
  private _sources: Partial<Record<string, Source | null>> = {};
  private readonly _timers: Partial<
    Record<string, ReturnType<typeof setTimeout>>
  > = {};
}
