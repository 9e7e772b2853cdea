import { acceptDialog, waitForDialog } from '@jupyterlab/testing';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { explained } from '../../../testing/failureExamples';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import { TuningScreen } from '../tuningScreen';
import { answers, description, progress, trial } from './examples';

// Plotly measures what jsdom does not lay out.
jest.mock('../../../shared/charts/plot', () => ({
  Plot: (props: { label: string; data: object[] }) => (
    <div role="img" aria-label={props.label}>
      {JSON.stringify(props.data)}
    </div>
  )
}));

beforeAll(giveSizes);

const show = (more: Answers = {}, parameters: Record<string, string> = {}) =>
  showScreen(
    TuningScreen,
    screenProps(answers(more), { name: 'churn', parameters })
  );

describe('the screen of a tuning job', () => {
  it('says how far it is, what is best, and what matters', async () => {
    const { container, frame, studio } = show();
    await screen.findByRole('heading', { name: 'churn' });
    expect(frame.title).toEqual({ label: 'churn', status: 'InProgress' });
    expect(container.textContent).toContain(
      '3 / 20 trials ended · 2 completed, 1 stopped early, 1 running'
    );
    expect(container.textContent).toContain(
      'Bayesian · xgboost · validation:rmse, lower is better'
    );
    expect(
      screen
        .getByRole('progressbar', { name: 'Trials that have ended' })
        .getAttribute('value')
    ).toBe('3');
    screen.getByRole('img', {
      name: 'The best validation:rmse over 3 trials: from 0.6 to 0.4'
    });
    const best = within(screen.getByRole('region', { name: 'Best trial' }));
    best.getByText('gbtree');
    fireEvent.click(
      best.getByRole('button', { name: 'Open its training job' })
    );
    expect(studio.opened).toEqual(['jobs/churn-002-0a1b2c3d']);
    const rows = within(
      screen.getByRole('region', { name: 'Importance' })
    ).getAllByRole('row');
    expect(rows.map(row => row.textContent)).toEqual([
      'ParameterBarImportance',
      'eta80 %',
      'booster20 %'
    ]);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('draws the best over trials or over time', async () => {
    const { frame } = show();
    const over = await screen.findByRole('combobox', { name: 'Over' });
    const x = (): number[] => {
      const [points] = JSON.parse(
        screen.getByRole('img', { name: /The best/ }).textContent ?? ''
      ) as Array<{ x: number[] }>;
      return points?.x ?? [];
    };
    expect(x()).toEqual([1, 2, 3]);
    fireEvent.change(over, { target: { value: 'time' } });
    expect(frame.parameters['over']).toBe('time');
    expect(x().map(Math.round)).toEqual([23, 30, 40]);
  });

  it('says before the first trial that there is nothing yet', async () => {
    const rest = progress({
      Trials: {
        Total: 0,
        InProgress: 0,
        Completed: 0,
        Stopped: 0,
        Failed: 0,
        Succeeded: 0
      },
      Best: { Numbers: [], Times: [], Values: [], Best: [] },
      Parameters: [],
      StoppedEarly: 0,
      Waiting: 2,
      SecondsLeft: 90
    });
    delete rest.BestTrial;
    const { container } = show({
      'bottega:DescribeTuningProgress': () => rest
    });
    expect(
      await screen.findAllByText('No trial has a final objective yet.')
    ).toHaveLength(2);
    screen.getByText(/Too few trials have ended/);
    expect(container.textContent).toContain(
      '0 trials ended · 2 wait for a free slot · 2 min left at most'
    );
    expect(screen.queryByRole('progressbar')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Deploy best' })).toBeNull();
  });

  it('promises nothing of a search that has ended without an objective', async () => {
    const ended = progress({
      Status: 'Failed',
      Best: { Numbers: [], Times: [], Values: [], Best: [] }
    });
    delete ended.BestTrial;
    show({ 'bottega:DescribeTuningProgress': () => ended });
    expect(
      await screen.findAllByText('No trial has a final objective.')
    ).toHaveLength(2);
  });

  it('is read again when the tuning job changes', async () => {
    let status = 'InProgress';
    const { client } = show({
      'bottega:DescribeTuningProgress': () =>
        progress({ Status: status, EndReason: 'All 20 were launched.' })
    });
    await screen.findByRole('button', { name: 'Stop' });
    status = 'Completed';
    client.events.happen({ Kind: 'HyperParameterTuningJob', Name: 'other' });
    client.events.happen({ Kind: 'HyperParameterTuningJob', Name: 'churn' });
    await screen.findByRole('button', { name: 'Delete' });
    screen.getByText('All 20 were launched.');
    expect(client.requests('bottega:DescribeTuningProgress')).toHaveLength(2);
  });

  it('stops after asking', async () => {
    const { client } = show({
      'sagemaker:StopHyperParameterTuningJob': () => ({})
    });
    fireEvent.click(await screen.findByRole('button', { name: 'Stop' }));
    await waitForDialog();
    await acceptDialog();
    await waitFor(() =>
      expect(client.requests('sagemaker:StopHyperParameterTuningJob')).toEqual([
        { HyperParameterTuningJobName: 'churn' }
      ])
    );
  });

  it('deletes after asking, and says why it cannot', async () => {
    let refused = true;
    const { frame, studio } = show({
      'bottega:DescribeTuningProgress': () => progress({ Status: 'Stopped' }),
      'sagemaker:DeleteHyperParameterTuningJob': () => {
        if (refused) {
          throw new BottegaError('ResourceInUse', 'It is needed.', 400);
        }
        return {};
      }
    });
    fireEvent.click(await screen.findByRole('button', { name: 'Delete' }));
    await waitForDialog();
    await acceptDialog();
    expect((await screen.findByRole('alert'))?.textContent).toContain(
      'It is needed.'
    );
    refused = false;
    fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
    await waitForDialog();
    await acceptDialog();
    await waitFor(() => expect(frame.closed).toBe(true));
    expect(studio.opened).toEqual(['tuning']);
  });

  it('deploys the best, and is code', async () => {
    const { studio } = show();
    fireEvent.click(await screen.findByRole('button', { name: 'Deploy best' }));
    expect(studio.executed).toEqual([
      { command: 'bottega:deploy', args: { job: 'churn-002-0a1b2c3d' } }
    ]);
    fireEvent.click(screen.getByRole('button', { name: 'Open in notebook' }));
    expect(studio.notebooks[0]?.code).toContain('tuning_job("churn")');
    await screen.findByRole('button', { name: 'Copy as Python' });
  });

  const failed: Answers = {
    'bottega:DescribeTuningProgress': () =>
      progress({ Status: 'Failed', FailureReason: 'All trials failed.' })
  };

  it('explains by one of its training jobs why it failed', async () => {
    const { client, studio } = show({
      ...failed,
      'bottega:ExplainJobFailure': () =>
        explained({ JobName: 'churn-002-0a1b2c3d' })
    });
    await screen.findByText('in the training job churn-002-0a1b2c3d');
    expect(client.requests('bottega:ExplainJobFailure')).toEqual([
      { JobKind: 'HyperParameterTuning', JobName: 'churn' }
    ]);
    fireEvent.click(
      screen.getByRole('button', { name: 'Open the log at this line' })
    );
    expect(studio.opened).toEqual([
      expect.stringMatching(
        /^jobs\/churn-002-0a1b2c3d\?tab=logs&stream=churn-0412%2Falgo-1-1&line=6&asked=\d+$/
      )
    ]);
    fireEvent.click(screen.getByRole('button', { name: 'Replay' }));
    expect(studio.executed).toEqual([
      { command: 'bottega:replay-job', args: { name: 'churn-002-0a1b2c3d' } }
    ]);
  });

  it('shows why it failed where that cannot be explained', async () => {
    show({
      ...failed,
      'bottega:ExplainJobFailure': () => {
        throw new BottegaError('InternalFailure', 'no log', 500);
      }
    });
    await screen.findByText(/What is behind it cannot be told: no log/);
    expect(screen.getByRole('alert').textContent).toContain(
      'All trials failed.'
    );
  });

  it('leads back where there is no such job, and tries again after errors', async () => {
    const gone = show({
      'bottega:DescribeTuningProgress': () => {
        throw new BottegaError('ResourceNotFound', 'gone', 400);
      }
    });
    await screen.findByText('There is no tuning job churn.');
    fireEvent.click(
      screen.getByRole('button', { name: 'Open all tuning jobs' })
    );
    expect(gone.studio.opened).toEqual(['tuning']);
    show({
      'bottega:DescribeTuningProgress': () => {
        throw new BottegaError('InternalFailure', 'broken', 500);
      }
    });
    await screen.findByText('The tuning job cannot be read.');
  });
});

describe('the trials', () => {
  const tab = { tab: 'trials' };

  it('are a table with their parameters, and open their jobs', async () => {
    const { studio } = show({}, tab);
    const table = within(await screen.findByRole('grid', { name: 'Trials' }));
    const row = table
      .getByText('Its objective is worse than the median.')
      .closest('[role="row"]') as HTMLElement;
    expect(row?.textContent).toContain('Stopped');
    expect(row?.textContent).toContain('gbtree');
    within(row).getByRole('img', { name: 'Course of trial 3' });
    table.getByText('best');
    fireEvent.click(row);
    expect(studio.opened).toEqual(['jobs/churn-003-0a1b2c3d']);
  });

  it('are sorted by the server, also by a parameter', async () => {
    const { client, frame } = show({}, tab);
    fireEvent.click(await screen.findByRole('button', { name: /^eta/ }));
    expect(frame.parameters).toMatchObject({ by: 'Parameter:eta', way: '' });
    await waitFor(() =>
      expect(client.requests('bottega:ListTuningTrials').at(-1)).toMatchObject({
        SortBy: 'Parameter',
        SortParameter: 'eta',
        SortOrder: 'Descending'
      })
    );
  });

  it('of ten thousand draw those in sight', async () => {
    const { container } = show(
      {
        'bottega:ListTuningTrials': ({ Offset: offset = 0 }) => ({
          Trials: Array.from({ length: 100 }, (_, at) =>
            trial(offset + at + 1, 0.5)
          ),
          Total: 10_000
        })
      },
      tab
    );
    const table = await screen.findByRole('grid', { name: 'Trials' });
    expect(table.getAttribute('aria-rowcount')).toBe('10001');
    expect(container.querySelectorAll('[role="row"]').length).toBeLessThan(60);
  });

  it('whose job was deleted open nothing', async () => {
    const { studio } = show(
      {
        'bottega:ListTuningTrials': () => ({
          Trials: [trial(1, 0.5, { Deleted: true })],
          Total: 1
        })
      },
      tab
    );
    fireEvent.click(await screen.findByText('Deleted since.'));
    expect(studio.opened).toEqual([]);
  });

  it('say where none is there or matches', async () => {
    const none = {
      'bottega:ListTuningTrials': () => ({ Trials: [], Total: 0 })
    };
    show(none, tab);
    await screen.findByText('No trial was started yet.');
    const { frame } = show(none, { ...tab, trials: 'status:Failed' });
    await screen.findByText('No trial matches the filter “status:Failed”.');
    fireEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
    expect(frame.parameters['trials']).toBe('');
  });
});

describe('parallel coordinates', () => {
  const tab = { tab: 'parallel' };

  it('without WebGL lead to the table', async () => {
    const { frame } = show({}, tab);
    fireEvent.click(
      await screen.findByRole('button', { name: 'Show the trials' })
    );
    expect(frame.parameters['tab']).toBe('trials');
  });

  describe('with WebGL', () => {
    beforeAll(() => {
      jest
        .spyOn(HTMLCanvasElement.prototype, 'getContext')
        .mockReturnValue({} as never);
    });
    afterAll(() => jest.restoreAllMocks());

    it('have the parameters that matter first, and the objective last', async () => {
      const { client, frame } = show({}, tab);
      await screen.findByRole('img', {
        name: 'Parallel coordinates of 3 trials over eta, booster, validation:rmse'
      });
      expect(client.requests('bottega:ListTuningTrials')[0]).toMatchObject({
        Filter: 'objective:Succeeded',
        SortOrder: 'Ascending',
        CoursePoints: 0
      });
      fireEvent.click(screen.getByRole('checkbox', { name: 'eta' }));
      expect(frame.parameters['axes']).toBe('booster');
      await screen.findByRole('img', {
        name: /3 trials over booster, validation:rmse/
      });
      expect(
        (screen.getByRole('checkbox', { name: 'booster' }) as HTMLInputElement)
          .disabled
      ).toBe(true);
    });
  });
});

describe('the configuration', () => {
  it('has the search, its limits, the ranges and the training', async () => {
    const { container } = show(
      {
        'sagemaker:DescribeHyperParameterTuningJob': () =>
          description({
            WarmStartConfig: {
              ParentHyperParameterTuningJobs: [
                { HyperParameterTuningJobName: 'before' }
              ],
              WarmStartType: 'TransferLearning'
            }
          })
      },
      { tab: 'configuration' }
    );
    const ranges = within(
      await screen.findByRole('region', { name: 'Ranges' })
    );
    ranges.getByText('0.01 to 0.5');
    ranges.getByText('gbtree, dart');
    const search = screen.getByRole('region', { name: 'Search' });
    expect(search.textContent).toContain('Warm start frombefore');
    expect(search.textContent).toContain('Random seed7');
    expect(
      screen.getByRole('region', { name: 'Limits' })?.textContent
    ).toContain('Ends at the objective0.1');
    const job = screen.getByRole('region', { name: 'Training job' });
    expect(job.textContent).toContain('num_round100');
    expect(job.textContent).toContain('notequoted');
    expect((await axe(container)).violations).toEqual([]);
  });
});
