import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IDescribeAlarmsOutput,
  IMetricAlarm,
  IPutMetricAlarmInput
} from '../../api/types/cloudwatch';
import { measured, span } from '../../shared/format';
import type { IBottegaClient } from '../../tokens';

/** What an alarm of the form can watch. */
export type Watched =
  'errors5xx' | 'errors4xx' | 'latencyP99' | 'latencyMean' | 'requests' | 'cpu';

type Metric = Pick<
  IPutMetricAlarmInput,
  'Namespace' | 'MetricName' | 'Statistic' | 'ExtendedStatistic'
>;

interface IWatched {
  metric: Metric;
  /** What one of the form's units is in the metric's. */
  scale: number;
  /** What the form suggests, in its own unit. */
  threshold: number;
}

const REQUESTS = 'AWS/SageMaker';

export const WATCHED: Record<Watched, IWatched> = {
  // Each request counts 0 or 1: their average is the share of errors.
  errors5xx: {
    metric: {
      Namespace: REQUESTS,
      MetricName: 'Invocation5XXErrors',
      Statistic: 'Average'
    },
    scale: 0.01,
    threshold: 1
  },
  errors4xx: {
    metric: {
      Namespace: REQUESTS,
      MetricName: 'Invocation4XXErrors',
      Statistic: 'Average'
    },
    scale: 0.01,
    threshold: 5
  },
  latencyP99: {
    metric: {
      Namespace: REQUESTS,
      MetricName: 'ModelLatency',
      ExtendedStatistic: 'p99'
    },
    scale: 1000,
    threshold: 100
  },
  latencyMean: {
    metric: {
      Namespace: REQUESTS,
      MetricName: 'ModelLatency',
      Statistic: 'Average'
    },
    scale: 1000,
    threshold: 50
  },
  requests: {
    metric: {
      Namespace: REQUESTS,
      MetricName: 'Invocations',
      Statistic: 'Sum'
    },
    scale: 1,
    threshold: 1000
  },
  cpu: {
    metric: {
      Namespace: '/aws/sagemaker/Endpoints',
      MetricName: 'CPUUtilization',
      Statistic: 'Average'
    },
    scale: 1,
    threshold: 90
  }
};

/** The words for what is watched, with the unit of its threshold. */
export function watchedName(
  watched: Watched,
  trans: TranslationBundle
): string {
  return {
    errors5xx: trans.__('Share of 5XX answers, %'),
    errors4xx: trans.__('Share of 4XX answers, %'),
    latencyP99: trans.__('p99 model latency, ms'),
    latencyMean: trans.__('Mean model latency, ms'),
    requests: trans.__('Requests in the period'),
    cpu: trans.__('CPU of the instances, %')
  }[watched];
}

/** A simple alarm, as a form has it. */
export interface IAlarmDraft {
  name: string;
  variant: string;
  watched: Watched;
  /** In the unit that the form shows. */
  threshold: number;
  above: boolean;
  /** Seconds. */
  period: number;
  /** So many periods in a row have to be beyond the threshold. */
  periods: number;
}

export const PERIODS = [10, 30, 60, 300];

/** The call that a draft stands for. */
export function alarmOf(
  endpoint: string,
  draft: IAlarmDraft
): IPutMetricAlarmInput {
  const { metric, scale } = WATCHED[draft.watched];
  return {
    AlarmName: draft.name,
    ...metric,
    Dimensions: [
      { Name: 'EndpointName', Value: endpoint },
      { Name: 'VariantName', Value: draft.variant }
    ],
    Period: draft.period,
    EvaluationPeriods: draft.periods,
    // Without the binary's last digits: 0.07, not 0.07000000000000001.
    Threshold: Number((draft.threshold * scale).toPrecision(12)),
    ComparisonOperator: draft.above
      ? 'GreaterThanThreshold'
      : 'LessThanThreshold',
    // Without requests there is nothing to measure, and nothing wrong.
    TreatMissingData: 'notBreaching'
  };
}

/** `Average of Invocation5XXErrors > 0.01, 3 × 1 min`. */
export function alarmWords(
  alarm: IMetricAlarm,
  trans: TranslationBundle
): string {
  if (!alarm.MetricName) {
    return trans.__('several metrics');
  }
  const signs: Record<string, string> = {
    GreaterThanOrEqualToThreshold: '≥',
    GreaterThanThreshold: '>',
    LessThanThreshold: '<',
    LessThanOrEqualToThreshold: '≤'
  };
  return trans.__(
    '%1 of %2 %3 %4, %5 × %6',
    alarm.Statistic ?? alarm.ExtendedStatistic ?? '',
    alarm.MetricName,
    signs[alarm.ComparisonOperator ?? ''] ?? alarm.ComparisonOperator ?? '',
    measured(alarm.Threshold ?? NaN),
    alarm.EvaluationPeriods ?? 1,
    span(alarm.Period ?? 60)
  );
}

/** Whether an alarm looks at an endpoint, itself or through metric math. */
export function isOf(alarm: IMetricAlarm, endpoint: string): boolean {
  const all = [
    alarm.Dimensions ?? [],
    ...(alarm.Metrics ?? []).map(
      query => query.MetricStat?.Metric.Dimensions ?? []
    )
  ];
  return all
    .flat()
    .some(
      dimension =>
        dimension.Name === 'EndpointName' && dimension.Value === endpoint
    );
}

/** Every alarm, by name. */
export async function allAlarms(
  client: IBottegaClient,
  signal?: AbortSignal
): Promise<IMetricAlarm[]> {
  const found: IMetricAlarm[] = [];
  let token: string | undefined;
  do {
    const page: IDescribeAlarmsOutput = await client.call(
      'cloudwatch:DescribeAlarms',
      { MaxRecords: 100, ...(token ? { NextToken: token } : {}) },
      signal
    );
    found.push(...(page.MetricAlarms ?? []));
    token = page.NextToken;
  } while (token);
  return found;
}
