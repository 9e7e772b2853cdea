import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IStudioEvent } from './types/studio';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** What came over the event stream at once. */
export interface IEventBatch {
  events: IStudioEvent[];
  /** Events may be lost: whatever is on screen has to be read again. */
  reset: boolean;
}

/** How the stream is: `connected` means that nothing is missed. */
export type ConnectionStatus = 'connecting' | 'connected' | 'reconnecting';

/** The one subscription to everything that changes in the studio. */
export interface IEventStream {
  readonly status: ConnectionStatus;
  readonly statusChanged: ISignal<IEventStream, ConnectionStatus>;
  readonly received: ISignal<IEventStream, IEventBatch>;
}

interface IMessage {
  events?: IStudioEvent[];
  cursor?: string;
  reset?: boolean;
  status?: 'reconnecting' | 'connected';
}

/**
 * Listens on the server extension's websocket and takes up again where it was cut off.
 *
 * The server names a cursor with every message; a new socket begins behind the last one, so a
 * dropped connection loses nothing, and where the server cannot know that, it says `reset`.
 */
export class EventStream implements IEventStream, IDisposable {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  get status(): ConnectionStatus {
    return this._status;
  }

  get statusChanged(): ISignal<IEventStream, ConnectionStatus> {
    return this._statusChanged;
  }

  get received(): ISignal<IEventStream, IEventBatch> {
    return this._received;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Connect, once. */
  start(): void {
    if (!this._socket && !this._isDisposed) {
      this._connect();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._socket?.close();
    Signal.clearData(this);
  }

  private _connect(): void {
    const settings = this._settings;
    let url = URLExt.join(settings.wsUrl, 'bottega', 'events');
    const query = new URLSearchParams();
    if (this._cursor) {
      query.set('cursor', this._cursor);
    }
    if (settings.appendToken && settings.token) {
      query.set('token', settings.token);
    }
    const text = query.toString();
    url += text ? `?${text}` : '';
    const socket = new settings.WebSocket(url);
    this._socket = socket;
    socket.onmessage = event => this._onMessage(String(event.data));
    // An error is always followed by a close.
    socket.onclose = () => this._onClose();
  }

  private _onMessage(text: string): void {
    const message = JSON.parse(text) as IMessage;
    this._pause = FIRST_PAUSE_MS;
    if (message.status) {
      this._setStatus(message.status);
      return;
    }
    if (message.cursor !== undefined) {
      this._cursor = message.cursor;
    }
    this._setStatus('connected');
    const events = message.events ?? [];
    // Without a cursor nobody can tell what happened while no socket could be had.
    const reset = (message.reset ?? false) || this._isBlind;
    this._isBlind = false;
    if (reset || events.length > 0) {
      this._received.emit({ events, reset });
    }
  }

  private _onClose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isBlind ||= this._cursor === '';
    this._setStatus('reconnecting');
    this._timer = setTimeout(() => this._connect(), this._pause);
    this._pause = Math.min(this._pause * 2, LONGEST_PAUSE_MS);
  }

  private _setStatus(status: ConnectionStatus): void {
    if (status !== this._status) {
      this._status = status;
      this._statusChanged.emit(status);
    }
  }

  private _cursor = '';
  private _isBlind = false;
  private _isDisposed = false;
  private _pause = FIRST_PAUSE_MS;
  private _received = new Signal<IEventStream, IEventBatch>(this);
  private _socket: WebSocket | null = null;
  private _status: ConnectionStatus = 'connecting';
  private _statusChanged = new Signal<IEventStream, ConnectionStatus>(this);
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
