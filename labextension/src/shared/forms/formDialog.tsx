import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { BottegaError } from '../../api/request';

/** A form in a dialog: what it begins with, and how it tells of changes. */
interface IFormDialog<T> {
  title: string;
  /** The label of the button that accepts. */
  accept: string;
  initial: T;
  form: (initial: T, onChange: (value: T) => void) => JSX.Element;
}

class FormBody<T> extends ReactWidget {
  constructor(private readonly _dialog: IFormDialog<T>) {
    super();
    this._value = _dialog.initial;
  }

  getValue(): T {
    return this._value;
  }

  protected render(): JSX.Element {
    return this._dialog.form(this._dialog.initial, this._onChange);
  }

  private _onChange = (value: T): void => {
    this._value = value;
  };
  private _value: T;
}

/**
 * Have JupyterLab's dialogs look again whether they can be accepted.
 *
 * They do that only when somebody types; what makes a form invalid may come later.
 */
export function checkDialog(): void {
  document.dispatchEvent(new Event('input'));
}

/** Ask with a form; null when the user thought better of it. */
export async function askForm<T>(dialog: IFormDialog<T>): Promise<T | null> {
  const answer = await showDialog({
    title: dialog.title,
    body: new FormBody(dialog),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: dialog.accept })]
  });
  return answer.button.accept ? answer.value : null;
}

/** Ask before something is taken away; whether to do it. */
export async function confirmed(
  title: string,
  body: string,
  accept: string
): Promise<boolean> {
  const answer = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: accept })]
  });
  return answer.button.accept;
}

/** Do something, and show a refusal in the server's own words; anything else is thrown. */
export async function attempt(
  act: () => Promise<unknown>,
  what: string,
  trans: TranslationBundle
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof BottegaError)) {
      throw error;
    }
    await showDialog({
      title: what,
      body: error.message,
      buttons: [Dialog.okButton({ label: trans.__('Dismiss') })]
    });
  }
}
