import type {
  IGetEndpointMetricsResponse,
  ITrafficSeries
} from '../../api/types/hosting';
import type { IChartTheme } from '../../shared/charts/theme';
import { seriesColour } from '../../shared/charts/theme';

/** A chart of the Endpoint screen: what it shows, and Plotly's traces. */
export interface ITrafficChart {
  id: 'requests' | 'latency' | 'errors';
  /** For the head of the chart: name, colour and latest value of each line. */
  lines: Array<{ name: string; colour: string; latest: number | null }>;
  traces: object[];
}

/** The charts of an endpoint's traffic. Rates are per second, latencies in milliseconds. */
export function trafficCharts(
  metrics: IGetEndpointMetricsResponse,
  theme: IChartTheme
): ITrafficChart[] {
  const times = metrics.Times.map(time => new Date(time * 1000));
  const period = metrics.PeriodSeconds;
  const rate = (counts: readonly number[]): number[] =>
    counts.map(count => count / period);
  const { Total: total } = metrics;
  const perVariant =
    metrics.Variants.length > 1
      ? metrics.Variants.map(
          ({ VariantName: name, Series: series }) =>
            [name, rate(series.Requests)] as const
        )
      : [];
  return [
    chart('requests', times, theme, [
      ['total', rate(total.Requests)],
      ...perVariant
    ]),
    chart('latency', times, theme, [
      ['p50', milliseconds(total.LatencyP50)],
      ['p99', milliseconds(total.LatencyP99)]
    ]),
    chart('errors', times, theme, [
      ['4XX', rate(total.Errors4XX)],
      ['5XX', rate(total.Errors5XX)]
    ])
  ];
}

function chart(
  id: ITrafficChart['id'],
  times: readonly Date[],
  theme: IChartTheme,
  lines: ReadonlyArray<readonly [string, ReadonlyArray<number | null>]>
): ITrafficChart {
  return {
    id,
    lines: lines.map(([name, values], index) => ({
      name,
      colour: seriesColour(theme, index),
      latest: values[values.length - 1] ?? null
    })),
    traces: lines.map(([name, values], index) => ({
      type: 'scatter',
      mode: 'lines',
      name,
      x: times,
      y: values,
      connectgaps: false,
      line: {
        width: 1.5,
        color: seriesColour(theme, index),
        dash: index === 0 ? 'solid' : index === 1 ? 'dash' : 'dot'
      }
    }))
  };
}

/** Seconds as milliseconds; a period without requests has none, and the line a gap. */
function milliseconds(
  seconds: readonly (number | string)[]
): Array<number | null> {
  // JSON has no word for NaN; the wire gives it as a text.
  return seconds.map(value =>
    typeof value === 'number' ? value * 1000 : null
  );
}

/** The last points of a course, for a sparkline; gaps count as nothing. */
export function recent(
  values: readonly (number | string)[],
  points = 60
): number[] {
  return values
    .slice(-points)
    .map(value => (typeof value === 'number' ? value : 0));
}

/** All errors of a series, period by period. */
export function errors(series: ITrafficSeries): number[] {
  return series.Errors4XX.map(
    (count, index) => count + (series.Errors5XX[index] ?? 0)
  );
}
