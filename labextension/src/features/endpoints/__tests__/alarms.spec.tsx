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

import type { IMetricAlarm } from '../../../api/types/cloudwatch';
import type { IDescribeEndpointOutput } from '../../../api/types/hosting';
import { FakeClient, screenProps, trans } from '../../../testing/fakeClient';
import { alarmOf, alarmWords, allAlarms, isOf } from '../alarms';
import { AlarmsTab } from '../alarmsTab';

const endpoint: IDescribeEndpointOutput = {
  EndpointName: 'churn',
  EndpointArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn',
  EndpointConfigName: 'churn-1',
  EndpointStatus: 'InService',
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ProductionVariants: [{ VariantName: 'blue' }, { VariantName: 'green' }]
};

const alarm = (name: string, of: string): IMetricAlarm => ({
  AlarmName: name,
  StateValue: 'ALARM',
  StateReason: 'Threshold Crossed',
  StateTransitionedTimestamp: 1000,
  Namespace: 'AWS/SageMaker',
  MetricName: 'Invocation5XXErrors',
  Statistic: 'Average',
  ComparisonOperator: 'GreaterThanThreshold',
  Threshold: 0.01,
  Period: 60,
  EvaluationPeriods: 3,
  Dimensions: [
    { Name: 'EndpointName', Value: of },
    { Name: 'VariantName', Value: 'blue' }
  ]
});

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

describe('AlarmsTab', () => {
  it('shows the alarms of this endpoint, and deletes one after asking', async () => {
    const props = screenProps(
      {
        'cloudwatch:DescribeAlarms': () => ({
          MetricAlarms: [alarm('errors', 'churn'), alarm('others', 'fraud')]
        }),
        'cloudwatch:DeleteAlarms': () => ({})
      },
      { name: 'churn' }
    );
    const { container } = render(<AlarmsTab {...props} endpoint={endpoint} />);
    const row = (await screen.findByText('errors')).closest('tr');
    expect(row?.textContent).toMatch(
      /ALARM.*Average of Invocation5XXErrors > 0\.01, 3 × 1 min.*Threshold Crossed.*blue/
    );
    expect(screen.queryByText('others')).toBeNull();
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.click(
      screen.getByRole('button', { name: 'Delete errors' })
    );
    await waitForDialog();
    expect(props.client.requests('cloudwatch:DeleteAlarms')).toEqual([]);
    await acceptDialog();
    await waitFor(() =>
      expect(props.client.requests('cloudwatch:DeleteAlarms')).toEqual([
        { AlarmNames: ['errors'] }
      ])
    );
  });

  it('leads from nothing to a first alarm', async () => {
    const props = screenProps(
      {
        'cloudwatch:DescribeAlarms': () => ({ MetricAlarms: [] }),
        'cloudwatch:PutMetricAlarm': () => ({})
      },
      { name: 'churn' }
    );
    render(<AlarmsTab {...props} endpoint={endpoint} />);
    await userEvent.click(
      await screen.findByRole('button', { name: 'New alarm' })
    );
    await waitForDialog();
    const dialog = within(await form());
    await userEvent.selectOptions(
      await dialog.findByLabelText('Variant'),
      'green'
    );
    await userEvent.selectOptions(
      dialog.getByLabelText('Watches'),
      'latencyP99'
    );
    fireEvent.change(dialog.getByLabelText('Threshold'), {
      target: { value: '250' }
    });
    expect((await axe(await form())).violations).toEqual([]);
    await acceptDialog();
    await waitFor(() =>
      expect(props.client.requests('cloudwatch:PutMetricAlarm')).toEqual([
        {
          AlarmName: 'churn-errors',
          Namespace: 'AWS/SageMaker',
          MetricName: 'ModelLatency',
          ExtendedStatistic: 'p99',
          Dimensions: [
            { Name: 'EndpointName', Value: 'churn' },
            { Name: 'VariantName', Value: 'green' }
          ],
          Period: 60,
          EvaluationPeriods: 1,
          Threshold: 250_000,
          ComparisonOperator: 'GreaterThanThreshold',
          TreatMissingData: 'notBreaching'
        }
      ])
    );
  });
});

describe('alarms', () => {
  it('are read page by page', async () => {
    const client = new FakeClient({
      'cloudwatch:DescribeAlarms': ({ NextToken: token }) =>
        token
          ? { MetricAlarms: [alarm('b', 'churn')] }
          : { MetricAlarms: [alarm('a', 'churn')], NextToken: 'next' }
    });
    const found = await allAlarms(client);
    expect(found.map(one => one.AlarmName)).toEqual(['a', 'b']);
  });

  it('of metric math belong to the endpoint that they look at', () => {
    const math: IMetricAlarm = {
      AlarmName: 'ratio',
      Metrics: [
        { Id: 'r', Expression: 'a/b' },
        {
          Id: 'a',
          MetricStat: {
            Metric: {
              MetricName: 'Invocations',
              Dimensions: [{ Name: 'EndpointName', Value: 'churn' }]
            },
            Period: 60,
            Stat: 'Sum'
          }
        }
      ]
    };
    expect([isOf(math, 'churn'), isOf(math, 'fraud')]).toEqual([true, false]);
    expect(alarmWords(math, trans)).toBe('several metrics');
  });

  it('have thresholds in the units of their metrics', () => {
    const { Threshold: threshold } = alarmOf('churn', {
      name: 'a',
      variant: 'blue',
      watched: 'errors5xx',
      threshold: 7,
      above: false,
      period: 10,
      periods: 2
    });
    expect(threshold).toBe(0.07);
  });
});
