import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IDescribeTrainingJobResponse } from '../../../api/types/training';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { ArtifactsTab } from '../artifactsTab';
import { ConfigurationTab } from '../configurationTab';
import { DataTab } from '../dataTab';
import type { IJobViewProps } from '../jobView';
import { systemCharts } from '../systemCharts';
import { SystemTab } from '../systemTab';
import { trans } from '../../../testing/fakeClient';
import { job, runningJob } from './examples';

// Plotly draws on canvases, which the tests' browser has none of.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: (node: HTMLElement) => Promise.resolve(node),
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

function tabProps(
  described: IDescribeTrainingJobResponse,
  answers: Answers = {}
): ReturnType<typeof screenProps> & IJobViewProps {
  const props = screenProps(answers, { name: described.TrainingJobName });
  return { ...props, job: described };
}

describe('the configuration', () => {
  it('marks what differs from the defaults', async () => {
    const props = tabProps(job({ Environment: { MODE: 'fast' } }), {
      'bottega:ListAlgorithms': () => ({
        Frameworks: [],
        InstanceTypes: [],
        Algorithms: [
          {
            Name: 'xgboost',
            DisplayName: 'XGBoost',
            Description: '',
            TrainingImage: 'xgboost',
            Supervised: true,
            ReadsTables: true,
            Channels: [],
            Metrics: [],
            DefaultHyperParameters: {},
            HyperParameters: [
              {
                Name: 'eta',
                Type: 'Continuous',
                Description: 'Step size.',
                Default: '0.3',
                Required: false,
                Range: '[0, 1]',
                Tunable: true,
                Essential: true
              }
            ]
          }
        ]
      })
    });
    const { container } = render(
      <ConfigurationTab
        {...props}
        tags={{
          state: 'ready',
          value: [{ Key: 'team', Value: 'crm' }],
          problem: null,
          retry: () => undefined
        }}
      />
    );
    const depth = await screen.findByRole('row', { name: /max_depth/ });
    expect(within(depth).getByText('changed')).toBeTruthy();
    const eta = screen.getByRole('row', { name: /eta/ });
    expect(within(eta).queryByText('changed')).toBeNull();
    expect(screen.getByText('crm')).toBeTruthy();
    expect(screen.getByText('fast')).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
  });
});

describe('the data', () => {
  it('shows size and first rows of a channel, and why there are none', async () => {
    let broken = true;
    const props = tabProps(job(), {
      'bottega:PreviewData': request => {
        expect(request).toMatchObject({
          S3Uri: 's3://b/train.csv',
          ContentType: 'text/csv'
        });
        if (broken) {
          throw new BottegaError('NoSuchKey', 'It was deleted.', 404);
        }
        return {
          S3Uri: 's3://b/train.csv',
          Objects: 1,
          TotalBytes: 264_000,
          Format: 'csv',
          Columns: [
            { Name: 'age', Type: 'integer' },
            { Name: 'plan', Type: 'text' }
          ],
          Rows: [['41', 'basic']],
          Truncated: true
        };
      }
    });
    const { container } = render(<DataTab {...props} />);
    expect((await screen.findByRole('alert')).textContent).toMatch(
      /It was deleted/
    );
    broken = false;
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('1 object, 264 kB, csv')).toBeTruthy();
    expect(screen.getByRole('cell', { name: 'basic' })).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
  });

  it('of many channels is read when one is opened', async () => {
    const channel = (job().InputDataConfig ?? [])[0];
    const props = tabProps(
      job({
        InputDataConfig: ['a', 'b', 'c', 'd'].map(ChannelName => ({
          ...channel,
          DataSource: channel?.DataSource ?? {},
          ChannelName
        }))
      })
    );
    render(<DataTab {...props} />);
    expect(props.client.calls).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: /c$/ }));
    await waitFor(() =>
      expect(props.client.requests('bottega:PreviewData')).toHaveLength(1)
    );
  });

  it('may be none', () => {
    render(<DataTab {...tabProps(job({ InputDataConfig: [] }))} />);
    expect(screen.getByText(/no input channels/)).toBeTruthy();
  });
});

describe('the system metrics', () => {
  const hosts = ['algo-1', 'algo-2'].map((HostName, index) => ({
    HostName,
    Series: [
      {
        Name: 'CPUUtilization',
        Unit: 'Percent' as const,
        Times: [100 + index, 101],
        Values: [50, 180]
      },
      {
        Name: 'MemoryUsed',
        Unit: 'Bytes' as const,
        Times: [100, 101],
        Values: [2e8, 3.5e9]
      },
      {
        Name: 'DiskRead',
        Unit: 'BytesPerSecond' as const,
        Times: [100],
        Values: [12]
      },
      {
        Name: 'DiskWritten',
        Unit: 'BytesPerSecond' as const,
        Times: [],
        Values: []
      }
    ]
  }));

  it('are one chart for each kind, in a readable unit', () => {
    const charts = systemCharts(hosts, trans);
    expect(charts.map(chart => [chart.id, chart.unit])).toEqual([
      ['cpu', '%'],
      ['memory', 'GB'],
      ['disk', 'B/s']
    ]);
    expect(charts[0]?.curves[1]).toEqual({
      name: 'algo-2',
      seconds: [1, 1],
      values: [50, 180]
    });
    expect(charts[1]?.curves[0]?.values).toEqual([0.2, 3.5]);
    expect(charts[2]?.curves.map(curve => curve.name)).toEqual([
      'algo-1 read',
      'algo-2 read'
    ]);
    expect(systemCharts([], trans)).toEqual([]);
  });

  it('are drawn, or said to be missing', async () => {
    const props = tabProps(job(), {
      'bottega:GetTrainingJobSystemMetrics': () => ({ Hosts: hosts })
    });
    const { container, unmount } = render(<SystemTab {...props} />);
    const memory = await screen.findByRole('region', { name: 'Memory' });
    expect(memory.textContent).toMatch(/algo-1 3.5 GB/);
    await waitFor(() => expect(screen.queryByLabelText('Loading')).toBeNull());
    expect((await axe(container)).violations).toEqual([]);
    unmount();
    const nothing = tabProps(runningJob(), {
      'bottega:GetTrainingJobSystemMetrics': () => ({
        Hosts: [{ HostName: 'algo-1', Series: [] }]
      })
    });
    render(<SystemTab {...nothing} />);
    expect(await screen.findByText(/Nothing has been measured/)).toBeTruthy();
  });
});

describe('the artifacts', () => {
  const model = {
    key: 'out/churn-0412/output/model.tar.gz',
    size: 57_700,
    modified: 0
  };

  it('can be looked into and downloaded', async () => {
    const props = tabProps(job());
    props.client.listObjects = async (bucket, options = {}) => {
      expect([bucket, options.prefix]).toEqual(['b', 'out/churn-0412/output/']);
      return options.token
        ? {
            objects: [{ ...model, key: `${options.prefix}x.txt` }],
            prefixes: [],
            next: ''
          }
        : { objects: [model], prefixes: [], next: 'more' };
    };
    props.client.listArchive = async () => [
      { name: 'xgboost-model', size: 235_000 }
    ];
    const { container } = render(<ArtifactsTab {...props} />);
    const member = await screen.findByRole('link', { name: 'xgboost-model' });
    expect(member.getAttribute('href')).toContain('#xgboost-model');
    expect(
      screen.getByRole('link', { name: 'Download model.tar.gz' })
    ).toBeTruthy();
    expect(screen.getByRole('region', { name: 'x.txt' })).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
  });

  it('of a running job are on their way', async () => {
    const props = tabProps(runningJob());
    props.client.listObjects = async () => ({
      objects: [],
      prefixes: [],
      next: ''
    });
    render(<ArtifactsTab {...props} />);
    expect(await screen.findByText(/when it ends/)).toBeTruthy();
  });

  it('of a notebook job are the executed notebook', async () => {
    const props = tabProps(
      job({ Environment: { BOTTEGA_NOTEBOOK: 'e.ipynb' } })
    );
    props.client.listObjects = async () => ({
      objects: [],
      prefixes: [],
      next: ''
    });
    let broken = true;
    props.client.collectNotebook = async () => {
      if (broken) {
        throw new Error('It left no notebook.');
      }
      return { notebook: 'e-churn.ipynb', html: 'e-churn.html' };
    };
    render(<ArtifactsTab {...props} />);
    const button = await screen.findByRole('button', {
      name: 'Open executed notebook'
    });
    await userEvent.click(button);
    expect((await screen.findByRole('alert')).textContent).toMatch(
      /left no notebook/
    );
    broken = false;
    await userEvent.click(button);
    await waitFor(() =>
      expect(props.studio.executed).toEqual([
        { command: 'docmanager:open', args: { path: 'e-churn.ipynb' } }
      ])
    );
  });
});
