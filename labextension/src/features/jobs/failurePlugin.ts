import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  InputDialog,
  Notification,
  showErrorMessage
} from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { ReplayedKind } from '../../api/client';
import { asError } from '../../shared/asError';
import { IBottegaClient } from '../../tokens';

export const REPLAY_COMMAND = 'bottega:replay-job';

/** Replays of jobs: a notebook with the same code, data and environment. */
export const replays: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:replays',
  description: 'Does again in a notebook what a job did.',
  autoStart: true,
  requires: [IBottegaClient],
  optional: [ITranslator, ICommandPalette, IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    client: IBottegaClient,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    app.commands.addCommand(REPLAY_COMMAND, {
      label: args =>
        args['name']
          ? trans.__('Replay Job %1', String(args['name']))
          : trans.__('Replay a Job…'),
      caption: trans.__(
        'Open a notebook with the code, the data and the environment of a job'
      ),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              description:
                'The name of a job that has ended; asked for when absent'
            },
            kind: {
              type: 'string',
              enum: ['Training', 'Processing'],
              description: 'What the job is; a training job when absent'
            },
            folder: {
              type: 'string',
              description:
                'In which folder of the file browser; the one that it shows when absent'
            }
          },
          additionalProperties: false
        }
      },
      execute: async args => {
        try {
          const name = args['name'] ?? (await askName());
          if (typeof name === 'string' && name) {
            await open(
              name,
              args['folder'],
              args['kind'] === 'Processing' ? 'Processing' : 'Training'
            );
          }
        } catch (error) {
          await showErrorMessage(
            trans.__('The job cannot be replayed'),
            asError(error).message
          );
        }
      }
    });

    const open = async (
      name: string,
      folder: unknown,
      kind: ReplayedKind
    ): Promise<void> => {
      const made = await client.replay(
        name,
        typeof folder === 'string' ? folder : (browser?.model.path ?? ''),
        kind
      );
      await app.commands.execute('docmanager:open', { path: made.notebook });
      if (made.notes.length > 0) {
        Notification.warning(made.notes.join(' '), { autoClose: false });
      }
    };
    const askName = async (): Promise<string | null> => {
      const answer = await InputDialog.getText({
        title: trans.__('Replay a job'),
        label: trans.__('The name of a training job that has ended')
      });
      return answer.button.accept ? answer.value : null;
    };
    palette?.addItem({
      command: REPLAY_COMMAND,
      category: trans.__('Bottega')
    });
  }
};
