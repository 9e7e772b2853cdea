import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { BottegaError } from '../../api/request';
import { endpointIcon } from '../../shared/icons';
import { launcherItem } from '../../shared/launcher';
import { IBottega, IBottegaClient } from '../../tokens';
import {
  DELETE_COMMAND,
  DEPLOY_COMMAND,
  OPEN_COMMAND,
  OPEN_LIST_COMMAND
} from './commands';
import { endpointSection } from './section';

/** Endpoints: the list, each one's screen, deploying and deleting. */
export const endpoints: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:endpoints',
  description: 'Adds the endpoints to the Studio: list, screens, deployment.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [ITranslator, ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    studio: IBottega,
    client: IBottegaClient,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    const category = trans.__('Bottega');
    studio.addSection(endpointSection(client, trans));
    studio.addScreen({
      id: 'endpoints',
      named: false,
      label: () => trans.__('Endpoints'),
      icon: endpointIcon,
      load: () => import('./list').then(module => module.EndpointsScreen)
    });
    studio.addScreen({
      id: 'endpoints',
      named: true,
      label: name => name,
      icon: endpointIcon,
      load: () => import('./endpoint').then(module => module.EndpointScreen)
    });

    const name = {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'The name of the endpoint' }
      },
      required: ['name'],
      additionalProperties: false
    };
    app.commands.addCommand(OPEN_LIST_COMMAND, {
      label: trans.__('Open Endpoints'),
      icon: endpointIcon,
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      execute: () => studio.open('endpoints')
    });
    app.commands.addCommand(OPEN_COMMAND, {
      label: args => trans.__('Open Endpoint %1', String(args['name'] ?? '')),
      describedBy: { args: name },
      execute: args =>
        studio.open(`endpoints/${encodeURIComponent(String(args['name']))}`)
    });
    app.commands.addCommand(DEPLOY_COMMAND, {
      label: args =>
        args['isLauncher']
          ? trans.__('Deploy a model')
          : trans.__('Deploy a Model'),
      caption: trans.__('Put a trained model behind an endpoint'),
      icon: endpointIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            job: { type: 'string', description: 'A completed training job' },
            run: {
              type: 'string',
              description: 'The id of a run with a model'
            },
            version: {
              type: 'string',
              description: 'A version of the model registry: group/3'
            },
            approve: {
              type: 'boolean',
              description: 'Whether the version is approved first'
            },
            isLauncher: { type: 'boolean', description: 'Asked for its label' },
            cwd: { type: 'string', description: 'Given by the Launcher' }
          }
        }
      },
      execute: async args => {
        const { deploy } = await import('./deployDialog');
        try {
          const endpoint = await deploy(
            client,
            {
              ...(args['job'] ? { job: String(args['job']) } : {}),
              ...(args['run'] ? { run: String(args['run']) } : {}),
              ...(args['version'] ? { version: String(args['version']) } : {})
            },
            trans,
            args['approve'] === true
          );
          if (endpoint) {
            studio.open(`endpoints/${encodeURIComponent(endpoint)}`);
          }
        } catch (error) {
          await say(trans.__('The model is not deployed'), error);
        }
      }
    });
    app.commands.addCommand(DELETE_COMMAND, {
      label: args => trans.__('Delete Endpoint %1', String(args['name'] ?? '')),
      describedBy: { args: name },
      execute: async args => {
        const { removeEndpoint } = await import('./removal');
        try {
          return await removeEndpoint(client, String(args['name']), trans);
        } catch (error) {
          await say(trans.__('The endpoint is not deleted'), error);
          return false;
        }
      }
    });
    palette?.addItem({ command: OPEN_LIST_COMMAND, category });
    palette?.addItem({ command: DEPLOY_COMMAND, category });
    launcher?.add({
      ...launcherItem(trans, DEPLOY_COMMAND, 'deploy'),
      args: { isLauncher: true }
    });
  }
};

/** Show what a refusal says; anything else is an error of ours, and thrown. */
async function say(title: string, error: unknown): Promise<void> {
  if (!(error instanceof BottegaError)) {
    throw error;
  }
  await showErrorMessage(title, error.message);
}
