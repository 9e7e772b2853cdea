import type { JupyterFrontEnd } from '@jupyterlab/application';
import { acceptDialog, dismissDialog } from '@jupyterlab/testing';
import { CommandRegistry } from '@lumino/commands';

import { FakeClient, FakeStudio } from '../../../testing/fakeClient';
import { jobs } from '../plugin';
import { overview } from './examples';

function activated() {
  const commands = new CommandRegistry();
  const studio = new FakeStudio();
  const client = new FakeClient({
    'bottega:ListJobs': () => ({
      Jobs: [
        overview({ JobName: 'ended' }),
        overview({ JobName: 'cleaned', Kind: 'Processing' }),
        overview({ JobName: 'runs', Status: 'InProgress', StartTime: 5 }),
        overview({
          JobName: 'waits',
          Status: 'InProgress',
          StartTime: undefined as never
        })
      ],
      Total: 1234
    }),
    'bottega:DescribeActivity': () => ({
      ComputeSecondsToday: 0,
      Kinds: [
        {
          Kind: 'TrainingJob',
          Total: 1234,
          Statuses: { InProgress: 1, Stopping: 1, Completed: 1232 }
        },
        { Kind: 'TransformJob', Total: 2, Statuses: { InProgress: 2 } },
        { Kind: 'Endpoint', Total: 1, Statuses: { InProgress: 1 } }
      ]
    }),
    'sagemaker:StopTrainingJob': () => ({})
  });
  const app = { commands } as Partial<JupyterFrontEnd> as JupyterFrontEnd;
  void jobs.activate(app, studio, client, null, null);
  return { commands, studio, client };
}

it('adds a section that says what runs', async () => {
  const { studio } = activated();
  const [section] = studio.sections;
  expect(
    section?.concerns({ Time: 0, Type: 'ResourceChanged', Kind: 'TrainingJob' })
  ).toBe(true);
  const content = await section?.load();
  expect(content?.count).toBe('4 running');
  expect(
    content?.items.map(item => [item.path, item.note, item.since])
  ).toEqual([
    ['jobs/ended', '1:00', undefined],
    ['processing-jobs/cleaned', '1:00', undefined],
    ['jobs/runs', expect.any(String), 5],
    ['jobs/waits', '', undefined]
  ]);
});

it('fetches the code of its screens when they are opened', async () => {
  const { studio } = activated();
  expect(studio.screens.map(screen => [screen.id, screen.named])).toEqual([
    ['jobs', false],
    ['jobs', true],
    ['job-reports', true],
    ['processing-jobs', true],
    ['transform-jobs', true]
  ]);
  expect(studio.screens[1]?.label('churn')).toBe('churn');
});

it('has commands with described arguments', async () => {
  const { commands, studio } = activated();
  await commands.execute('bottega:open-jobs');
  await commands.execute('bottega:open-job', { name: 'a b' });
  expect(studio.opened).toEqual(['jobs', 'jobs/a%20b']);
  expect(await commands.describedBy('bottega:open-job')).toMatchObject({
    args: { required: ['name'] }
  });
});

it('stops a job only when that is confirmed', async () => {
  const { commands, client } = activated();
  const refused = commands.execute('bottega:stop-job', { name: 'churn' });
  await dismissDialog();
  await refused;
  expect(client.requests('sagemaker:StopTrainingJob')).toEqual([]);
  const accepted = commands.execute('bottega:stop-job', { name: 'churn' });
  await acceptDialog();
  await accepted;
  expect(client.requests('sagemaker:StopTrainingJob')).toEqual([
    { TrainingJobName: 'churn' }
  ]);
});
