import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { modelIcon } from '../../shared/icons';
import { IBottega, IBottegaClient } from '../../tokens';
import { OPEN_COMMAND, OPEN_LIST_COMMAND } from './commands';
import { modelsSection } from './section';

/** The model registry: groups, their versions, approval and lineage. */
export const models: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:models',
  description: 'Adds the model registry to the Studio.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IBottega,
    client: IBottegaClient,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    studio.addSection(modelsSection(client, trans));
    studio.addScreen({
      id: 'models',
      named: false,
      label: () => trans.__('Models'),
      icon: modelIcon,
      load: () => import('./list').then(module => module.ModelsScreen)
    });
    studio.addScreen({
      id: 'models',
      named: true,
      label: name => name,
      icon: modelIcon,
      load: () => import('./group').then(module => module.GroupScreen)
    });
    app.commands.addCommand(OPEN_LIST_COMMAND, {
      label: trans.__('Open Models'),
      icon: modelIcon,
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      execute: () => studio.open('models')
    });
    app.commands.addCommand(OPEN_COMMAND, {
      label: args => trans.__('Open Models of %1', String(args['name'] ?? '')),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              description: 'The name of a model package group'
            }
          },
          required: ['name'],
          additionalProperties: false
        }
      },
      execute: args =>
        studio.open(`models/${encodeURIComponent(String(args['name']))}`)
    });
    palette?.addItem({
      command: OPEN_LIST_COMMAND,
      category: trans.__('Bottega')
    });
  }
};
