/* eslint-disable jupyter/prefer-lazy-imports -- documents are opened by factories that exist from the start on */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import {
  ICommandPalette,
  showErrorMessage,
  WidgetTracker
} from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import {
  IDefaultFileBrowser,
  IFileBrowserFactory
} from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { flowIcon } from '../../shared/icons';
import { launcherItem } from '../../shared/launcher';
import type { IScreenProps } from '../../tokens';
import { IBottega, IBottegaClient } from '../../tokens';
import type { FlowDocument } from './document/flowDocument';
import { FlowFactory } from './document/flowDocument';
import { KnownFlows } from './document/knownFlows';
import { isTableFile } from './document/paths';
import { dataSection } from './document/section';
import { asError } from '../../shared/asError';
import { PassingTrust, StoredTrust } from './model/trust';

export const PREPARE_COMMAND = 'bottega:prepare-data';
export const PREPARE_FILE_COMMAND = 'bottega:prepare-selected-file';

/** The name of the documents' factory, as *Open with* shows it. */
export const FACTORY = 'Data Wrangler';

const FILE_TYPE = 'bottega-flow';

/** Data Wrangler: flows as documents, and the ways to them. */
export const wrangler: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:wrangler',
  description: 'Prepares data: opens .flow files, and makes them.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [
    ITranslator,
    ICommandPalette,
    ILauncher,
    IDefaultFileBrowser,
    IFileBrowserFactory,
    IStateDB,
    ILayoutRestorer
  ],
  activate: (
    app: JupyterFrontEnd,
    studio: IBottega,
    client: IBottegaClient,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    browser: IDefaultFileBrowser | null,
    factory: IFileBrowserFactory | null,
    state: IStateDB | null,
    restorer: ILayoutRestorer | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    const { contents } = app.serviceManager;
    const flows = new KnownFlows(contents, state);
    const open = (path: string): Promise<unknown> =>
      app.commands.execute('docmanager:open', { path, factory: FACTORY });
    const openKnown = (path: string): void => void open(path);

    app.docRegistry.addFileType({
      name: FILE_TYPE,
      displayName: trans.__('Data Wrangler flow'),
      extensions: ['.flow'],
      mimeTypes: ['application/json'],
      contentType: 'file',
      fileFormat: 'text',
      icon: flowIcon
    });
    const documents = new FlowFactory(
      {
        name: FACTORY,
        label: trans.__('Data Wrangler'),
        modelName: 'text',
        fileTypes: [FILE_TYPE],
        defaultFor: [FILE_TYPE]
      },
      {
        client,
        studio,
        memory: state ? new StoredTrust(state) : new PassingTrust(),
        trans
      }
    );
    const tracker = new WidgetTracker<FlowDocument>({
      namespace: 'bottega-flows'
    });
    documents.widgetCreated.connect((_, widget) => {
      const { context } = widget;
      let path = context.path;
      widget.title.icon = flowIcon;
      widget.content.sourcesChanged.connect(
        (_sender, count) => void flows.remember(context.path, count)
      );
      context.pathChanged.connect(() => {
        void flows.rename(path, context.path);
        path = context.path;
        void tracker.save(widget);
      });
      void tracker.add(widget);
    });
    app.docRegistry.addWidgetFactory(
      documents as DocumentRegistry.WidgetFactory
    );
    if (restorer) {
      void restorer.restore(tracker, {
        command: 'docmanager:open',
        args: widget => ({ path: widget.context.path, factory: FACTORY }),
        name: widget => widget.context.path
      });
    }

    studio.addSection(dataSection(flows, openKnown, trans));
    studio.addScreen({
      id: 'data',
      named: false,
      label: () => trans.__('Data'),
      icon: flowIcon,
      load: async () => {
        const { FlowsScreen } = await import('./document/flowsScreen');
        const { createElement } = await import('react');
        return (props: IScreenProps) =>
          createElement(FlowsScreen, { ...props, flows, open: openKnown });
      }
    });

    app.commands.addCommand(PREPARE_COMMAND, {
      label: args =>
        args['isPalette'] ? trans.__('Prepare Data') : trans.__('Prepare data'),
      caption: trans.__('Prepare data by hand and eye, and get code'),
      icon: flowIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            file: {
              type: 'string',
              description: 'The path of a table in the file browser'
            },
            uri: { type: 'string', description: 'The s3:// URI of the data' },
            cwd: {
              type: 'string',
              description: 'The folder of the new flow; given by the Launcher'
            },
            isPalette: { type: 'boolean', description: 'Asked for its label' }
          }
        }
      },
      execute: async args => {
        const made = await import('./document/newFlow');
        const context = { client, contents };
        const folder =
          typeof args['cwd'] === 'string'
            ? args['cwd']
            : (browser?.model.path ?? '');
        try {
          const path = args['file']
            ? await made.flowOfFile(context, String(args['file']))
            : args['uri']
              ? await made.flowOfUri(context, String(args['uri']), folder)
              : await made.emptyFlow(context, folder);
          return await open(path);
        } catch (error) {
          await showErrorMessage(
            trans.__('The data cannot be prepared'),
            asError(error).message
          );
          return null;
        }
      }
    });

    const selected = (): string | null => {
      const [only, ...others] = [
        ...(factory?.tracker.currentWidget?.selectedItems() ?? [])
      ];
      return only && others.length === 0 && isTableFile(only.name)
        ? only.path
        : null;
    };
    app.commands.addCommand(PREPARE_FILE_COMMAND, {
      label: trans.__('Prepare data'),
      caption: trans.__('Prepare the data of this file'),
      icon: flowIcon,
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      isVisible: () => selected() !== null,
      isEnabled: () => selected() !== null,
      execute: async () => {
        const file = selected();
        return file === null
          ? null
          : await app.commands.execute(PREPARE_COMMAND, { file });
      }
    });
    palette?.addItem({
      command: PREPARE_COMMAND,
      category: trans.__('Bottega'),
      args: { isPalette: true }
    });
    launcher?.add(launcherItem(trans, PREPARE_COMMAND, 'prepare'));
  }
};
