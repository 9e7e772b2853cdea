import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type {
  IDescribeEndpointOutput,
  IDescribeInferenceComponentOutput,
  IGetEndpointMetricsResponse
} from '../../../api/types/hosting';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import { EndpointScreen } from '../endpoint';

// Plotly draws on canvases, which jsdom has none of; the charts have tests of their own.
jest.mock('../../../shared/charts/plot', () => ({
  Plot: ({ label }: { label: string }) => <div role="img" aria-label={label} />
}));

const ARN = 'arn:aws:sagemaker:us-east-1:000000000000:';

const endpoint: IDescribeEndpointOutput = {
  EndpointName: 'shared',
  EndpointArn: `${ARN}endpoint/shared`,
  EndpointConfigName: 'shared-config',
  EndpointStatus: 'InService',
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ProductionVariants: [
    {
      VariantName: 'v',
      CurrentWeight: 1,
      DesiredWeight: 1,
      CurrentInstanceCount: 1,
      DesiredInstanceCount: 1
    }
  ]
};

const component = (
  name: string,
  more: Partial<IDescribeInferenceComponentOutput> = {}
): IDescribeInferenceComponentOutput => ({
  InferenceComponentName: name,
  InferenceComponentArn: `${ARN}inference-component/${name}`,
  EndpointName: 'shared',
  EndpointArn: endpoint.EndpointArn,
  VariantName: 'v',
  InferenceComponentStatus: 'InService',
  Specification: { ModelName: `${name}-model` },
  RuntimeConfig: { DesiredCopyCount: 2, CurrentCopyCount: 2 },
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ...more
});

const series = {
  Requests: [10],
  Errors4XX: [0],
  Errors5XX: [0],
  LatencyP50: [0.003],
  LatencyP99: [0.008]
};
const traffic = {
  RequestsPerSecond: 7.5,
  Requests: 450,
  Errors: 0,
  LatencyP50: 0.003,
  LatencyP99: 0.008
};
const metrics: IGetEndpointMetricsResponse = {
  EndpointName: 'shared',
  PeriodSeconds: 5,
  Times: [1000],
  Total: series,
  Variants: [{ VariantName: 'churn', Series: series, Traffic: traffic }],
  Traffic: traffic
};

function shown(
  components: IDescribeInferenceComponentOutput[],
  more: Answers = {}
): ReturnType<typeof screenProps> {
  const props = screenProps(
    {
      'sagemaker:DescribeEndpoint': () => endpoint,
      'bottega:GetEndpointMetrics': () => metrics,
      'bottega:SuggestInvocation': () => ({
        ContentType: 'text/csv',
        Body: '',
        Source: 'Write a request.'
      }),
      'sagemaker:DescribeEndpointConfig': () => ({
        EndpointConfigName: 'shared-config',
        EndpointConfigArn: `${ARN}endpoint-config/shared-config`,
        ProductionVariants: [{ VariantName: 'v', InstanceType: 'ml.m5.large' }],
        CreationTime: 1000
      }),
      'sagemaker:ListInferenceComponents': () => ({
        InferenceComponents: components.map(found => ({
          ...found,
          VariantName: 'v'
        }))
      }),
      'sagemaker:DescribeInferenceComponent': asked => {
        const found = components.find(
          one => one.InferenceComponentName === asked.InferenceComponentName
        );
        if (!found) {
          throw new BottegaError('ValidationException', 'Could not find', 400);
        }
        return found;
      },
      ...more
    },
    { name: 'shared' }
  );
  return props;
}

async function settled(): Promise<void> {
  await act(async () => {
    await new Promise(resolve => setTimeout(resolve));
  });
}

describe('an endpoint with inference components', () => {
  it('shows what each serves, and its traffic', async () => {
    const props = shown([
      component('churn'),
      component('fraud', {
        InferenceComponentStatus: 'Failed',
        FailureReason: 'no such weights',
        RuntimeConfig: { DesiredCopyCount: 1, CurrentCopyCount: 0 }
      })
    ]);
    const { container } = render(<EndpointScreen {...props} />);
    await settled();
    const row = (name: string): string =>
      container.querySelector(`[data-component="${name}"]`)?.textContent ?? '';
    expect(row('churn')).toMatch(
      /churn.*InService.*churn-model.*7\.5.*8\.0 ms/
    );
    expect(row('fraud')).toMatch(/Failed.*no such weights.*0 of 1 answer/);
    expect(screen.queryByRole('heading', { name: 'Variants' })).toBeNull();
    expect(screen.getByRole('button', { name: 'Update' })).toHaveProperty(
      'disabled',
      true
    );
    expect((await axe(container)).violations).toEqual([]);
  });

  it('says what to do where there is none', async () => {
    render(<EndpointScreen {...shown([])} />);
    await settled();
    expect(screen.getByText(/No model is on this endpoint yet/)).toBeTruthy();
    expect(screen.queryByRole('tab', { name: 'Scaling' })).toBeNull();
  });

  it('passes over one that was deleted meanwhile', async () => {
    const props = shown([component('churn'), component('gone')], {
      'sagemaker:DescribeInferenceComponent': asked => {
        if (asked.InferenceComponentName === 'gone') {
          throw new BottegaError('ValidationException', 'Could not find', 400);
        }
        return component('churn');
      }
    });
    const { container } = render(<EndpointScreen {...props} />);
    await settled();
    expect(container.querySelectorAll('[data-component]')).toHaveLength(1);
  });

  it('says why the logs cannot be chosen', async () => {
    const props = shown([], {
      'sagemaker:ListInferenceComponents': () => {
        throw new BottegaError('InternalFailure', 'it is broken', 500);
      }
    });
    render(<EndpointScreen {...props} parameters={{ tab: 'logs' }} />);
    await settled();
    expect(screen.getByText(/it is broken/)).toBeTruthy();
    expect(screen.queryByText(/No model is on this endpoint/)).toBeNull();
  });

  it('tells a variant without a model from one with a model', async () => {
    const props = shown([], {
      'bottega:ListEndpointDeployments': () => ({
        Deployments: [
          {
            DeploymentId: 'd-1',
            EndpointConfigName: 'shared-config',
            Outcome: 'Succeeded',
            StartTime: 1000,
            Active: true,
            Policy: 'ALL_AT_ONCE',
            RequestedBy: '',
            Variants: [
              {
                VariantName: 'v',
                ModelName: '',
                Image: '',
                InstanceType: 'ml.m5.large',
                InstanceCount: 2,
                Weight: 1,
                Serverless: false,
                Shadow: false
              }
            ]
          }
        ]
      })
    });
    render(<EndpointScreen {...props} parameters={{ tab: 'deployments' }} />);
    await settled();
    expect(screen.getByText('v × 2')).toBeTruthy();
  });

  it('has other numbers of copies applied', async () => {
    const user = userEvent.setup();
    const props = shown([component('churn')], {
      'sagemaker:UpdateInferenceComponentRuntimeConfig': () => ({
        InferenceComponentArn: ''
      })
    });
    render(<EndpointScreen {...props} />);
    await settled();
    const copies = screen.getByLabelText('Copies of churn');
    await user.clear(copies);
    await user.type(copies, '3');
    await user.click(screen.getByRole('button', { name: 'Apply' }));
    expect(
      props.client.requests('sagemaker:UpdateInferenceComponentRuntimeConfig')
    ).toEqual([
      {
        InferenceComponentName: 'churn',
        DesiredRuntimeConfig: { CopyCount: 3 }
      }
    ]);
  });

  it('asks one of them', async () => {
    const user = userEvent.setup();
    const props = shown([component('churn'), component('fraud')]);
    render(<EndpointScreen {...props} parameters={{ tab: 'test' }} />);
    await settled();
    const choice = screen.getByLabelText('Inference component');
    expect(choice).toHaveProperty('value', 'churn');
    await user.selectOptions(choice, 'fraud');
    const code = within(
      screen.getByRole('tabpanel', { name: 'boto3' })
    ).getByText(/InferenceComponentName/);
    expect(code.textContent).toContain('InferenceComponentName="fraud"');
  });

  it('is live', async () => {
    const components = [component('churn')];
    const props = shown(components);
    const { container } = render(<EndpointScreen {...props} />);
    await settled();
    components.push(component('fraud'));
    await act(async () => {
      props.client.events.happen({
        Kind: 'InferenceComponent',
        Name: 'fraud'
      });
      await new Promise(resolve => setTimeout(resolve, 250));
    });
    expect(container.querySelector('[data-component="fraud"]')).not.toBeNull();
  });
});
