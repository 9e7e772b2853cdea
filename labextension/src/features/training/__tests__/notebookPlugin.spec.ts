import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { configure, fireEvent, screen } from '@testing-library/react';
import { CommandRegistry } from '@lumino/commands';

import { FakeClient, FakeStudio } from '../../../testing/fakeClient';
import { notebookJobs, RUN_NOTEBOOK_COMMAND } from '../notebookPlugin';
import { answers } from './fixtures';

configure({ defaultHidden: true });
afterEach(() => Dialog.flush());

function activate() {
  const commands = new CommandRegistry();
  const client = new FakeClient(answers());
  const studio = new FakeStudio();
  const runs: unknown[] = [];
  client.runNotebook = request => {
    runs.push(request);
    return Promise.resolve('report-1');
  };
  const notebook = {
    cells: [
      {
        source: ['rounds = 3\n', "name = 'churn'"],
        metadata: { tags: ['parameters'] }
      }
    ]
  };
  const contents = { get: () => Promise.resolve({ content: notebook }) };
  void notebookJobs.activate(
    {
      commands,
      restored: Promise.resolve(),
      serviceManager: { contents }
    } as unknown as JupyterFrontEnd,
    studio,
    client,
    {
      currentWidget: null,
      find: () => undefined
    } as unknown as INotebookTracker,
    null,
    null,
    null
  );
  return { commands, client, studio, runs };
}

async function press(name: string): Promise<void> {
  fireEvent.click(await screen.findByRole('button', { name }));
}

describe('a notebook as a job', () => {
  it('is asked for its parameters, sent, and shown', async () => {
    const { commands, studio, runs } = activate();
    const done = commands.execute(RUN_NOTEBOOK_COMMAND, {
      path: 'work/report.ipynb'
    });
    expect(await screen.findByText('Run report.ipynb as a job')).toBeTruthy();
    await press('Run as a job');
    await done;
    expect(runs).toEqual([
      {
        path: 'work/report.ipynb',
        parameters: { rounds: 3, name: 'churn' },
        instance_type: 'ml.m5.large'
      }
    ]);
    expect(studio.opened).toEqual(['jobs/report-1']);
  });

  it('is not sent when the dialog is dismissed', async () => {
    const { commands, studio, runs } = activate();
    const done = commands.execute(RUN_NOTEBOOK_COMMAND, { path: 'a.ipynb' });
    await press('Cancel');
    await done;
    expect(runs).toEqual([]);
    expect(studio.opened).toEqual([]);
  });

  it('says why it cannot be sent', async () => {
    const { commands, client } = activate();
    client.runNotebook = () => Promise.reject(new Error('No such notebook.'));
    const done = commands.execute(RUN_NOTEBOOK_COMMAND, { path: 'a.ipynb' });
    await press('Run as a job');
    expect(await screen.findByText('No such notebook.')).toBeTruthy();
    await press('Close');
    await done;
  });

  it('needs a notebook in front, or a path', async () => {
    const { commands } = activate();
    expect(commands.isEnabled(RUN_NOTEBOOK_COMMAND)).toBe(false);
    expect(commands.isEnabled(RUN_NOTEBOOK_COMMAND, { path: 'a' })).toBe(true);
    expect(await commands.describedBy(RUN_NOTEBOOK_COMMAND)).toMatchObject({
      args: { properties: { path: { type: 'string' } } }
    });
  });
});
