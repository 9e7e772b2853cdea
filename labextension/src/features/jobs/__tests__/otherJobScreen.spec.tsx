import { acceptDialog, dismissDialog } from '@jupyterlab/testing';
import { act, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IDescribeProcessingJobResponse } from '../../../api/types/processing';
import type { IDescribeTransformJobResponse } from '../../../api/types/transform';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import type { ShownScreen } from '../../../testing/liveScreen';
import { ProcessingJobScreen, TransformJobScreen } from '../otherJobScreen';
import { NOON } from './examples';

beforeAll(giveSizes);

function processing(
  changes: Partial<IDescribeProcessingJobResponse> = {}
): IDescribeProcessingJobResponse {
  return {
    ProcessingJobName: 'clean',
    ProcessingJobArn: 'arn:aws:sagemaker:x:0:processing-job/clean',
    ProcessingJobStatus: 'Completed',
    CreationTime: NOON,
    ProcessingStartTime: NOON + 1,
    ProcessingEndTime: NOON + 62,
    ExitMessage: 'ten rows left out',
    RoleArn: 'arn:aws:iam::0:role/r',
    AppSpecification: {
      ImageUri: 'sagemaker-scikit-learn',
      ContainerEntrypoint: [
        'python3',
        '/opt/ml/processing/input/code/clean.py'
      ],
      ContainerArguments: ['--rows', '10']
    },
    ProcessingResources: {
      ClusterConfig: {
        InstanceCount: 2,
        InstanceType: 'ml.m5.large',
        VolumeSizeInGB: 30
      }
    },
    ProcessingInputs: [
      {
        InputName: 'raw',
        S3Input: {
          S3Uri: 's3://b/raw/',
          LocalPath: '/opt/ml/processing/input/raw',
          S3DataType: 'S3Prefix',
          S3DataDistributionType: 'ShardedByS3Key'
        }
      }
    ],
    ProcessingOutputConfig: {
      Outputs: [
        {
          OutputName: 'clean',
          AppManaged: true,
          S3Output: { S3Uri: 's3://b/clean', S3UploadMode: 'EndOfJob' }
        }
      ]
    },
    ...changes
  };
}

function transform(
  changes: Partial<IDescribeTransformJobResponse> = {}
): IDescribeTransformJobResponse {
  return {
    TransformJobName: 'score',
    TransformJobArn: 'arn:aws:sagemaker:x:0:transform-job/score',
    TransformJobStatus: 'InProgress',
    ModelName: 'churn-model',
    CreationTime: NOON,
    TransformStartTime: NOON + 1,
    TransformInput: {
      DataSource: {
        S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://b/rows/' }
      },
      ContentType: 'text/csv',
      SplitType: 'Line'
    },
    TransformOutput: { S3OutputPath: 's3://b/scores', AssembleWith: 'Line' },
    TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
    ...changes
  };
}

const LOGS: Answers = {
  'logs:DescribeLogStreams': () => ({
    logStreams: [{ logStreamName: 'clean/algo-1-1' }]
  }),
  'bottega:ReadLogLines': () => ({
    TotalLines: 1,
    Lines: [{ Number: 0, Time: NOON, Message: 'ten rows' }]
  })
};

function showProcessing(
  described: IDescribeProcessingJobResponse,
  parameters: Record<string, string> = {},
  answers: Answers = {}
): ShownScreen {
  return showScreen(
    ProcessingJobScreen,
    screenProps(
      {
        ...LOGS,
        'sagemaker:DescribeProcessingJob': () => described,
        ...answers
      },
      { name: described.ProcessingJobName, parameters }
    )
  );
}

it('shows a processing job with its log and what it said', async () => {
  const { client, container, frame } = showProcessing(processing());
  expect(await screen.findByText(/2 × ml.m5.large/)).toBeTruthy();
  expect(screen.getByText(/· 1:01/)).toBeTruthy();
  expect(screen.getByText('Exit message: ten rows left out')).toBeTruthy();
  expect(await screen.findByText('ten rows')).toBeTruthy();
  expect(client.requests('logs:DescribeLogStreams')[0]).toMatchObject({
    logGroupName: '/aws/sagemaker/ProcessingJobs',
    logStreamNamePrefix: 'clean/'
  });
  expect(frame.title.label).toBe('clean');
  expect((await axe(container)).violations).toEqual([]);
});

it('says where a job reads and writes, and what it was asked to do', async () => {
  const { container, frame } = showProcessing(processing(), { tab: 'data' });
  const row = await screen.findByRole('row', { name: /raw/ });
  expect(row.textContent).toContain('s3://b/raw/');
  expect(row.textContent).toContain('ShardedByS3Key');
  expect(
    screen.getByRole('row', { name: /s3:\/\/b\/clean/ }).textContent
  ).toContain('managed by the program');
  expect((await axe(container)).violations).toEqual([]);
  act(() => frame.setParameters({ tab: 'configuration' }));
  expect(
    await screen.findByText(
      'python3 /opt/ml/processing/input/code/clean.py --rows 10'
    )
  ).toBeTruthy();
  expect(screen.getByText('No variables were set.')).toBeTruthy();
});

it('says why a job failed', async () => {
  const { container, frame } = showProcessing(
    processing({
      ProcessingJobStatus: 'Failed',
      FailureReason: 'AlgorithmError: no rows, exit code: 1'
    }),
    { tab: 'data' }
  );
  // The fake has no explanation: the reason stands for it.
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('no rows, exit code: 1');
  await screen.findByText(/What is behind it cannot be told/);
  await userEvent.click(screen.getByRole('button', { name: 'Open the log' }));
  expect(frame.parameters['tab']).toBe('logs');
  expect((await axe(container)).violations).toEqual([]);
});

it('gives a job as Python under a free name', async () => {
  const { studio } = showProcessing(processing());
  await userEvent.click(
    await screen.findByRole('button', { name: 'Open in notebook' })
  );
  const code = studio.notebooks[0]?.code ?? '';
  expect(code).toContain('sagemaker.create_processing_job(');
  expect(code).toMatch(/ProcessingJobName="clean-\d{8}-\d{6}"/);
  expect(code).toContain('s3://b/raw/');
  expect(code).not.toContain('ExitMessage');
});

it('deletes a processing job that has ended, when that is confirmed', async () => {
  const { client, studio } = showProcessing(
    processing(),
    {},
    {
      'sagemaker:DeleteProcessingJob': () => ({})
    }
  );
  const button = await screen.findByRole('button', { name: 'Delete' });
  await userEvent.click(button);
  await dismissDialog();
  expect(client.requests('sagemaker:DeleteProcessingJob')).toEqual([]);
  await userEvent.click(button);
  await acceptDialog();
  await waitFor(() => expect(studio.opened).toEqual(['jobs']));
  expect(client.requests('sagemaker:DeleteProcessingJob')).toEqual([
    { ProcessingJobName: 'clean' }
  ]);
});

it('shows a transform job, stops it, and says what is refused', async () => {
  let refused = true;
  const { client, container } = showScreen(
    TransformJobScreen,
    screenProps(
      {
        ...LOGS,
        'sagemaker:DescribeTransformJob': () => transform(),
        'sagemaker:StopTransformJob': () => {
          if (refused) {
            throw new BottegaError('InternalFailure', 'The disk is full.', 500);
          }
          return {};
        }
      },
      { name: 'score', parameters: { tab: 'data' } }
    )
  );
  expect(await screen.findByText(/transform job of churn-model/)).toBeTruthy();
  expect(
    screen.getByRole('row', { name: /s3:\/\/b\/rows\// }).textContent
  ).toContain('text/csv · Line');
  expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull();
  const stop = screen.getByRole('button', { name: 'Stop' });
  await userEvent.click(stop);
  await acceptDialog();
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /That could not be done.*The disk is full/
  );
  refused = false;
  await userEvent.click(stop);
  await acceptDialog();
  await waitFor(() =>
    expect(client.requests('sagemaker:StopTransformJob')).toHaveLength(2)
  );
  expect((await axe(container)).violations).toEqual([]);
});

it('follows a job until it is deleted', async () => {
  let gone = false;
  const { client, studio } = showProcessing(
    processing(),
    {},
    {
      'sagemaker:DescribeProcessingJob': () => {
        if (gone) {
          throw new BottegaError(
            'ValidationException',
            'Could not find requested job with name: clean',
            400
          );
        }
        return processing();
      }
    }
  );
  await screen.findByText('Exit message: ten rows left out');
  gone = true;
  act(() => client.events.happen({ Kind: 'ProcessingJob', Name: 'clean' }));
  expect(await screen.findByText('The job clean was deleted.')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Open all jobs' }));
  expect(studio.opened).toEqual(['jobs']);
});

it('says why a job cannot be read', async () => {
  const { container } = showProcessing(
    processing(),
    {},
    {
      'sagemaker:DescribeProcessingJob': () => {
        throw new BottegaError('InternalFailure', 'The store is gone.', 500);
      }
    }
  );
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /The job cannot be read.*The store is gone/
  );
  expect((await axe(container)).violations).toEqual([]);
});
