import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { showAbout } from './dialog';

export const ABOUT_COMMAND = 'bottega:about';

/** Says which bottega stands behind this JupyterLab. */
export const about: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:about',
  description: 'Shows the version and the home of the running bottega.',
  autoStart: true,
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    app.commands.addCommand(ABOUT_COMMAND, {
      label: trans.__('About Bottega'),
      caption: trans.__('Show the version and the home of bottega'),
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      execute: () => showAbout(app.serviceManager.serverSettings, trans)
    });
    palette?.addItem({ command: ABOUT_COMMAND, category: trans.__('Bottega') });
  }
};
