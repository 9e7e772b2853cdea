/* eslint-disable jupyter/prefer-lazy-imports -- the section is in the sidebar from the start, and it is light */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { tuningIcon } from '../../shared/icons';
import { IBottega, IBottegaClient } from '../../tokens';
import { OPEN_COMMAND, OPEN_LIST_COMMAND, STOP_COMMAND } from './commands';
import { tuningPath } from './facts';
import { tuningSection } from './section';

const NAMED = {
  args: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'The name of a tuning job' }
    },
    required: ['name'],
    additionalProperties: false
  }
} as const;

/** The screens of hyperparameter tuning jobs. */
export const tuning: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:tuning',
  description: 'Lists hyperparameter tuning jobs, and shows each one live.',
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
    studio.addSection(tuningSection(client, trans));
    studio.addScreen({
      id: 'tuning',
      named: false,
      label: () => trans.__('Tuning'),
      icon: tuningIcon,
      load: () => import('./list').then(module => module.TuningsScreen)
    });
    studio.addScreen({
      id: 'tuning',
      named: true,
      label: name => name,
      icon: tuningIcon,
      load: () => import('./tuningScreen').then(module => module.TuningScreen)
    });
    app.commands.addCommand(OPEN_LIST_COMMAND, {
      label: trans.__('Open Tuning'),
      icon: tuningIcon,
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      execute: () => studio.open('tuning')
    });
    app.commands.addCommand(OPEN_COMMAND, {
      label: args => trans.__('Open Tuning Job %1', String(args['name'] ?? '')),
      icon: tuningIcon,
      describedBy: NAMED,
      execute: args => studio.open(tuningPath(String(args['name'])))
    });
    app.commands.addCommand(STOP_COMMAND, {
      label: args => trans.__('Stop Tuning Job %1', String(args['name'] ?? '')),
      describedBy: NAMED,
      execute: async args => {
        const { confirmStop } = await import('./acts');
        try {
          await confirmStop(client, String(args['name']), trans);
        } catch (error) {
          await showErrorMessage(
            trans.__('The tuning job is not stopped'),
            error instanceof Error ? error.message : String(error)
          );
        }
      }
    });
    palette?.addItem({
      command: OPEN_LIST_COMMAND,
      category: trans.__('Bottega')
    });
  }
};
