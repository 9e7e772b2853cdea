/* eslint-disable jupyter/prefer-lazy-imports -- the jobs under way are known from the start on */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { bottegaIcon } from '../../shared/icons';
import { IBottega, IBottegaClient } from '../../tokens';
import { NotebookJobs } from './notebookJobs';
import type { ICellSource } from './notebookParameters';

export const RUN_NOTEBOOK_COMMAND = 'bottega:run-notebook-as-job';

/** Runs notebooks as jobs. */
export const notebookJobs: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:notebook-jobs',
  description: 'Runs a notebook as a job, and fetches the executed copy.',
  autoStart: true,
  requires: [IBottega, IBottegaClient, INotebookTracker],
  optional: [ITranslator, ICommandPalette, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    studio: IBottega,
    client: IBottegaClient,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    state: IStateDB | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    const jobs = new NotebookJobs({
      client,
      trans,
      state,
      open: path => app.commands.execute('docmanager:open', { path })
    });
    void app.restored.then(() => jobs.restore());

    const panelOf = (path: unknown): NotebookPanel | null =>
      typeof path === 'string'
        ? (tracker.find(panel => panel.context.path === path) ?? null)
        : tracker.currentWidget;

    app.commands.addCommand(RUN_NOTEBOOK_COMMAND, {
      label: args =>
        args['isPalette']
          ? trans.__('Run Notebook as a Job')
          : trans.__('Run as a job'),
      caption: trans.__('Run this notebook from top to bottom as a job'),
      icon: args => (args['toolbar'] ? undefined : bottegaIcon),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description:
                'The notebook, in the file browser; the one in front when absent'
            },
            isPalette: { type: 'boolean', description: 'Asked for its label' },
            toolbar: { type: 'boolean', description: 'Asked by the toolbar' }
          }
        }
      },
      isEnabled: args =>
        typeof args['path'] === 'string' || tracker.currentWidget !== null,
      execute: async args => {
        const panel = panelOf(args['path']);
        const path = panel?.context.path ?? args['path'];
        if (typeof path !== 'string') {
          return;
        }
        try {
          await run(path, panel);
        } catch (error) {
          await showErrorMessage(
            trans.__('The notebook cannot be run as a job'),
            error instanceof Error ? error.message : String(error)
          );
        }
      }
    });

    const run = async (
      path: string,
      panel: NotebookPanel | null
    ): Promise<void> => {
      const [{ askNotebookRun }, { notebookParameters }, catalog, cells] =
        await Promise.all([
          import('./notebookDialog'),
          import('./notebookParameters'),
          client.call('bottega:ListAlgorithms', {}),
          readCells(app, path, panel)
        ]);
      const wanted = await askNotebookRun(PathExt.basename(path), {
        parameters: notebookParameters(cells),
        instanceTypes: catalog.InstanceTypes,
        instanceType: studio.settings.instanceType,
        trans
      });
      if (!wanted) {
        return;
      }
      // What runs is the file.
      await panel?.context.save();
      const job = await client.runNotebook({
        path,
        parameters: wanted.parameters,
        instance_type: wanted.instanceType
      });
      await jobs.add(job);
      studio.open(`jobs/${encodeURIComponent(job)}`);
    };

    palette?.addItem({
      command: RUN_NOTEBOOK_COMMAND,
      category: trans.__('Bottega'),
      args: { isPalette: true }
    });
  }
};

/** The cells of a notebook, as it is shown or else as its file has it. */
async function readCells(
  app: JupyterFrontEnd,
  path: string,
  panel: NotebookPanel | null
): Promise<ICellSource[]> {
  const content: INotebookContent = panel
    ? (panel.context.model.toJSON() as unknown as INotebookContent)
    : ((await app.serviceManager.contents.get(path))
        .content as INotebookContent);
  return content.cells.map(cell => ({
    source: Array.isArray(cell.source) ? cell.source.join('') : cell.source,
    tags: cell.metadata?.tags ?? []
  }));
}

/** What of a notebook's file the parameters need. */
interface INotebookContent {
  cells: Array<{
    source: string | string[];
    metadata?: { tags?: string[] };
  }>;
}
