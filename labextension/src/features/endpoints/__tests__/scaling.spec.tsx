import { Dialog } from '@jupyterlab/apputils';
import { acceptDialog, waitForDialog } from '@jupyterlab/testing';
import {
  fireEvent,
  render,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IEndpointScalingTarget } from '../../../api/types/autoscaling';
import type { IDescribeEndpointOutput } from '../../../api/types/hosting';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps, trans } from '../../../testing/fakeClient';
import { cooldownWords, policySentence } from '../scaling';
import { ScalingTab } from '../scalingTab';

const endpoint: IDescribeEndpointOutput = {
  EndpointName: 'churn',
  EndpointArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn',
  EndpointConfigName: 'churn-1',
  EndpointStatus: 'InService',
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ProductionVariants: [
    {
      VariantName: 'blue',
      CurrentInstanceCount: 2,
      DesiredInstanceCount: 2
    }
  ]
};

const METRIC = 'SageMakerVariantInvocationsPerInstance';

const target = (
  more: Partial<IEndpointScalingTarget> = {}
): IEndpointScalingTarget => ({
  VariantName: 'blue',
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  MinCapacity: 1,
  MaxCapacity: 5,
  Capacity: 2,
  PeriodSeconds: 60,
  Reason: '',
  Suspended: [],
  Policies: [
    {
      PolicyName: 'load',
      PolicyType: 'TargetTrackingScaling',
      Metric: METRIC,
      TargetValue: 1200,
      MetricValue: 1440,
      Direction: 'out',
      Desired: 3,
      Arithmetic: 'ceil(2 x 1440 / 1200) = 3'
    }
  ],
  ScheduledActions: [],
  Activities: [],
  ...more
});

const scaled = {
  ServiceNamespace: 'sagemaker',
  ResourceId: 'endpoint/churn/variant/blue',
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount'
};

const shown = (targets: IEndpointScalingTarget[], answers: Answers = {}) => {
  const props = screenProps(
    {
      'bottega:DescribeEndpointScaling': () => ({ Targets: targets }),
      'application-autoscaling:RegisterScalableTarget': () => ({}),
      'application-autoscaling:PutScalingPolicy': () => ({ PolicyARN: 'arn' }),
      ...answers
    },
    { name: 'churn' }
  );
  const { container } = render(<ScalingTab {...props} endpoint={endpoint} />);
  return { container, client: props.client };
};

afterEach(() => {
  Dialog.flush();
});

/** The form of the dialog in front. */
async function form(): Promise<HTMLElement> {
  return await waitFor(() => {
    const found = document.querySelector<HTMLElement>('.jp-BottegaDialog');
    if (!found) {
      throw new Error('There is no form.');
    }
    return found;
  });
}

describe('ScalingTab', () => {
  it('shows the arithmetic of the policies, and what was done', async () => {
    const { container } = shown([
      target({
        Reason: 'the cooldown of scaling out is in force',
        Suspended: ['ScheduledScalingSuspended'],
        ScheduledActions: [
          {
            ScheduledActionName: 'night',
            Schedule: 'cron(0 22 * * ? *)',
            Timezone: 'UTC',
            MinCapacity: 1,
            MaxCapacity: 2
          }
        ],
        Activities: [
          {
            ActivityId: 'a',
            Description: 'Setting desired instance count to 2.',
            Cause: 'metric above its target',
            StatusCode: 'Successful',
            Arithmetic: 'ceil(1 x 2000 / 1200) = 2',
            StartTime: 1000
          }
        ]
      })
    ]);
    const row = (await screen.findByText('load')).closest('tr');
    expect(row?.textContent).toMatch(
      /requests a minute of each instance, target 1200.*1440 against a target of 1200\. ceil\(2 x 1440 \/ 1200\) = 3\. It asks for 3; now there are 2\./
    );
    expect(screen.getByText('2 now, 1 to 5')).toBeTruthy();
    expect(
      screen.getByText('the cooldown of scaling out is in force')
    ).toBeTruthy();
    expect(
      container.querySelector('[data-activity="Successful"]')?.textContent
    ).toMatch(/desired instance count to 2.*ceil\(1 x 2000/);
    expect(screen.getByText('night').closest('tr')?.textContent).toMatch(
      /22.*never again.*1 to 2/
    );
    expect((await axe(container)).violations).toEqual([]);
  });

  it('scales a variant by a form', async () => {
    const { client } = shown([]);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Scale this variant' })
    );
    await waitForDialog();
    const dialog = within(await form());
    fireEvent.change(await dialog.findByLabelText('At most'), {
      target: { value: '6' }
    });
    fireEvent.change(dialog.getByLabelText('Its target'), {
      target: { value: '1200' }
    });
    expect((await axe(await form())).violations).toEqual([]);
    await acceptDialog();
    await waitFor(() =>
      expect(
        client.requests('application-autoscaling:PutScalingPolicy')
      ).toEqual([
        {
          ...scaled,
          PolicyName: 'blue-target',
          PolicyType: 'TargetTrackingScaling',
          TargetTrackingScalingPolicyConfiguration: {
            TargetValue: 1200,
            PredefinedMetricSpecification: { PredefinedMetricType: METRIC },
            ScaleOutCooldown: 300,
            ScaleInCooldown: 300,
            DisableScaleIn: false
          }
        }
      ])
    );
    expect(
      client.requests('application-autoscaling:RegisterScalableTarget')
    ).toEqual([{ ...scaled, MinCapacity: 1, MaxCapacity: 6 }]);
  });

  it('changes a policy from what it is', async () => {
    const { client } = shown([target()], {
      'application-autoscaling:DescribeScalingPolicies': () => ({
        ScalingPolicies: [
          {
            PolicyARN: 'arn',
            PolicyName: 'load',
            ServiceNamespace: 'sagemaker',
            ResourceId: scaled.ResourceId,
            ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
            PolicyType: 'TargetTrackingScaling',
            CreationTime: 1000,
            TargetTrackingScalingPolicyConfiguration: {
              TargetValue: 1200,
              PredefinedMetricSpecification: { PredefinedMetricType: METRIC },
              ScaleOutCooldown: 20,
              ScaleInCooldown: 40,
              DisableScaleIn: true
            }
          }
        ]
      })
    });
    await userEvent.click(
      await screen.findByRole('button', { name: 'Edit load' })
    );
    await waitForDialog();
    fireEvent.change(await screen.findByLabelText('Its target'), {
      target: { value: '900' }
    });
    await acceptDialog();
    await waitFor(() =>
      expect(
        client.requests('application-autoscaling:PutScalingPolicy')
      ).toHaveLength(1)
    );
    const [policy] = client.requests(
      'application-autoscaling:PutScalingPolicy'
    );
    expect(policy?.TargetTrackingScalingPolicyConfiguration).toMatchObject({
      TargetValue: 900,
      ScaleOutCooldown: 20,
      ScaleInCooldown: 40,
      DisableScaleIn: true
    });
  });

  it('offers no form for a policy that the form does not know', async () => {
    const [policy] = target().Policies;
    shown([
      target({ Policies: policy ? [{ ...policy, Metric: 'MyMetric' }] : [] })
    ]);
    expect(await screen.findByText('load')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Edit load' })).toBeNull();
  });

  it('asks before it deletes or stops, and says why it could not', async () => {
    const { client } = shown([target()], {
      'application-autoscaling:DeleteScalingPolicy': () => {
        throw new BottegaError('ObjectNotFoundException', 'It is gone.', 400);
      },
      'application-autoscaling:DeregisterScalableTarget': () => ({})
    });
    await userEvent.click(
      await screen.findByRole('button', { name: 'Delete load' })
    );
    await waitForDialog();
    expect(
      client.requests('application-autoscaling:DeleteScalingPolicy')
    ).toEqual([]);
    await acceptDialog();
    expect(await screen.findByText('It is gone.')).toBeTruthy();
    await acceptDialog();
    await userEvent.click(screen.getByRole('button', { name: 'Stop scaling' }));
    await acceptDialog();
    await waitFor(() =>
      expect(
        client.requests('application-autoscaling:DeregisterScalableTarget')
      ).toEqual([scaled])
    );
  });

  it('makes a scheduled action', async () => {
    const { client } = shown([target()], {
      'application-autoscaling:PutScheduledAction': () => ({})
    });
    await userEvent.click(
      await screen.findByRole('button', { name: 'Add a scheduled action' })
    );
    await waitForDialog();
    const when = await screen.findByLabelText('Schedule');
    fireEvent.change(when, { target: { value: 'daily' } });
    expect(when.matches(':invalid')).toBe(true);
    fireEvent.change(when, { target: { value: 'rate(1 day)' } });
    await acceptDialog();
    await waitFor(() =>
      expect(
        client.requests('application-autoscaling:PutScheduledAction')
      ).toEqual([
        {
          ...scaled,
          ScheduledActionName: 'blue-schedule',
          Schedule: 'rate(1 day)',
          ScalableTargetAction: { MinCapacity: 1, MaxCapacity: 5 }
        }
      ])
    );
  });
});

describe('the words of scaling', () => {
  const [policy] = target().Policies;

  it('says that nothing was looked at, or that nothing is to change', () => {
    expect(
      policySentence(
        { PolicyName: 'p', PolicyType: 'StepScaling', Metric: '' },
        target(),
        trans
      )
    ).toBe('It has not spoken yet.');
    expect(
      policy &&
        policySentence({ ...policy, Direction: 'hold' }, target(), trans)
    ).toMatch(/It asks for no change\.$/);
  });

  it('counts cooldowns down', () => {
    const found = target({
      ScaleOutCooldownEnds: 1012,
      ScaleInCooldownEnds: 1090
    });
    expect(cooldownWords(found, 1000, trans)).toBe(
      'scale out in 0:12, scale in in 1:30'
    );
    expect(cooldownWords(found, 2000, trans)).toBe('');
  });
});
