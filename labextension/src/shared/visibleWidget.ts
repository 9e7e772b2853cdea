import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/**
 * A widget that says whether it can be seen.
 *
 * A tab of the browser that nobody looks at is as hidden as a tab of JupyterLab.
 */
export abstract class VisibleWidget extends ReactWidget {
  override get isVisible(): boolean {
    return super.isVisible && document.visibilityState !== 'hidden';
  }

  /** Emitted when the widget comes into sight or goes out of it. */
  get visibilityChanged(): ISignal<VisibleWidget, boolean> {
    return this._visibilityChanged;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._tell();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._tell();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    document.addEventListener('visibilitychange', this._tell);
    this._tell();
  }

  protected override onBeforeDetach(message: Message): void {
    document.removeEventListener('visibilitychange', this._tell);
    super.onBeforeDetach(message);
  }

  private _tell = (): void => this._visibilityChanged.emit(this.isVisible);
  private _visibilityChanged = new Signal<VisibleWidget, boolean>(this);
}
