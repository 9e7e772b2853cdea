/* eslint-disable jupyter/prefer-lazy-imports -- the section is in the sidebar from the start, and it is light */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { jobIcon } from '../../shared/icons';
import { IBottega, IBottegaClient } from '../../tokens';
import { jobsSection } from './section';

const OPEN_JOBS = 'bottega:open-jobs';
const OPEN_JOB = 'bottega:open-job';
const STOP_JOB = 'bottega:stop-job';

const NAMED = {
  args: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'The name of a training job' }
    },
    required: ['name'],
    additionalProperties: false
  }
} as const;

/** The screens of jobs. */
export const jobs: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:jobs',
  description:
    'Lists training, processing and transform jobs, and shows each one live.',
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
    studio.addSection(jobsSection(client, trans));
    studio.addScreen({
      id: 'jobs',
      named: false,
      label: () => trans.__('Jobs'),
      icon: jobIcon,
      load: () => import('./jobsScreen').then(module => module.JobsScreen)
    });
    studio.addScreen({
      id: 'jobs',
      named: true,
      label: name => name,
      icon: jobIcon,
      load: () => import('./jobScreen').then(module => module.JobScreen)
    });
    studio.addScreen({
      id: 'job-reports',
      named: true,
      label: name => trans.__('Reports: %1', name),
      icon: jobIcon,
      load: () =>
        import('./debugger/reportScreen').then(module => module.ReportScreen)
    });
    studio.addScreen({
      id: 'processing-jobs',
      named: true,
      label: name => name,
      icon: jobIcon,
      load: () =>
        import('./otherJobScreen').then(module => module.ProcessingJobScreen)
    });
    studio.addScreen({
      id: 'transform-jobs',
      named: true,
      label: name => name,
      icon: jobIcon,
      load: () =>
        import('./otherJobScreen').then(module => module.TransformJobScreen)
    });
    app.commands.addCommand(OPEN_JOBS, {
      label: trans.__('Open Jobs'),
      icon: jobIcon,
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      execute: () => studio.open('jobs')
    });
    app.commands.addCommand(OPEN_JOB, {
      label: args => trans.__('Open Job %1', String(args['name'] ?? '')),
      icon: jobIcon,
      describedBy: NAMED,
      execute: args =>
        studio.open(`jobs/${encodeURIComponent(String(args['name']))}`)
    });
    app.commands.addCommand(STOP_JOB, {
      label: args => trans.__('Stop Job %1', String(args['name'] ?? '')),
      describedBy: NAMED,
      execute: async args => {
        const { confirmStop } = await import('./acts');
        try {
          await confirmStop(client, String(args['name']), trans);
        } catch (error) {
          await showErrorMessage(
            trans.__('The job is not stopped'),
            error instanceof Error ? error.message : String(error)
          );
        }
      }
    });
    palette?.addItem({ command: OPEN_JOBS, category: trans.__('Bottega') });
  }
};
