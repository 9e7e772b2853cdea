import { Dialog } from '@jupyterlab/apputils';
import { acceptDialog, waitForDialog } from '@jupyterlab/testing';
import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type {
  IDeploymentConfig,
  IDescribeEndpointOutput
} from '../../../api/types/hosting';
import { FakeClient, trans } from '../../../testing/fakeClient';
import type { IPolicyDraft } from '../deploymentPolicy';
import { allowedSize, configOf, draftOf } from '../deploymentPolicy';
import { PolicyForm } from '../policyForm';
import { updateEndpoint } from '../updateDialog';

const canary: IDeploymentConfig = {
  BlueGreenUpdatePolicy: {
    TrafficRoutingConfiguration: {
      Type: 'CANARY',
      WaitIntervalInSeconds: 60,
      CanarySize: { Type: 'CAPACITY_PERCENT', Value: 20 }
    },
    TerminationWaitInSeconds: 30
  },
  AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }] }
};

const rolling: IDeploymentConfig = {
  RollingUpdatePolicy: {
    MaximumBatchSize: { Type: 'CAPACITY_PERCENT', Value: 25 },
    WaitIntervalInSeconds: 5
  }
};

const linear: IDeploymentConfig = {
  BlueGreenUpdatePolicy: {
    TrafficRoutingConfiguration: {
      Type: 'LINEAR',
      WaitIntervalInSeconds: 0,
      LinearStepSize: { Type: 'CAPACITY_PERCENT', Value: 50 }
    }
  }
};

describe('a deployment policy', () => {
  it.each([[canary], [rolling], [linear], [undefined]])(
    'comes back from the form as it went in: %j',
    config => {
      expect(configOf(draftOf(config))).toEqual(config);
    }
  );

  it('has sizes that are allowed', () => {
    expect(allowedSize('CANARY', 80)).toBe(50);
    expect(allowedSize('LINEAR', 1)).toBe(10);
    expect(allowedSize('ROLLING', NaN)).toBe(5);
    expect(
      draftOf({
        RollingUpdatePolicy: {
          MaximumBatchSize: { Type: 'INSTANCE_COUNT', Value: 1 },
          WaitIntervalInSeconds: 0
        }
      }).size
    ).toBe(10);
  });
});

describe('PolicyForm', () => {
  it('asks for what the way needs, and for alarms', async () => {
    const asked: IPolicyDraft[] = [];
    const { container } = render(
      <PolicyForm
        initial={draftOf(undefined)}
        alarms={['errors', 'latency']}
        trans={trans}
        onChange={draft => asked.push(draft)}
      />
    );
    expect(screen.queryByLabelText(/Canary/)).toBeNull();
    await userEvent.selectOptions(screen.getByLabelText('Way'), 'CANARY');
    fireEvent.change(screen.getByLabelText('Canary, % of the traffic'), {
      target: { value: '25' }
    });
    fireEvent.change(screen.getByLabelText('Baking after each step, seconds'), {
      target: { value: '90' }
    });
    await userEvent.click(screen.getByLabelText('errors'));
    const last = asked[asked.length - 1];
    expect(last && configOf(last)).toEqual({
      BlueGreenUpdatePolicy: {
        TrafficRoutingConfiguration: {
          Type: 'CANARY',
          WaitIntervalInSeconds: 90,
          CanarySize: { Type: 'CAPACITY_PERCENT', Value: 25 }
        }
      },
      AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }] }
    });
    expect((await axe(container)).violations).toEqual([]);
  });

  it('cannot be accepted with a size that is not allowed', async () => {
    render(
      <PolicyForm
        initial={draftOf(canary)}
        alarms={[]}
        trans={trans}
        onChange={jest.fn()}
      />
    );
    const size = screen.getByLabelText('Canary, % of the traffic');
    fireEvent.change(size, { target: { value: '80' } });
    expect(size.matches(':invalid')).toBe(true);
    fireEvent.change(size, { target: { value: '' } });
    expect(size.matches(':invalid')).toBe(true);
  });
});

describe('updateEndpoint', () => {
  afterEach(() => {
    Dialog.flush();
  });

  const endpoint: IDescribeEndpointOutput = {
    EndpointName: 'churn',
    EndpointArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn',
    EndpointConfigName: 'churn-1',
    EndpointStatus: 'InService',
    CreationTime: 1000,
    LastModifiedTime: 1000,
    LastDeploymentConfig: canary
  };

  it('updates in the way that was asked for', async () => {
    const client = new FakeClient({
      'sagemaker:DescribeEndpointConfig': () => ({
        EndpointConfigName: 'churn-1',
        EndpointConfigArn: 'arn:churn-1',
        CreationTime: 1000,
        ProductionVariants: [
          {
            VariantName: 'blue',
            ModelName: 'churn-1',
            ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 2 }
          }
        ]
      }),
      'sagemaker:ListModels': () => ({ Models: [] }),
      'cloudwatch:DescribeAlarms': () => ({
        MetricAlarms: [{ AlarmName: 'errors' }]
      }),
      'sagemaker:CreateEndpointConfig': () => ({ EndpointConfigArn: 'arn' }),
      'sagemaker:UpdateEndpoint': () => ({ EndpointArn: 'arn' })
    });
    const updated = updateEndpoint(client, endpoint, trans);
    await waitForDialog();
    fireEvent.change(
      await screen.findByLabelText('Requests at once, at most'),
      {
        target: { value: '5' }
      }
    );
    await acceptDialog();
    await updated;
    const [config] = client.requests('sagemaker:CreateEndpointConfig');
    expect(config?.ProductionVariants).toEqual([
      {
        VariantName: 'blue',
        ModelName: 'churn-1',
        ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 5 }
      }
    ]);
    expect(client.requests('sagemaker:UpdateEndpoint')).toEqual([
      {
        EndpointName: 'churn',
        EndpointConfigName: config?.EndpointConfigName,
        DeploymentConfig: canary
      }
    ]);
  });
});
