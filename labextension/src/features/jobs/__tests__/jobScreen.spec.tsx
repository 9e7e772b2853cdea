import { acceptDialog } from '@jupyterlab/testing';
import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IDescribeTrainingJobResponse } from '../../../api/types/training';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { explained } from '../../../testing/failureExamples';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import type { ShownScreen } from '../../../testing/liveScreen';
import { JobScreen } from '../jobScreen';
import { course, job, lineage, NOON, overview, runningJob } from './examples';

// Plotly draws on canvases, which the tests' browser has none of.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: (node: HTMLElement) => Promise.resolve(node),
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

beforeAll(giveSizes);

const LINES = [
  'reading the data',
  'Traceback (most recent call last):',
  '  File "/opt/ml/code/bad.py", line 9, in <module>',
  'RuntimeError: the label column is missing'
];

function showJob(
  described: IDescribeTrainingJobResponse,
  parameters: Record<string, string> = {},
  answers: Answers = {}
): ShownScreen {
  const name = described.TrainingJobName;
  return showScreen(
    JobScreen,
    screenProps(
      {
        'sagemaker:DescribeTrainingJob': () => described,
        'sagemaker:ListTags': () => ({ Tags: [{ Key: 'team', Value: 'crm' }] }),
        'bottega:GetTrainingJobMetrics': ({ TrainingJobName: wanted }) => ({
          ObjectiveMetric: 'validation:auc',
          Metrics: [
            course('train:auc', [0.8, 0.9]),
            course('validation:auc', wanted === name ? [0.7, 0.8412] : [0.6]),
            course('train:logloss', [0.5, 0.4])
          ]
        }),
        'bottega:DescribeModelLineage': () => lineage(),
        'bottega:ListJobs': () => ({
          Jobs: [overview({ JobName: name }), overview({ JobName: 'other' })],
          Total: 2
        }),
        'logs:DescribeLogStreams': () => ({
          logStreams: [{ logStreamName: `${name}/algo-1-1` }]
        }),
        'bottega:ReadLogLines': ({
          FirstLine: first,
          MaxLines: count = 500
        }) => {
          const start = first ?? Math.max(0, LINES.length - count);
          return {
            TotalLines: LINES.length,
            Lines: LINES.slice(start, start + count).map((Message, index) => ({
              Number: start + index,
              Time: NOON,
              Message
            }))
          };
        },
        'bottega:ListAlgorithms': () => ({
          Frameworks: [],
          InstanceTypes: [],
          Algorithms: []
        }),
        ...answers
      },
      { name, parameters }
    )
  );
}

it('shows a job from its start to its end', async () => {
  const { container, frame, studio } = showJob(job());
  expect(
    await screen.findByRole('heading', { name: 'churn-0412', level: 1 })
  ).toBeTruthy();
  expect(frame.title).toEqual({ label: 'churn-0412', status: 'Completed' });
  const steps = within(
    screen.getByRole('list', { name: 'Status timeline' })
  ).getAllByRole('listitem');
  expect(steps.map(step => step.textContent)).toEqual([
    '✓ Starting 1.0 s',
    '✓ Downloading 1.0 s',
    '✓ Training 58.0 s',
    '✓ Uploading 1.0 s',
    '✓ Completed'
  ]);
  const auc = await screen.findByRole('region', { name: 'auc' });
  expect(auc.textContent).toMatch(/train 0.9.*validation 0.8412 ★/);
  expect(
    await screen.findByText(/RuntimeError: the label column/)
  ).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'run in churn' }));
  expect(studio.opened).toEqual(['runs/abcdef0123456789']);
  expect(screen.queryByRole('button', { name: 'Stop' })).toBeNull();
  await waitFor(() => expect(screen.queryByLabelText('Loading')).toBeNull());
  expect((await axe(container)).violations).toEqual([]);
});

it('clones, deploys and gives itself as Python', async () => {
  const { studio } = showJob(job());
  await userEvent.click(await screen.findByRole('button', { name: 'Clone' }));
  await userEvent.click(screen.getByRole('button', { name: 'Deploy' }));
  expect(studio.executed).toEqual([
    { command: 'bottega:train', args: { clone: 'churn-0412' } },
    { command: 'bottega:deploy', args: { job: 'churn-0412' } }
  ]);
  await userEvent.click(
    screen.getByRole('button', { name: 'Open in notebook' })
  );
  const code = studio.notebooks[0]?.code;
  expect(code).toContain('create_training_job');
  expect(code).toContain('"team"');
});

it('is tuned, and leads to the tuning job that it is a trial of', async () => {
  const { studio } = showJob({
    ...job(),
    TuningJobArn:
      'arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/search'
  });
  await userEvent.click(await screen.findByRole('button', { name: 'Tune' }));
  expect(studio.executed).toEqual([
    { command: 'bottega:tune', args: { clone: job().TrainingJobName } }
  ]);
  await userEvent.click(
    screen.getByRole('button', { name: 'trial of search' })
  );
  expect(studio.opened).toEqual(['tuning/search']);
});

it('shows a running job move on, and stops it when that is confirmed', async () => {
  let described = runningJob();
  const stopped: unknown[] = [];
  const { client, frame } = showJob(
    described,
    {},
    {
      'sagemaker:DescribeTrainingJob': () => described,
      'sagemaker:StopTrainingJob': request => {
        stopped.push(request);
        return {};
      }
    }
  );
  const present = await screen.findByRole('listitem', { current: 'step' });
  await waitFor(() =>
    expect(present.textContent).toMatch(/Training .* round 2 of 300/)
  );
  expect(screen.queryByRole('button', { name: 'Deploy' })).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Stop' }));
  await acceptDialog();
  await waitFor(() => expect(stopped).toHaveLength(1));

  described = job({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' });
  act(() => client.events.happen({ Kind: 'TrainingJob', Name: 'churn-0412' }));
  await waitFor(() => expect(frame.title.status).toBe('Stopped'));
  expect(screen.getByRole('button', { name: 'Delete' })).toBeTruthy();
});

it('reads the metrics again when there are new ones', async () => {
  const { client } = showJob(runningJob());
  await screen.findByRole('region', { name: 'auc' });
  const before = client.requests('bottega:GetTrainingJobMetrics').length;
  act(() =>
    client.events.happen({
      Type: 'MetricsChanged',
      Kind: 'TrainingJob',
      Name: 'churn-0412'
    })
  );
  await waitFor(() =>
    expect(
      client.requests('bottega:GetTrainingJobMetrics').length
    ).toBeGreaterThan(before)
  );
});

it('compares with another job of the same algorithm', async () => {
  const { client, frame } = showJob(job());
  await screen.findByRole('option', { name: 'other' });
  await userEvent.selectOptions(
    screen.getByRole('combobox', { name: 'Compare with another job' }),
    'other'
  );
  expect(frame.parameters['compare']).toBe('other');
  const auc = screen.getByRole('region', { name: 'auc' });
  expect(await within(auc).findByText('other')).toBeTruthy();
  expect(client.requests('bottega:ListJobs')[0]?.Filter).toBe(
    'kind:Training algorithm:xgboost'
  );
});

it('says first why a job failed', async () => {
  const failed = job({
    TrainingJobStatus: 'Failed',
    SecondaryStatus: 'Failed',
    FailureReason:
      'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "RuntimeError: the label column is missing"\nCommand "x"'
  });
  const { client, container, frame } = showJob(
    failed,
    { tab: 'configuration' },
    { 'bottega:ExplainJobFailure': () => explained() }
  );
  const card = await screen.findByRole('region', {
    name: 'Why the job failed'
  });
  expect(await within(card).findByText('Missing label column')).toBeTruthy();
  expect(client.requests('bottega:ExplainJobFailure')).toEqual([
    { JobKind: 'Training', JobName: 'churn-0412' }
  ]);
  expect((await axe(container)).violations).toEqual([]);
  await userEvent.click(
    within(card).getByRole('button', { name: 'Open the log at this line' })
  );
  expect(frame.parameters).toMatchObject({
    tab: 'logs',
    stream: 'churn-0412/algo-1-1',
    line: '6'
  });
});

it('shows the line of the log that it is led to', async () => {
  showJob(job(), {
    tab: 'logs',
    stream: 'churn-0412/algo-1-1',
    line: '2'
  });
  const line = await screen.findByText(/bad.py", line 9/);
  await waitFor(() =>
    expect(line.closest('[aria-current="true"]')).not.toBeNull()
  );
  expect(document.activeElement?.getAttribute('aria-label')).toMatch(
    /^Lines of/
  );
});

it('explains a job that ran out of time, and no other that was stopped', async () => {
  const { studio } = showJob(
    job({
      TrainingJobStatus: 'Stopped',
      SecondaryStatus: 'MaxRuntimeExceeded'
    }),
    {},
    { 'bottega:ExplainJobFailure': () => explained() }
  );
  await userEvent.click(
    await screen.findByRole('button', { name: 'Clone and change' })
  );
  expect(studio.executed).toEqual([
    { command: 'bottega:train', args: { clone: 'churn-0412' } }
  ]);
});

it('deletes an ended job, leaves its screen, and says why when it cannot', async () => {
  let refused = true;
  const { frame, studio } = showJob(
    job(),
    {},
    {
      'sagemaker:DeleteTrainingJob': () => {
        if (refused) {
          throw new BottegaError('ResourceInUse', 'It is being read.', 400);
        }
        return {};
      }
    }
  );
  const button = await screen.findByRole('button', { name: 'Delete' });
  await userEvent.click(button);
  await acceptDialog();
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /It is being read/
  );
  refused = false;
  await userEvent.click(button);
  await acceptDialog();
  await waitFor(() => expect(frame.closed).toBe(true));
  expect(studio.opened).toEqual(['jobs']);
});

it('leads to the list from a job that is not there', async () => {
  const missing = (): never => {
    throw new BottegaError(
      'ValidationException',
      'Requested resource not found.',
      400
    );
  };
  const { container, studio } = showJob(
    job(),
    {},
    {
      'sagemaker:DescribeTrainingJob': missing
    }
  );
  expect(await screen.findByText('There is no job churn-0412.')).toBeTruthy();
  expect((await axe(container)).violations).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Open all jobs' }));
  expect(studio.opened).toEqual(['jobs']);
});

it('says why a job cannot be read, and tries again', async () => {
  let broken = true;
  showJob(
    job(),
    {},
    {
      'sagemaker:DescribeTrainingJob': () => {
        if (broken) {
          throw new BottegaError('InternalFailure', 'The store is gone.', 500);
        }
        return job();
      }
    }
  );
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /The job cannot be read.*The store is gone/
  );
  broken = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('heading', { level: 1 })).toBeTruthy();
});
