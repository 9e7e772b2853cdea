import { Notification } from '@jupyterlab/apputils';
import {
  acceptDialog,
  dismissDialog,
  waitForDialog
} from '@jupyterlab/testing';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IDescribeRunResponse } from '../../../api/types/experiments';
import type { Answers } from '../../../testing/fakeClient';
import { suggestedName } from '../acts';
import { RunScreen } from '../runScreen';
import { aRun, described, renderScreen, valueOf } from './fixtures';

// Plotly draws on canvases, which the tests' browser has none of.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: async (node: HTMLElement, data: unknown) => {
    node.dataset['drawn'] = JSON.stringify(data);
    return node;
  },
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

const RUN = aRun('abc', {
  RunName: 'sage-owl',
  Params: { depth: '6' },
  Metrics: { auc: 0.9, 'train:auc': 0.95 },
  Tags: { 'mlflow.user': 'ada' },
  TrainingJobName: 'churn-1'
});

function answers(change: Partial<IDescribeRunResponse> = {}): Answers {
  return {
    'bottega:DescribeRun': () => described(RUN, change),
    'bottega:GetRunMetrics': request => ({
      Courses: (request.Metrics ?? []).map(name => ({
        RunId: 'abc',
        Name: name,
        Steps: [0],
        Times: [0],
        Values: [name === 'auc' ? 0.9 : NaN],
        Points: 1
      }))
    }),
    'bottega:RegisterRunModel': request => ({
      ModelName: request.ModelName,
      Version: '3'
    })
  };
}

const show = (
  parameters: Record<string, string> = {},
  change: Partial<IDescribeRunResponse> = {}
): ReturnType<typeof renderScreen> =>
  renderScreen(RunScreen, answers(change), { name: 'abc', parameters });

describe('a run', () => {
  it('has its name, status and ways to experiment and job in the header', async () => {
    const { container, frame, studio } = show();
    expect(
      await screen.findByRole('heading', { name: 'sage-owl' })
    ).toBeTruthy();
    expect(frame.title).toEqual({ label: 'sage-owl', status: 'FINISHED' });
    await userEvent.click(screen.getByRole('link', { name: 'churn' }));
    await userEvent.click(screen.getByRole('link', { name: 'churn-1' }));
    expect(studio.opened).toEqual(['experiments/7', 'jobs/churn-1']);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('draws a chart for each metric, and says where there is nothing to draw', async () => {
    show();
    expect(
      await screen.findByRole('img', { name: 'auc of sage-owl' })
    ).toBeTruthy();
    expect(
      screen.getByText('None of its values is a finite number.')
    ).toBeTruthy();
    await userEvent.type(screen.getByLabelText('Search metrics'), 'train');
    await waitFor(() =>
      expect(screen.queryByRole('img', { name: 'auc of sage-owl' })).toBeNull()
    );
  });

  it('offers its files, and names models that are kept beside them', async () => {
    const { container } = show(
      { tab: 'artifacts' },
      {
        Artifacts: [
          { Path: 'summary.json', IsDirectory: false, SizeBytes: 812 },
          { Path: 'plots', IsDirectory: true }
        ],
        LoggedModels: ['model']
      }
    );
    expect(
      (await screen.findByRole('link', { name: 'summary.json' })).getAttribute(
        'href'
      )
    ).toBe('/bottega/runs/abc/artifacts?path=summary.json');
    expect(
      screen.getByRole('row', { name: 'summary.json 812 B file' })
    ).toBeTruthy();
    expect(screen.getByRole('row', { name: 'plots/ folder' })).toBeTruthy();
    expect(screen.getByRole('row', { name: 'model/ model' })).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
  });

  it('shows data and environment, parameters and tags', async () => {
    show(
      { tab: 'data' },
      {
        Inputs: [{ Name: 'customers', Context: 'train', Digest: '1f' }],
        Environment: { numpy: '2.0' }
      }
    );
    expect(
      await screen.findByRole('row', { name: 'customers train 1f' })
    ).toBeTruthy();
    expect(screen.getByRole('row', { name: 'numpy 2.0' })).toBeTruthy();
    await userEvent.click(screen.getByRole('tab', { name: 'Parameters' }));
    expect(screen.getByRole('row', { name: 'depth 6' })).toBeTruthy();
    await userEvent.click(screen.getByRole('tab', { name: 'Tags' }));
    expect(screen.getByRole('row', { name: 'mlflow.user ada' })).toBeTruthy();
  });

  it('is loaded in a notebook and deployed', async () => {
    const { studio } = show({}, { LoggedModels: ['model'] });
    await userEvent.click(await screen.findByText('Open in notebook'));
    expect(studio.notebooks[0]?.code).toContain('mlflow.get_run("abc")');
    expect(studio.notebooks[0]?.code).toContain('runs:/abc/model');
    await userEvent.click(screen.getByText('Deploy…'));
    expect(studio.executed).toEqual([
      { command: 'bottega:deploy', args: { run: 'abc' } }
    ]);
  });

  it('that is not there says so', async () => {
    renderScreen(
      RunScreen,
      {
        'bottega:DescribeRun': () => {
          throw new BottegaError('ResourceNotFound', 'There is no run.', 400);
        }
      },
      { name: 'gone' }
    );
    expect(await screen.findByText('There is no run.')).toBeTruthy();
  });
});

describe('registering the model of a run', () => {
  it('suggests a name that a model may have', () => {
    expect(suggestedName('/Users/ada: churn!')).toBe('Users-ada-churn');
  });

  it('says which version it became', async () => {
    const { client } = show({}, { LoggedModels: ['model'] });
    await userEvent.click(await screen.findByText('Register…'));
    await waitForDialog();
    const name = await screen.findByLabelText('Name of the model');
    expect(valueOf(name)).toBe('churn');
    await userEvent.clear(name);
    await userEvent.type(name, 'churn-best');
    await acceptDialog();
    await waitFor(() =>
      expect(
        Notification.manager.notifications.map(item => item.message)
      ).toContain('sage-owl is now version 3 of the model churn-best.')
    );
    expect(client.requests('bottega:RegisterRunModel')).toEqual([
      { RunId: 'abc', ModelName: 'churn-best' }
    ]);
  });

  it('asks which one where the run has several', async () => {
    const { client } = show({}, { LoggedModels: ['first', 'second'] });
    await userEvent.click(await screen.findByText('Register…'));
    await waitForDialog();
    await userEvent.selectOptions(
      await screen.findByLabelText('Which of its models'),
      'second'
    );
    await acceptDialog();
    await waitFor(() =>
      expect(client.requests('bottega:RegisterRunModel')).toEqual([
        { RunId: 'abc', ModelName: 'churn', ArtifactPath: 'second' }
      ])
    );
  });

  it('shows why it was refused', async () => {
    const { client } = show();
    client.answers['bottega:RegisterRunModel'] = () => {
      throw new BottegaError('ValidationException', 'It has no model.', 400);
    };
    await userEvent.click(await screen.findByText('Register…'));
    await waitForDialog();
    expect(await screen.findByText(/has logged no model/)).toBeTruthy();
    await acceptDialog();
    expect(await screen.findByText('It has no model.')).toBeTruthy();
    await dismissDialog();
  });
});
