import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IFlowStore } from '../model/types';
import { flowName, folderOf } from './paths';

/** A flow in a file of the file browser, over the document's context. */
export class ContextStore implements IFlowStore {
  constructor(
    private readonly _context: DocumentRegistry.IContext<DocumentRegistry.ICodeModel>
  ) {
    _context.model.contentChanged.connect(this._onContent, this);
  }

  get title(): string {
    return PathExt.basename(this._context.localPath);
  }

  get name(): string {
    return flowName(this._context.localPath);
  }

  get key(): string {
    return this._context.path;
  }

  get directory(): string {
    return PathExt.dirname(this._context.localPath);
  }

  get folder(): string {
    return folderOf(PageConfig.getOption('serverRoot'), this.directory);
  }

  get readOnly(): boolean {
    return this._context.contentsModel?.writable === false;
  }

  get changed(): ISignal<ContextStore, string> {
    return this._changed;
  }

  async read(): Promise<string> {
    await this._context.ready;
    this._known = this._context.model.toString();
    return this._known;
  }

  async write(text: string): Promise<void> {
    // What is one's own is no news.
    this._known = text;
    this._context.model.fromString(text);
    await this._context.save();
  }

  dispose(): void {
    this._context.model.contentChanged.disconnect(this._onContent, this);
    Signal.clearData(this);
  }

  private _onContent(): void {
    const text = this._context.model.toString();
    if (this._known !== null && text !== this._known) {
      this._known = text;
      this._changed.emit(text);
    }
  }

  private _changed = new Signal<ContextStore, string>(this);
  /** Null until it has been read. */
  private _known: string | null = null;
}
