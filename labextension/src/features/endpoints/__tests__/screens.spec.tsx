import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type {
  IDescribeEndpointOutput,
  IEndpointOverview,
  IGetEndpointMetricsResponse
} from '../../../api/types/hosting';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { EndpointScreen } from '../endpoint';
import { EndpointsScreen } from '../list';

// Plotly draws on canvases, which jsdom has none of; the charts have tests of their own.
jest.mock('../../../shared/charts/plot', () => ({
  Plot: ({ label }: { label: string }) => <div role="img" aria-label={label} />
}));

const traffic = {
  RequestsPerSecond: 212.4,
  Requests: 12_744,
  Errors: 3,
  LatencyP50: 0.0031,
  LatencyP99: 0.0084
};

const overview = (
  name: string,
  more: Partial<IEndpointOverview> = {}
): IEndpointOverview => ({
  EndpointName: name,
  EndpointArn: `arn:aws:sagemaker:us-east-1:000000000000:endpoint/${name}`,
  Status: 'InService',
  CreationTime: Date.now() / 1000 - 600,
  Variants: [
    {
      VariantName: 'AllTraffic',
      Weight: 1,
      CurrentInstanceCount: 1,
      DesiredInstanceCount: 2,
      Traffic: traffic
    }
  ],
  Traffic: traffic,
  ...more
});

const endpoint: IDescribeEndpointOutput = {
  EndpointName: 'churn',
  EndpointArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn',
  EndpointConfigName: 'churn-config',
  EndpointStatus: 'InService',
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ProductionVariants: [
    {
      VariantName: 'blue',
      CurrentWeight: 9,
      DesiredWeight: 9,
      CurrentInstanceCount: 2,
      DesiredInstanceCount: 2,
      DeployedImages: [{ SpecifiedImage: 'xgboost' }]
    },
    {
      VariantName: 'green',
      CurrentWeight: 1,
      DesiredWeight: 1,
      CurrentInstanceCount: 1,
      DesiredInstanceCount: 1
    }
  ]
};

const series = {
  Requests: [10, 20],
  Errors4XX: [0, 1],
  Errors5XX: [0, 0],
  LatencyP50: [0.003, 0.0031],
  LatencyP99: [0.008, 0.0084]
};

const metrics: IGetEndpointMetricsResponse = {
  EndpointName: 'churn',
  PeriodSeconds: 5,
  Times: [1000, 1005],
  Total: series,
  Variants: [
    { VariantName: 'blue', Series: series, Traffic: traffic },
    { VariantName: 'green', Series: series, Traffic: traffic }
  ],
  Traffic: traffic
};

const answers: Answers = {
  'sagemaker:DescribeEndpoint': () => endpoint,
  'bottega:GetEndpointMetrics': () => metrics,
  'bottega:SuggestInvocation': () => ({
    ContentType: 'text/csv',
    Body: '1,2,3',
    Columns: ['age', 'tenure', 'fee'],
    Source: 'The first row of the training data.'
  })
};

async function settled(): Promise<void> {
  await act(async () => {
    await new Promise(resolve => setTimeout(resolve));
  });
}

describe('EndpointsScreen', () => {
  it('shows each endpoint with its traffic, and opens it', async () => {
    const props = screenProps({
      'bottega:ListEndpointOverviews': () => ({
        Endpoints: [
          overview('churn', { Kind: 'RealTime' }),
          overview('fraud', {
            Kind: 'Serverless',
            Status: 'Updating',
            Progress: {
              Phase: 'Baking',
              PhaseStartTime: 1000,
              TrafficShare: 0.25,
              Step: 1,
              Steps: [0.25, 1],
              Alarms: []
            }
          })
        ],
        Total: 2
      })
    });
    const { container } = render(<EndpointsScreen {...props} />);
    await settled();
    const row = container.querySelector<HTMLElement>('[data-key="churn"]');
    expect(row?.textContent).toMatch(
      /InService.*churn.*real-time.*212\.4.*3\.1 ms.*8\.4 ms.*0\.02 %.*1 \/ 2.*10 min ago/
    );
    const updating = container.querySelector('[data-key="fraud"]');
    expect(updating?.textContent).toMatch(
      /Updating · 25 %.*fraud.*serverless.*0\.02 %110 min ago/
    );
    await userEvent.click(screen.getByText('fraud'));
    expect(props.studio.opened).toEqual(['endpoints/fraud']);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('leads from nothing to a first deployment', async () => {
    const props = screenProps({
      'bottega:ListEndpointOverviews': () => ({ Endpoints: [], Total: 0 })
    });
    render(<EndpointsScreen {...props} />);
    await settled();
    const empty = screen.getByText(/Nothing is deployed yet/).parentElement;
    await userEvent.click(
      within(empty as HTMLElement).getByRole('button', {
        name: 'Deploy a model'
      })
    );
    expect(props.studio.executed[0]?.command).toBe('bottega:deploy');
  });

  it('gives the same list as code, with its filter', async () => {
    const props = screenProps(
      {
        'bottega:ListEndpointOverviews': () => ({
          Endpoints: [overview('churn')],
          Total: 1
        })
      },
      { parameters: { filter: 'name:churn', order: 'Ascending' } }
    );
    render(<EndpointsScreen {...props} />);
    await settled();
    await userEvent.click(
      screen.getByRole('button', { name: 'Open in notebook' })
    );
    expect(props.studio.notebooks[0]?.code).toMatch(
      /"ListEndpointOverviews".*"Filter": "name:churn".*"SortOrder": "Ascending"/s
    );
  });

  it('says at the box why a filter is refused', async () => {
    const props = screenProps(
      {
        'bottega:ListEndpointOverviews': () => {
          throw new BottegaError('ValidationException', 'no key colour', 400);
        }
      },
      { parameters: { filter: 'colour:red' } }
    );
    render(<EndpointsScreen {...props} />);
    await settled();
    const box = screen.getByRole('searchbox', { name: 'Filter endpoints' });
    expect(box.getAttribute('aria-invalid')).toBe('true');
    expect(
      screen
        .getAllByText('no key colour')
        .some(found => found.closest('.jp-BottegaFilter'))
    ).toBe(true);
  });
});

describe('EndpointScreen', () => {
  it('shows figures, charts and the share of each variant', async () => {
    const props = screenProps(answers, { name: 'churn' });
    const { container } = render(<EndpointScreen {...props} />);
    await settled();
    await settled();
    expect(props.frame.title).toEqual({ label: 'churn', status: 'InService' });
    expect(container.querySelector('[data-figure="p99"]')?.textContent).toBe(
      '8.4 ms'
    );
    expect(
      screen.getByRole('img', { name: /^Model latency of the last 15 minutes/ })
    ).toBeTruthy();
    expect(
      screen
        .getByRole('slider', { name: 'Traffic of blue' })
        .getAttribute('aria-valuetext')
    ).toBe('90 %');
    expect((await axe(container)).violations).toEqual([]);
  });

  it('sends the suggested request and shows the answer', async () => {
    const props = screenProps(answers, {
      name: 'churn',
      parameters: { tab: 'test' }
    });
    const asked: unknown[] = [];
    props.client.invoke = async (...call) => {
      asked.push(call);
      return {
        body: '{"score":0.07}',
        contentType: 'application/json',
        variant: 'blue',
        seconds: 0.0029
      };
    };
    const { container } = render(<EndpointScreen {...props} />);
    await settled();
    await settled();
    const body = screen.getByRole('textbox', { name: 'Body of the request' });
    expect((body as HTMLTextAreaElement).value).toBe('1,2,3');
    expect(screen.getByText(/Columns: age, tenure, fee/)).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect(asked).toEqual([['churn', '1,2,3', { contentType: 'text/csv' }]]);
    expect(
      container.querySelector('[data-answer="answered"]')?.textContent
    ).toMatch(/2\.9 ms · blue.*"score": 0\.07/s);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('shows a refusal in the words of the model server', async () => {
    const props = screenProps(answers, {
      name: 'churn',
      parameters: { tab: 'test' }
    });
    props.client.invoke = async () => {
      throw new BottegaError(
        'ModelError',
        'Received 400: 3 columns wanted',
        424
      );
    };
    render(<EndpointScreen {...props} />);
    await settled();
    await userEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect(screen.getByRole('alert').textContent).toMatch(/3 columns wanted/);
  });

  it('keeps what was typed when a suggestion comes late', async () => {
    let suggest: (() => void) | undefined;
    const props = screenProps(
      {
        ...answers,
        'bottega:SuggestInvocation': () =>
          new Promise(resolve => {
            suggest = () => resolve({ ContentType: 'text/csv', Body: '1,2,3' });
          })
      },
      { name: 'churn', parameters: { tab: 'test' } }
    );
    render(<EndpointScreen {...props} />);
    await settled();
    const body = screen.getByRole('textbox', { name: 'Body of the request' });
    await userEvent.type(body, '9');
    suggest?.();
    await settled();
    expect((body as HTMLTextAreaElement).value).toBe('9');
  });

  it('follows the status, and reads again when it changes', async () => {
    let status: IDescribeEndpointOutput['EndpointStatus'] = 'Creating';
    const props = screenProps(
      {
        ...answers,
        'sagemaker:DescribeEndpoint': () => ({
          ...endpoint,
          EndpointStatus: status
        })
      },
      { name: 'churn' }
    );
    render(<EndpointScreen {...props} />);
    await settled();
    expect(
      screen.getByRole<HTMLButtonElement>('button', { name: 'Update' }).disabled
    ).toBe(true);
    status = 'InService';
    props.client.events.happen({ Kind: 'Endpoint', Name: 'churn' });
    await screen.findByText('InService');
    expect(
      screen.getByRole<HTMLButtonElement>('button', { name: 'Update' }).disabled
    ).toBe(false);
  });

  it.each([
    ['InService', false],
    ['Updating', true],
    ['Deleting', true],
    ['Failed', false],
    ['OutOfService', false],
    ['UpdateRollbackFailed', false]
  ] as const)('while it is %s, deleting is disabled: %s', async (now, is) => {
    const props = screenProps(
      {
        ...answers,
        'sagemaker:DescribeEndpoint': () => ({
          ...endpoint,
          EndpointStatus: now
        })
      },
      { name: 'churn' }
    );
    render(<EndpointScreen {...props} />);
    await settled();
    expect(
      screen.getByRole<HTMLButtonElement>('button', { name: 'Delete' }).disabled
    ).toBe(is);
  });

  it.each([
    ['1 variant', { ProductionVariants: [{ VariantName: 'blue' }] }],
    [
      'asynchronous',
      { AsyncInferenceConfig: { OutputConfig: { S3OutputPath: 's3://a/b' } } }
    ],
    [
      'serverless',
      {
        ProductionVariants: [
          {
            VariantName: 'blue',
            CurrentServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 4 }
          }
        ]
      }
    ]
  ])('says what is not ordinary first: %s', async (kind, more) => {
    const props = screenProps(
      {
        ...answers,
        'sagemaker:DescribeEndpoint': () => ({ ...endpoint, ...more })
      },
      { name: 'churn' }
    );
    const { container } = render(<EndpointScreen {...props} />);
    await settled();
    expect(
      container.querySelector('.jp-BottegaHeader-facts')?.textContent
    ).toMatch(new RegExp(`^${kind} · `));
  });

  it.each([
    ['InService', 'The last change was undone.'],
    ['Failed', 'The last change failed.']
  ] as const)('says why it is %s after a change', async (now, what) => {
    const props = screenProps(
      {
        ...answers,
        'sagemaker:DescribeEndpoint': () => ({
          ...endpoint,
          EndpointStatus: now,
          FailureReason: 'The alarm rang.'
        })
      },
      { name: 'churn', parameters: { tab: 'logs' } }
    );
    render(<EndpointScreen {...props} />);
    const alert = (await screen.findByText('The alarm rang.')).parentElement;
    expect(alert?.textContent).toContain(what);
  });

  it('says that it was deleted while it was shown', async () => {
    const props = screenProps({ ...answers }, { name: 'churn' });
    render(<EndpointScreen {...props} />);
    await settled();
    props.client.answers['sagemaker:DescribeEndpoint'] = () => {
      throw new BottegaError(
        'ValidationException',
        'Could not find endpoint "churn".',
        400
      );
    };
    props.client.events.happen({
      Kind: 'Endpoint',
      Name: 'churn',
      Change: 'deleted'
    });
    expect(
      await screen.findByText('The endpoint churn was deleted.')
    ).toBeTruthy();
  });

  it('sends one request at a time', async () => {
    const props = screenProps(answers, {
      name: 'churn',
      parameters: { tab: 'test' }
    });
    let asked = 0;
    props.client.invoke = () => {
      asked += 1;
      return new Promise(() => undefined);
    };
    render(<EndpointScreen {...props} />);
    await settled();
    await settled();
    const body = screen.getByRole('textbox', { name: 'Body of the request' });
    await userEvent.type(body, '{Control>}{Enter}{Enter}{/Control}');
    expect(asked).toBe(1);
  });

  it('leads back from an endpoint that is not there', async () => {
    const props = screenProps(
      {
        'sagemaker:DescribeEndpoint': () => {
          throw new BottegaError(
            'ValidationException',
            'Could not find endpoint "x".',
            400
          );
        }
      },
      { name: 'x' }
    );
    render(<EndpointScreen {...props} />);
    await settled();
    await userEvent.click(
      screen.getByRole('button', { name: 'Show all endpoints' })
    );
    expect(props.studio.opened).toEqual(['endpoints']);
  });
});
