import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import {
  acceptDialog,
  dismissDialog,
  waitForDialog
} from '@jupyterlab/testing';
import { CommandRegistry } from '@lumino/commands';

import { FakeClient } from '../../../testing/fakeClient';
import { REPLAY_COMMAND, replays } from '../failurePlugin';

function activated(notes: string[] = []) {
  const commands = new CommandRegistry();
  const opened: unknown[] = [];
  commands.addCommand('docmanager:open', {
    describedBy: { args: { type: 'object' } },
    execute: args => opened.push(args['path'])
  });
  const client = new FakeClient();
  const asked: string[][] = [];
  client.replay = (job, folder, kind = 'Training') => {
    asked.push(kind === 'Training' ? [job, folder] : [job, folder, kind]);
    return job === 'gone'
      ? Promise.reject(new Error('Requested resource not found.'))
      : Promise.resolve({
          notebook: `${folder}/replay-${job}/replay.ipynb`,
          folder: `${folder}/replay-${job}`,
          notes,
          secrets: []
        });
  };
  const app = { commands } as Partial<JupyterFrontEnd> as JupyterFrontEnd;
  const browser = {
    model: { path: 'work' }
  } as unknown as IDefaultFileBrowser;
  void replays.activate(app, client, null, null, browser);
  return { commands, opened, asked };
}

afterEach(() => Notification.dismiss());

it('opens the notebook of a replay, in the folder that is shown', async () => {
  const { commands, opened, asked } = activated();
  await commands.execute(REPLAY_COMMAND, { name: 'churn' });
  await commands.execute(REPLAY_COMMAND, { name: 'churn', folder: 'other' });
  await commands.execute(REPLAY_COMMAND, { name: 'clean', kind: 'Processing' });
  expect(asked).toEqual([
    ['churn', 'work'],
    ['churn', 'other'],
    ['clean', 'work', 'Processing']
  ]);
  expect(opened[0]).toBe('work/replay-churn/replay.ipynb');
  expect(Notification.manager.count).toBe(0);
  expect(commands.label(REPLAY_COMMAND, { name: 'churn' })).toBe(
    'Replay Job churn'
  );
});

it('says what is gone', async () => {
  const { commands } = activated(['Of the channel train is gone: a.csv.']);
  await commands.execute(REPLAY_COMMAND, { name: 'churn' });
  expect(Notification.manager.notifications.map(one => one.message)).toEqual([
    'Of the channel train is gone: a.csv.'
  ]);
});

it('asks for the name where it was given none', async () => {
  const { commands, asked } = activated();
  const refused = commands.execute(REPLAY_COMMAND);
  await waitForDialog();
  await dismissDialog();
  await refused;
  expect(asked).toEqual([]);
  const accepted = commands.execute(REPLAY_COMMAND);
  await waitForDialog();
  const input = document.querySelector<HTMLInputElement>('.jp-Dialog input');
  if (input) {
    input.value = 'churn';
  }
  await acceptDialog();
  await accepted;
  expect(asked).toEqual([['churn', 'work']]);
});

it('says why a job cannot be replayed', async () => {
  const { commands, opened } = activated();
  const running = commands.execute(REPLAY_COMMAND, { name: 'gone' });
  await waitForDialog();
  expect(document.querySelector('.jp-Dialog')?.textContent).toMatch(
    /cannot be replayed.*Requested resource not found/
  );
  await acceptDialog();
  await running;
  expect(opened).toEqual([]);
});
