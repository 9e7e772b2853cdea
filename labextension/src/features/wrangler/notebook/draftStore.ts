import { PageConfig } from '@jupyterlab/coreutils';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IEventBatch, IEventStream } from '../../../api/events';
import type { IBottegaClient } from '../../../tokens';
import { flowName, folderOf } from '../document/paths';
import type { IFlowStore } from '../model/types';

/** Of the resources that keep drafts, as events name them. */
const KIND = 'DraftFlow';

/** The flow of a table that a notebook shows: kept by the studio, in no file. */
export class DraftStore implements IFlowStore {
  /**
   * @param draftId as the kernel was told it.
   * @param title what the table is called.
   */
  constructor(
    private readonly _client: Pick<IBottegaClient, 'call' | 'events'>,
    readonly draftId: string,
    readonly title: string
  ) {
    _client.events.received.connect(this._onEvents, this);
  }

  readonly readOnly = false;
  /** Exports are written where the file browser begins. */
  readonly directory = '';

  get name(): string {
    return flowName(this.title);
  }

  get key(): string {
    return `draft:${this.draftId}`;
  }

  get folder(): string {
    return folderOf(PageConfig.getOption('serverRoot'), this.directory);
  }

  /** Emitted when the kernel, or another view of the same draft, has changed the flow. */
  get changed(): ISignal<DraftStore, string> {
    return this._changed;
  }

  async read(): Promise<string> {
    const { Flow: flow } = await this._client.call('bottega:GetDraftFlow', {
      DraftId: this.draftId
    });
    this._known = flow;
    return flow;
  }

  async write(text: string): Promise<void> {
    // What is one's own is no news.
    this._known = text;
    await this._client.call('bottega:PutDraftFlow', {
      DraftId: this.draftId,
      Flow: text
    });
  }

  dispose(): void {
    this._isDisposed = true;
    this._client.events.received.disconnect(this._onEvents, this);
    Signal.clearData(this);
  }

  private _onEvents(_: IEventStream, batch: IEventBatch): void {
    const concerned =
      batch.reset ||
      batch.events.some(
        event => event.Kind === KIND && event.Name === this.draftId
      );
    if (concerned && this._known !== null) {
      void this._look();
    }
  }

  private async _look(): Promise<void> {
    const before = this._known;
    let flow: string;
    try {
      ({ Flow: flow } = await this._client.call('bottega:GetDraftFlow', {
        DraftId: this.draftId
      }));
    } catch {
      // Whoever goes on working with it is told when it cannot be kept.
      return;
    }
    // A text of one's own may have been kept meanwhile; then an event of its own follows.
    if (!this._isDisposed && this._known === before && flow !== before) {
      this._known = flow;
      this._changed.emit(flow);
    }
  }

  private _changed = new Signal<DraftStore, string>(this);
  private _isDisposed = false;
  /** Null until it has been read. */
  private _known: string | null = null;
}
