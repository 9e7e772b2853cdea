import { acceptDialog, waitForDialog } from '@jupyterlab/testing';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type {
  IDeploymentProgress,
  IDescribeEndpointOutput,
  IEndpointDeployment
} from '../../../api/types/hosting';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps, trans } from '../../../testing/fakeClient';
import { DeploymentsTab } from '../deploymentsTab';
import { phaseWords, RolloutBanner } from '../rolloutBanner';
import { movedShares, sharesOf } from '../shares';
import { VariantsCard } from '../variants';

const endpoint: IDescribeEndpointOutput = {
  EndpointName: 'churn',
  EndpointArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn',
  EndpointConfigName: 'churn-2',
  EndpointStatus: 'InService',
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ProductionVariants: ['blue', 'green'].map(name => ({
    VariantName: name,
    CurrentWeight: 1,
    DesiredWeight: 1,
    CurrentInstanceCount: 1,
    DesiredInstanceCount: 1
  }))
};

const deployment = (
  id: string,
  more: Partial<IEndpointDeployment> = {}
): IEndpointDeployment => ({
  DeploymentId: id,
  EndpointConfigName: `config-${id}`,
  Outcome: 'Succeeded',
  StartTime: 1000,
  EndTime: 1004,
  Active: false,
  Policy: 'CANARY',
  RequestedBy: 'arn:aws:sts::000000000000:assumed-role/Role/owner',
  Variants: [
    {
      VariantName: 'blue',
      ModelName: 'churn-1',
      Image: 'xgboost',
      InstanceType: 'ml.m5.large',
      InstanceCount: 2,
      Weight: 1,
      Serverless: false,
      Shadow: false
    }
  ],
  ...more
});

const progress = (more: Partial<IDeploymentProgress>): IDeploymentProgress => ({
  Phase: 'Creating',
  PhaseStartTime: 1000,
  TrafficShare: 0,
  Step: 0,
  Steps: [0.25, 1],
  Alarms: [],
  ...more
});

describe('shares', () => {
  it('are weights in per cent', () => {
    expect(sharesOf([9, 1])).toEqual([90, 10]);
    expect(sharesOf([0, 0])).toEqual([50, 50]);
  });

  it.each([
    [[90, 10], 0, 40, [40, 60]],
    [[50, 25, 25], 0, 0, [0, 50, 50]],
    [[100, 0, 0], 0, 70, [70, 15, 15]],
    [[50, 50], 1, 400, [0, 100]],
    [[100], 0, 20, [100]]
  ])('of %j, number %i at %i, become %j', (shares, index, value, expected) => {
    expect(movedShares(shares, index, value)).toEqual(expected);
  });
});

describe('VariantsCard', () => {
  const shown = (answers: Answers) => {
    const props = screenProps(answers, { name: 'churn' });
    const view = render(
      <VariantsCard
        {...props}
        endpoint={endpoint}
        metrics={{ state: 'loading' }}
      />
    );
    return { view };
  };

  it('moves traffic and instances together, and only when told to', async () => {
    const asked: unknown[] = [];
    const { view } = shown({
      'sagemaker:UpdateEndpointWeightsAndCapacities': request => {
        asked.push(request);
        return { EndpointArn: endpoint.EndpointArn };
      }
    });
    const apply = screen.getByRole<HTMLButtonElement>('button', {
      name: 'Apply'
    });
    expect(apply.disabled).toBe(true);
    fireEvent.change(screen.getByRole('slider', { name: 'Traffic of blue' }), {
      target: { value: '80' }
    });
    fireEvent.change(screen.getByLabelText('Instances of green'), {
      target: { value: '3' }
    });
    expect(asked).toEqual([]);
    await userEvent.click(apply);
    expect(asked).toEqual([
      {
        EndpointName: 'churn',
        DesiredWeightsAndCapacities: [
          { VariantName: 'blue', DesiredWeight: 80 },
          { VariantName: 'green', DesiredWeight: 20, DesiredInstanceCount: 3 }
        ]
      }
    ]);
    expect((await axe(view.container)).violations).toEqual([]);
  });

  it('says why a change is refused, and keeps it', async () => {
    shown({
      'sagemaker:UpdateEndpointWeightsAndCapacities': () => {
        throw new BottegaError('ResourceLimitExceeded', 'Too many.', 400);
      }
    });
    const count = screen.getByLabelText<HTMLInputElement>('Instances of blue');
    fireEvent.change(count, { target: { value: '99' } });
    await userEvent.click(screen.getByRole('button', { name: 'Apply' }));
    expect((await screen.findByRole('alert')).textContent).toBe('Too many.');
    expect(count.value).toBe('99');
    await userEvent.click(screen.getByRole('button', { name: 'Reset' }));
    expect(count.value).toBe('1');
  });
});

describe('DeploymentsTab', () => {
  it('brings an earlier deployment back, after asking', async () => {
    const asked: unknown[] = [];
    const props = screenProps(
      {
        'bottega:ListEndpointDeployments': () => ({
          Deployments: [
            deployment('c', {
              Outcome: 'RolledBack',
              Reason: 'The alarm rang.'
            }),
            deployment('b', { Active: true }),
            deployment('a')
          ]
        }),
        'bottega:RollBackEndpoint': request => {
          asked.push(request);
          return { EndpointArn: endpoint.EndpointArn };
        }
      },
      { name: 'churn' }
    );
    const { container } = render(
      <DeploymentsTab {...props} endpoint={endpoint} />
    );
    expect(await screen.findByText('The alarm rang.')).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.click(
      screen.getByRole('button', { name: 'Roll back to this' })
    );
    await waitForDialog();
    expect(asked).toEqual([]);
    await acceptDialog();
    await waitFor(() =>
      expect(asked).toEqual([{ EndpointName: 'churn', DeploymentId: 'a' }])
    );
  });
});

describe('RolloutBanner', () => {
  it('shows where an update stands, and undoes it', async () => {
    const asked: unknown[] = [];
    const props = screenProps(
      {
        'bottega:ListEndpointDeployments': () => ({
          Deployments: [
            deployment('b', {
              Outcome: 'InProgress',
              Progress: progress({
                Phase: 'ActivatingTraffic',
                TrafficShare: 0.25
              })
            }),
            deployment('a', { Active: true })
          ]
        }),
        'bottega:RollBackEndpoint': request => {
          asked.push(request);
          return { EndpointArn: endpoint.EndpointArn };
        }
      },
      { name: 'churn' }
    );
    const { container } = render(
      <RolloutBanner
        {...props}
        endpoint={{
          ...endpoint,
          EndpointStatus: 'Updating',
          PendingDeploymentSummary: { EndpointConfigName: 'config-b' }
        }}
      />
    );
    expect(await screen.findByText('25 % of the traffic')).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.click(
      screen.getByRole('button', { name: 'Roll back now' })
    );
    expect(asked).toEqual([{ EndpointName: 'churn' }]);
  });

  it('says what happens and for how long', () => {
    const baking = progress({ Phase: 'Baking', PhaseEndTime: 1090 });
    expect(phaseWords(baking, 1000, trans)).toBe('baking, 1:30 left');
    expect(phaseWords(progress({}), 1000, trans)).toBe(
      'new servers are starting'
    );
  });
});
