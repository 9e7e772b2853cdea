/* eslint-disable jupyter/prefer-lazy-imports -- the section is in the sidebar from the start, and it is light */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { modelIcon } from '../../shared/icons';
import { IBottega, IBottegaClient } from '../../tokens';
import { OPEN_COMMAND, OPEN_LIST_COMMAND, REGISTER_COMMAND } from './commands';
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
    app.commands.addCommand(REGISTER_COMMAND, {
      label: args =>
        trans.__('Register Model of %1', String(args['job'] ?? '')),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            job: { type: 'string', description: 'A completed training job' }
          },
          required: ['job'],
          additionalProperties: false
        }
      },
      execute: async args => {
        const { register } = await import('./registerDialog');
        return await register(client, String(args['job']), trans);
      }
    });
    palette?.addItem({
      command: OPEN_LIST_COMMAND,
      category: trans.__('Bottega')
    });
  }
};
