import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ago } from '../../shared/format';
import { experimentIcon } from '../../shared/icons';
import { IBottega, IBottegaClient } from '../../tokens';
import { changesRuns } from './model/runs';

export const OPEN_EXPERIMENTS_COMMAND = 'bottega:open-experiments';
export const OPEN_EXPERIMENT_COMMAND = 'bottega:open-experiment';
export const OPEN_RUN_COMMAND = 'bottega:open-run';

const SECTION_RANK = 20;
const NEWEST = 5;

/** The experiments of the tracking store: their list, their runs, one run. */
export const experiments: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:experiments',
  description:
    'Shows the experiments of the tracking store and compares their runs.',
  autoStart: true,
  requires: [IBottega, IBottegaClient],
  optional: [IStateDB, ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IBottega,
    client: IBottegaClient,
    state: IStateDB | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');

    studio.addScreen({
      id: 'experiments',
      named: false,
      label: () => trans.__('Experiments'),
      icon: experimentIcon,
      load: () => import('./experimentsScreen').then(m => m.ExperimentsScreen)
    });
    studio.addScreen({
      id: 'experiments',
      named: true,
      label: name => trans.__('Experiment %1', name),
      icon: experimentIcon,
      load: async () => {
        const [screen, memory] = await Promise.all([
          import('./experimentScreen'),
          import('./model/memory')
        ]);
        return screen.experimentScreen(memory.layoutMemory(state));
      }
    });
    studio.addScreen({
      id: 'runs',
      named: true,
      label: name => trans.__('Run %1', name.slice(0, 8)),
      icon: experimentIcon,
      load: () => import('./runScreen').then(m => m.RunScreen)
    });

    studio.addSection({
      id: 'experiments',
      label: trans.__('Experiments'),
      rank: SECTION_RANK,
      concerns: event => changesRuns(event),
      load: async () => {
        const answer = await client.call('bottega:ListTrackedExperiments', {
          MaxResults: NEWEST
        });
        const now = Date.now() / 1000;
        return {
          count: answer.Total.toLocaleString(),
          items: answer.Experiments.map(item => ({
            label: item.Name,
            path: `experiments/${item.ExperimentId}`,
            status: '',
            note: [
              trans._n(
                '%1 run',
                '%2 runs',
                item.Runs,
                item.Runs.toLocaleString()
              ),
              ...(item.LastUpdateTime === undefined
                ? []
                : [ago(item.LastUpdateTime, now, trans)])
            ].join(' · ')
          }))
        };
      },
      path: 'experiments',
      empty: trans.__('No experiments yet.')
    });

    app.commands.addCommand(OPEN_EXPERIMENTS_COMMAND, {
      label: trans.__('Open Experiments'),
      icon: experimentIcon,
      describedBy: {
        args: { type: 'object', properties: {}, additionalProperties: false }
      },
      execute: () => studio.open('experiments')
    });
    app.commands.addCommand(OPEN_EXPERIMENT_COMMAND, {
      label: trans.__('Open an Experiment'),
      icon: experimentIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            id: { type: 'string', description: 'The id of the experiment' },
            filter: {
              type: 'string',
              description: 'Which runs are shown: metrics.auc > 0.8'
            }
          },
          required: ['id'],
          additionalProperties: false
        }
      },
      execute: args => {
        const filter = String(args['filter'] ?? '');
        const query = filter ? `?filter=${encodeURIComponent(filter)}` : '';
        studio.open(
          `experiments/${encodeURIComponent(String(args['id']))}${query}`
        );
      }
    });
    app.commands.addCommand(OPEN_RUN_COMMAND, {
      label: trans.__('Open a Run'),
      icon: experimentIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            id: { type: 'string', description: 'The id of the run' }
          },
          required: ['id'],
          additionalProperties: false
        }
      },
      execute: args =>
        studio.open(`runs/${encodeURIComponent(String(args['id']))}`)
    });
    palette?.addItem({
      command: OPEN_EXPERIMENTS_COMMAND,
      category: trans.__('Bottega')
    });
  }
};
