/* eslint-disable jupyter/prefer-lazy-imports -- the shell is what activation is about, and it is light */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILabShell, ILayoutRestorer, IRouter } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { BottegaClient } from '../../api/client';
import { IBottega, IBottegaClient } from '../../tokens';
import { notifyOfEnds } from './notifications';
import type { ScreenWidget } from './screenWidget';
import { followSettings } from './settings';
import { Sidebar } from './sidebar';
import { StatusItem } from './statusItem';
import { Studio } from './studio';
import { OPEN_COMMAND, openFromUrl, showPathInUrl } from './urls';

/** Calls the operations. */
export const client: JupyterFrontEndPlugin<IBottegaClient> = {
  id: '@bottega/labextension:client',
  description: 'Calls the operations of the studio and listens to its events.',
  autoStart: true,
  provides: IBottegaClient,
  activate: (app: JupyterFrontEnd): IBottegaClient =>
    new BottegaClient(app.serviceManager.serverSettings)
};

/** The shell that features plug into. */
export const studio: JupyterFrontEndPlugin<IBottega> = {
  id: '@bottega/labextension:studio',
  description: 'Opens the screens of the Studio and restores them.',
  autoStart: true,
  provides: IBottega,
  requires: [IBottegaClient],
  optional: [
    ILayoutRestorer,
    IRouter,
    ISettingRegistry,
    ITranslator,
    ILabShell
  ],
  activate: (
    app: JupyterFrontEnd,
    bottega: IBottegaClient,
    restorer: ILayoutRestorer | null,
    router: IRouter | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null,
    labShell: ILabShell | null
  ): IBottega => {
    const trans = (translator ?? nullTranslator).load('bottega');
    const shell = new Studio(app, bottega, trans);
    const tracker = new WidgetTracker<ScreenWidget>({ namespace: 'bottega' });
    shell.opened.connect((_, widget) => {
      void tracker.add(widget);
      widget.pathChanged.connect(() => void tracker.save(widget));
    });
    app.commands.addCommand(OPEN_COMMAND, {
      label: args =>
        args['path'] === undefined
          ? trans.__('Open a Screen of Bottega')
          : trans.__('Open %1', String(args['path'])),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: 'jobs, jobs/NAME, endpoints, experiments, train'
            }
          },
          required: ['path'],
          additionalProperties: false
        }
      },
      execute: args => shell.open(String(args['path']))
    });
    if (restorer) {
      void restorer.restore(tracker, {
        command: OPEN_COMMAND,
        args: widget => ({ path: widget.path }),
        name: widget => widget.path
      });
    }
    if (router) {
      openFromUrl(app, shell, router, trans);
      if (labShell) {
        showPathInUrl(labShell, router);
      }
    }
    if (settings) {
      void followSettings(settings, studio.id, shell);
    }
    return shell;
  }
};

/** The sidebar with its sections. */
export const sidebar: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:sidebar',
  description: 'Shows what the Studio has, by section, in the left sidebar.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [ILayoutRestorer, ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    shell: IBottega,
    bottega: IBottegaClient,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    const widget = new Sidebar(shell, bottega, trans);
    restorer?.add(widget, widget.id);
    app.shell.add(widget, 'left', { rank: 150, type: 'Bottega' });
    const command = 'bottega:show-sidebar';
    app.commands.addCommand(command, {
      label: trans.__('Show Bottega Studio'),
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      execute: () => app.shell.activateById(widget.id)
    });
    palette?.addItem({ command, category: trans.__('Bottega') });
  }
};

/** What runs now, in the status bar. */
export const statusItem: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:status',
  description:
    'Shows running jobs, endpoints and compute time in the status bar.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [IStatusBar, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    shell: IBottega,
    bottega: IBottegaClient,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    statusBar?.registerStatusItem(statusItem.id, {
      item: new StatusItem(shell, bottega, trans),
      align: 'left',
      rank: 500
    });
  }
};

/** Tells what has ended. */
export const notifications: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:notifications',
  description:
    'Notifies of jobs and endpoints that have come to an end or into service.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    shell: IBottega,
    bottega: IBottegaClient,
    translator: ITranslator | null
  ) => {
    notifyOfEnds(
      bottega,
      shell,
      (translator ?? nullTranslator).load('bottega')
    );
  }
};
