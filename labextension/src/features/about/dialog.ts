import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { IAbout } from '../../api/about';
import { fetchAbout } from '../../api/about';

/** What the dialog shows: each fact of the server under its name. */
export class AboutBody extends Widget {
  constructor(about: IAbout, trans: TranslationBundle) {
    super({ node: document.createElement('dl') });
    this.addClass('jp-BottegaAbout');
    this._add('version', trans.__('Version'), about.version);
    this._add('home', trans.__('Home'), about.home);
  }

  private _add(name: string, label: string, value: string): void {
    const term = document.createElement('dt');
    term.className = 'jp-BottegaAbout-label';
    term.textContent = label;
    const description = document.createElement('dd');
    description.className = 'jp-BottegaAbout-value';
    description.dataset.fact = name;
    description.textContent = value;
    this.node.append(term, description);
  }
}

/** Ask the server what it is and show it, or show why it does not say. */
export async function showAbout(
  settings: ServerConnection.ISettings,
  trans: TranslationBundle
): Promise<void> {
  let about: IAbout;
  try {
    about = await fetchAbout(settings);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await showErrorMessage(trans.__('Bottega does not answer'), reason);
    return;
  }
  await showDialog({
    title: trans.__('About Bottega'),
    body: new AboutBody(about, trans),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
