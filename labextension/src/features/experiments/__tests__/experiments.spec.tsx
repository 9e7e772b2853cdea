import type { JupyterFrontEnd } from '@jupyterlab/application';
import { StateDB } from '@jupyterlab/statedb';
import { CommandRegistry } from '@lumino/commands';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { Answers } from '../../../testing/fakeClient';
import { FakeClient, FakeStudio } from '../../../testing/fakeClient';
import { giveSizes } from '../../../testing/liveScreen';
import { ExperimentsScreen } from '../experimentsScreen';
import { layoutMemory } from '../model/memory';
import {
  OPEN_EXPERIMENTS_COMMAND,
  OPEN_EXPERIMENT_COMMAND,
  OPEN_RUN_COMMAND,
  experiments
} from '../plugin';
import { renderScreen } from './fixtures';

giveSizes();

const ANSWERS: Answers = {
  'bottega:ListTrackedExperiments': request => {
    const found = [
      { ExperimentId: '7', Name: 'churn', Runs: 1400, LastUpdateTime: 1 },
      { ExperimentId: '8', Name: 'pricing', Runs: 1 }
    ].filter(item => item.Name.includes(request.Filter ?? ''));
    return { Experiments: found, Total: found.length };
  }
};

describe('the list of experiments', () => {
  it('shows names and runs and opens an experiment', async () => {
    const { container, studio } = renderScreen(ExperimentsScreen, ANSWERS);
    const row = await screen.findByRole('row', { name: /churn/ });
    expect(row.textContent).toContain('1,400');
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.click(row);
    expect(studio.opened).toEqual(['experiments/7']);
  });

  it('filters by words and says when none has them', async () => {
    const { frame } = renderScreen(ExperimentsScreen, ANSWERS);
    await screen.findByRole('row', { name: /churn/ });
    await userEvent.type(screen.getByLabelText('Filter experiments'), 'zzz');
    await userEvent.click(await screen.findByText('Clear the filter'));
    expect(frame.parameters['filter']).toBe('');
    expect(await screen.findByRole('row', { name: /pricing/ })).toBeTruthy();
  });

  it('offers to log a run where there is nothing', async () => {
    const { studio } = renderScreen(ExperimentsScreen, {
      'bottega:ListTrackedExperiments': () => ({ Experiments: [], Total: 0 })
    });
    await userEvent.click(await screen.findByText('Log a run in a notebook'));
    expect(studio.notebooks[0]?.code).toContain('mlflow.start_run()');
  });
});

describe('the plugin', () => {
  async function activate(): Promise<{
    commands: CommandRegistry;
    studio: FakeStudio;
  }> {
    const commands = new CommandRegistry();
    const studio = new FakeStudio();
    await experiments.activate(
      { commands } as Partial<JupyterFrontEnd> as JupyterFrontEnd,
      studio,
      new FakeClient(ANSWERS),
      new StateDB(),
      null,
      null
    );
    return { commands, studio };
  }

  it('adds a section with the newest experiments', async () => {
    const { studio } = await activate();
    const [section] = studio.sections;
    expect(section?.rank).toBe(20);
    expect(
      section?.concerns({ Time: 0, Type: 'TrackingChanged', Name: '7' })
    ).toBe(true);
    expect(section?.concerns({ Time: 0, Type: 'MetricsChanged' })).toBe(false);
    const content = await section?.load();
    expect(content?.count).toBe('2');
    expect(content?.items[1]).toMatchObject({
      label: 'pricing',
      path: 'experiments/8',
      note: '1 run'
    });
  });

  it('adds screens whose code comes when they are shown', async () => {
    const { studio } = await activate();
    expect(studio.screens.map(item => [item.id, item.named])).toEqual([
      ['experiments', false],
      ['experiments', true],
      ['runs', true]
    ]);
    for (const added of studio.screens) {
      expect(typeof (await added.load())).toBe('function');
    }
  });

  it('opens screens by commands that describe their arguments', async () => {
    const { commands, studio } = await activate();
    await commands.execute(OPEN_EXPERIMENTS_COMMAND);
    await commands.execute(OPEN_EXPERIMENT_COMMAND, {
      id: '7',
      filter: 'metrics.auc > 0.8'
    });
    await commands.execute(OPEN_RUN_COMMAND, { id: 'abc' });
    expect(studio.opened).toEqual([
      'experiments',
      'experiments/7?filter=metrics.auc%20%3E%200.8',
      'runs/abc'
    ]);
    for (const id of [OPEN_EXPERIMENT_COMMAND, OPEN_RUN_COMMAND]) {
      expect(await commands.describedBy(id)).toMatchObject({
        args: { required: ['id'] }
      });
    }
  });
});

describe('the memory of columns', () => {
  const layout = { shown: ['metrics.auc'], pinned: 1 };

  it.each([
    ['over the state of JupyterLab', new StateDB()],
    ['without one', null]
  ])('keeps and forgets layouts by experiment, %s', async (_, state) => {
    const memory = layoutMemory(state);
    await memory.keep('7', layout);
    expect(await memory.read('7')).toEqual(layout);
    expect(await memory.read('8')).toBeNull();
    await memory.keep('7', null);
    await waitFor(async () => expect(await memory.read('7')).toBeNull());
  });
});
