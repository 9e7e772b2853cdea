import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import {
  IDefaultFileBrowser,
  IFileBrowserFactory
} from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { bottegaIcon, tuningIcon } from '../../shared/icons';
import { launcherItem } from '../../shared/launcher';
import type { IScreenProps } from '../../tokens';
import { IBottega, IBottegaClient } from '../../tokens';
import { TABLE_EXTENSIONS } from './draft';
import { BrowserFiles } from './files';

export const TRAIN_COMMAND = 'bottega:train';
export const TUNE_COMMAND = 'bottega:tune';
export const TRAIN_ON_FILE_COMMAND = 'bottega:train-on-selected-file';

/** The form that starts a training job, and the ways to it. */
export const training: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:training',
  description: 'Trains a model: the form, its checks, and the ways to it.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [
    ITranslator,
    ICommandPalette,
    ILauncher,
    IDefaultFileBrowser,
    IFileBrowserFactory
  ],
  activate: (
    app: JupyterFrontEnd,
    studio: IBottega,
    _client: IBottegaClient,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    browser: IDefaultFileBrowser | null,
    factory: IFileBrowserFactory | null
  ) => {
    const translation = translator ?? nullTranslator;
    const trans = translation.load('bottega');
    const files = new BrowserFiles({
      contents: app.serviceManager.contents,
      browser,
      translator: translation
    });
    studio.addScreen({
      id: 'train',
      named: false,
      label: () => trans.__('Train a model'),
      icon: bottegaIcon,
      load: async () => {
        const { TrainScreen } = await import('./screen');
        return function Train(props: IScreenProps): JSX.Element {
          return (
            <TrainScreen {...props} files={files} translator={translation} />
          );
        };
      }
    });

    app.commands.addCommand(TRAIN_COMMAND, {
      label: args =>
        args['isPalette']
          ? trans.__('Train a Model')
          : trans.__('Train a model'),
      caption: trans.__(
        'Train a model on your data, with XGBoost or a script of your own'
      ),
      icon: bottegaIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            file: {
              type: 'string',
              description: 'The path of the data in the file browser'
            },
            uri: { type: 'string', description: 'The s3:// URI of the data' },
            clone: {
              type: 'string',
              description: 'The name of a training job to start from'
            },
            isPalette: { type: 'boolean', description: 'Asked for its label' },
            cwd: { type: 'string', description: 'Given by the Launcher' }
          }
        }
      },
      execute: args => studio.open(trainPath(args))
    });

    app.commands.addCommand(TUNE_COMMAND, {
      label: args =>
        args['isPalette'] ? trans.__('Tune a Model') : trans.__('Tune a model'),
      caption: trans.__(
        'Train a model many times to find its best hyperparameters'
      ),
      icon: tuningIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            file: {
              type: 'string',
              description: 'The path of the data in the file browser'
            },
            uri: { type: 'string', description: 'The s3:// URI of the data' },
            clone: {
              type: 'string',
              description: 'The name of a training job to start from'
            },
            isPalette: { type: 'boolean', description: 'Asked for its label' }
          }
        }
      },
      // With the time, so that a form that is open turns to it again.
      execute: args => studio.open(trainPath({ ...args, tune: fresh() }))
    });

    const selected = (): string | null => {
      const items = [
        ...(factory?.tracker.currentWidget?.selectedItems() ?? [])
      ];
      const [only] = items;
      return only && items.length === 1 && isTrainable(only.name)
        ? only.path
        : null;
    };
    app.commands.addCommand(TRAIN_ON_FILE_COMMAND, {
      label: trans.__('Train on this'),
      caption: trans.__('Train a model on this file'),
      icon: bottegaIcon,
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      isVisible: () => selected() !== null,
      isEnabled: () => selected() !== null,
      execute: () => {
        const file = selected();
        if (file !== null) {
          studio.open(trainPath({ file }));
        }
      }
    });

    palette?.addItem({
      command: TRAIN_COMMAND,
      category: trans.__('Bottega'),
      args: { isPalette: true }
    });
    palette?.addItem({
      command: TUNE_COMMAND,
      category: trans.__('Bottega'),
      args: { isPalette: true }
    });
    launcher?.add(launcherItem(trans, TRAIN_COMMAND, 'train'));
  }
};

/** The path of the form for these data, or for another go at a job. */
export function trainPath(args: { readonly [name: string]: unknown }): string {
  const query = new URLSearchParams();
  for (const name of ['file', 'uri', 'clone', 'tune']) {
    const value = args[name];
    if (typeof value === 'string' && value !== '') {
      query.set(name, value);
    }
  }
  const text = query.toString();
  return text ? `train?${text}` : 'train';
}

/** A text that was not there before. */
function fresh(): string {
  return String(Date.now());
}

/** Whether a label can be named in a file of this name. */
function isTrainable(name: string): boolean {
  return TABLE_EXTENSIONS.includes(PathExt.extname(name));
}
