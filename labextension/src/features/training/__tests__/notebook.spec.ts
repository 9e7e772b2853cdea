import { Notification } from '@jupyterlab/apputils';
import { StateDB } from '@jupyterlab/statedb';

import { BottegaError } from '../../../api/request';
import { FakeClient, trans } from '../../../testing/fakeClient';
import { NotebookJobs } from '../notebookJobs';
import { notebookParameters, parameterValue } from '../notebookParameters';
import { job } from './fixtures';

const found = (source: string): Record<string, string> =>
  notebookParameters([{ source, tags: ['parameters'] }]);

describe('the parameters of a notebook', () => {
  it('are what the tagged cell assigns', () => {
    expect(
      notebookParameters([
        { source: 'hidden = 1', tags: [] },
        {
          source: [
            '# how far',
            'rounds: int = 100  # of boosting',
            "name = 'it\\'s \"ours\"'",
            'path = "a#b"',
            'flags = [True, None, 0.5,]',
            "options = {'a': 1}",
            'text = 3 * 4',
            'same == 3',
            'many = ['
          ].join('\n'),
          tags: ['parameters']
        }
      ])
    ).toEqual({
      rounds: '100',
      name: '"it\'s \\"ours\\""',
      path: '"a#b"',
      flags: '[True, None, 0.5]',
      options: '{"a": 1}'
    });
  });

  it('are none without such a cell', () => {
    expect(notebookParameters([{ source: 'a = 1', tags: [] }])).toEqual({});
  });

  it('come back as the values that they are', () => {
    const { rounds, flags } = found('rounds = 1e-3\nflags = [True, None]');
    expect(parameterValue(rounds ?? '')).toBe(0.001);
    expect(parameterValue(flags ?? '')).toEqual([true, null]);
    expect(parameterValue('"quoted"')).toBe('quoted');
    expect(parameterValue("it's")).toBe("it's");
    expect(parameterValue('plain text')).toBe('plain text');
    expect(parameterValue('True')).toBe(true);
  });
});

describe('notebooks that run as jobs', () => {
  afterEach(() => Notification.dismiss());

  function setUp(status = 'InProgress') {
    const client = new FakeClient({
      'sagemaker:DescribeTrainingJob': request => {
        if (request.TrainingJobName === 'gone') {
          throw new BottegaError('ValidationException', 'Not found.', 400);
        }
        return job({ TrainingJobStatus: status as 'InProgress' });
      }
    });
    const opened: string[] = [];
    client.collectNotebook = name =>
      Promise.resolve({ notebook: `report-${name}.ipynb`, html: '' });
    const state = new StateDB();
    const make = (): NotebookJobs =>
      new NotebookJobs({
        client,
        trans,
        state,
        open: path => {
          opened.push(path);
          return Promise.resolve();
        }
      });
    return { client, opened, make };
  }

  const messages = (): string[] =>
    Notification.manager.notifications.map(item => item.message);

  it('offer the executed copy when they end', async () => {
    const { client, opened, make } = setUp();
    const jobs = make();
    await jobs.add('report-1');
    client.events.happen({
      Kind: 'TrainingJob',
      Name: 'report-1',
      Status: 'InProgress'
    });
    client.events.happen({
      Kind: 'TrainingJob',
      Name: 'other',
      Status: 'Completed'
    });
    expect(messages()).toEqual([]);
    client.events.happen({
      Kind: 'TrainingJob',
      Name: 'report-1',
      Status: 'Completed'
    });
    expect(messages()).toEqual([
      'The notebook of job report-1 has been executed'
    ]);
    const [action] =
      Notification.manager.notifications[0]?.options.actions ?? [];
    expect(action?.label).toBe('Open executed notebook');
    action?.callback(new MouseEvent('click'));
    await Promise.resolve();
    await Promise.resolve();
    expect(opened).toEqual(['report-report-1.ipynb']);
    client.events.happen({
      Kind: 'TrainingJob',
      Name: 'report-1',
      Status: 'Completed'
    });
    expect(messages()).toHaveLength(1);
    jobs.dispose();
  });

  it('are remembered over a reload, and told of when they ended meanwhile', async () => {
    const before = setUp('Failed');
    const first = before.make();
    await first.add('report-1');
    await first.add('gone');
    first.dispose();
    const second = before.make();
    await second.restore();
    expect(messages()).toEqual([
      'The notebook of job report-1 came to no end: Failed'
    ]);
    second.dispose();
    const third = before.make();
    await third.restore();
    expect(messages()).toHaveLength(1);
    third.dispose();
  });

  it('are looked at again when events were lost', async () => {
    const { client, make } = setUp('Completed');
    const jobs = make();
    await jobs.add('report-1');
    client.events.lose();
    await new Promise(resolve => {
      Notification.manager.changed.connect(resolve);
    });
    expect(messages()).toHaveLength(1);
    jobs.dispose();
  });
});
