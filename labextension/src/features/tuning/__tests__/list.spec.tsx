import { fireEvent, screen, waitFor } from '@testing-library/react';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { ITuningOverview } from '../../../api/types/tuning';
import type { Answers } from '../../../testing/fakeClient';
import { FakeClient, screenProps, trans } from '../../../testing/fakeClient';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import { TUNE_COMMAND } from '../commands';
import { TuningsScreen } from '../list';
import { listPython } from '../python';
import { tuningSection } from '../section';
import { NOW, overview } from './examples';

beforeAll(giveSizes);

function listing(rows: ITuningOverview[], total = rows.length): Answers {
  return {
    'bottega:ListTuningOverviews': ({
      Offset: offset = 0,
      MaxResults: max
    }) => ({
      Tunings: rows.slice(0, Math.min(max ?? 50, total - offset)),
      Total: total
    })
  };
}

const show = (answers: Answers, parameters: Record<string, string> = {}) =>
  showScreen(TuningsScreen, screenProps(answers, { parameters }));

describe('the list of tuning jobs', () => {
  it('shows status, trials, the best, and opens one', async () => {
    const { studio, container } = show(
      listing([overview('churn'), overview('sales', { Status: 'InProgress' })])
    );
    const row = (await screen.findByText('churn')).closest('[role="row"]');
    expect(row?.textContent).toContain('Completed');
    expect(row?.textContent).toContain('12 / 12');
    expect(row?.textContent).toContain('10 completed, 1 stopped, 1 failed');
    expect(row?.textContent).toContain('0.4124');
    fireEvent.click(screen.getByText('sales'));
    expect(studio.opened).toEqual(['tuning/sales']);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('asks the server for its order and its filter', async () => {
    const { client, frame } = show(listing([overview('churn')]), {
      filter: 'status:Completed'
    });
    fireEvent.click(await screen.findByRole('button', { name: /^Best/ }));
    expect(frame.parameters).toMatchObject({ sort: 'BestValue', order: '' });
    await waitFor(() =>
      expect(client.requests('bottega:ListTuningOverviews').at(-1)).toEqual({
        Offset: 0,
        MaxResults: 100,
        Filter: 'status:Completed',
        SortBy: 'BestValue',
        SortOrder: 'Descending'
      })
    );
  });

  it('draws what is in sight of ten thousand', async () => {
    const rows = Array.from({ length: 100 }, (_, at) => overview(`job-${at}`));
    const { container } = show(listing(rows, 10_000));
    await screen.findByText('job-0');
    expect(screen.getByRole('grid').getAttribute('aria-rowcount')).toBe(
      '10001'
    );
    expect(container.querySelectorAll('[role="row"]').length).toBeLessThan(60);
    expect(screen.getByRole('status')?.textContent).toContain('10,000');
  });

  it('leads to the form where there is nothing', async () => {
    const { studio } = show(listing([]));
    await screen.findByText(/No model has been tuned here yet/);
    const [, button] = screen.getAllByRole('button', { name: 'Tune a model' });
    fireEvent.click(button as HTMLElement);
    expect(studio.executed).toEqual([{ command: TUNE_COMMAND, args: {} }]);
  });

  it('says at the filter what is wrong with it', async () => {
    show(
      {
        'bottega:ListTuningOverviews': () => {
          throw new BottegaError('ValidationException', 'No such word.', 400);
        }
      },
      { filter: 'colour:red' }
    );
    expect((await screen.findByRole('alert'))?.textContent).toContain(
      'No such word.'
    );
    screen.getByText('The filter “colour:red” is not understood.');
  });

  it('says why it cannot be read', async () => {
    show({
      'bottega:ListTuningOverviews': () => {
        throw new BottegaError('AccessDenied', 'Not for you.', 403);
      }
    });
    expect((await screen.findByRole('alert'))?.textContent).toContain(
      'Not for you.'
    );
  });

  it('is read again when a tuning job changes', async () => {
    const { client } = show(listing([overview('churn')]));
    await screen.findByText('churn');
    const before = client.requests('bottega:ListTuningOverviews').length;
    client.events.happen({ Kind: 'TrainingJob', Name: 'x' });
    client.events.happen({ Kind: 'HyperParameterTuningJob', Name: 'churn' });
    await waitFor(() =>
      expect(client.requests('bottega:ListTuningOverviews')).toHaveLength(
        before + 1
      )
    );
  });
});

describe('the code of a list', () => {
  it('is boto3 where SageMaker knows the order, else our own', () => {
    const plain = { SortBy: 'Name', SortOrder: 'Ascending' } as const;
    expect(listPython(plain)).toContain('list_hyper_parameter_tuning_jobs');
    const best = { ...plain, SortBy: 'BestValue' } as const;
    expect(listPython(best)).toContain('"ListTuningOverviews"');
    expect(listPython({ ...plain, Filter: 'x' })).toContain('"Filter": "x"');
  });
});

describe('the section of the sidebar', () => {
  const load = (tunings: ITuningOverview[], statuses: Record<string, number>) =>
    tuningSection(
      new FakeClient({
        ...listing(tunings),
        'bottega:DescribeActivity': () => ({
          ComputeSecondsToday: 0,
          Kinds: [
            { Kind: 'HyperParameterTuningJob', Statuses: statuses, Total: 2 }
          ]
        })
      }),
      trans
    ).load();

  it('counts what runs, and has the newest with how far they are', async () => {
    const running = overview('sales', {
      Status: 'InProgress',
      Trials: { ...overview('x').Trials, Total: 5, InProgress: 2, Limit: 20 }
    });
    const found = await load([running, overview('churn')], {
      InProgress: 1,
      Completed: 1
    });
    expect(found.count).toBe('1 running');
    expect(found.items).toEqual([
      {
        label: 'sales',
        path: 'tuning/sales',
        status: 'InProgress',
        note: '3 / 20'
      },
      {
        label: 'churn',
        path: 'tuning/churn',
        status: 'Completed',
        note: '0.4124'
      }
    ]);
  });

  it('counts all where none runs, and nothing where there is none', async () => {
    expect((await load([overview('churn')], { Completed: 1 })).count).toBe('1');
    expect((await load([], {})).count).toBe('');
    const { concerns } = tuningSection(new FakeClient(), trans);
    const event = { Time: NOW, Type: 'ResourceChanged' } as const;
    expect(concerns({ ...event, Kind: 'HyperParameterTuningJob' })).toBe(true);
    expect(concerns({ ...event, Kind: 'TrainingJob' })).toBe(false);
  });
});
