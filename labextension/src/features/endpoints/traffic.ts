import type {
  IGetEndpointMetricsResponse,
  ITrafficSeries,
  IVariantSeries
} from '../../api/types/hosting';
import type { IChartTheme } from '../../shared/charts/theme';
import { seriesColour } from '../../shared/charts/theme';

/** A chart of the Endpoint screen: what it shows, and Plotly's traces. */
export interface ITrafficChart {
  id:
    | 'requests'
    | 'latency'
    | 'errors'
    | 'overhead'
    | 'concurrency'
    | 'instances';
  /** For the head of the chart: name, colour and latest value of each line. */
  lines: Array<{ name: string; colour: string; latest: number | null }>;
  traces: object[];
}

/**
 * The charts of an endpoint's traffic. Rates are per second, latencies in milliseconds.
 *
 * What was not measured has no chart.
 */
export function trafficCharts(
  metrics: IGetEndpointMetricsResponse,
  theme: IChartTheme
): ITrafficChart[] {
  const times = metrics.Times.map(time => new Date(time * 1000));
  const period = metrics.PeriodSeconds;
  const rate = (counts: readonly number[]): number[] =>
    counts.map(count => count / period);
  const { Total: total } = metrics;
  const several = metrics.Variants.length > 1 ? metrics.Variants : [];
  const perVariant = (
    values: (variant: IVariantSeries) => readonly number[] | undefined
  ): Line[] =>
    metrics.Variants.flatMap(variant => {
      const found = values(variant);
      return found ? [[variant.VariantName, gaps(found)] as const] : [];
    });
  const all: Array<[ITrafficChart['id'], Line[]]> = [
    [
      'requests',
      [
        ['total', rate(total.Requests)],
        ...several.map(
          variant =>
            [variant.VariantName, rate(variant.Series.Requests)] as const
        )
      ]
    ],
    [
      'latency',
      [
        ['p50', milliseconds(total.LatencyP50)],
        ['p99', milliseconds(total.LatencyP99)],
        ...several.map(
          variant =>
            [
              `p99 ${variant.VariantName}`,
              milliseconds(variant.Series.LatencyP99)
            ] as const
        )
      ]
    ],
    [
      'errors',
      [
        ['4XX', rate(total.Errors4XX)],
        ['5XX', rate(total.Errors5XX)]
      ]
    ],
    [
      'overhead',
      total.Overhead ? [['mean', milliseconds(total.Overhead)]] : []
    ],
    ['concurrency', perVariant(variant => variant.Concurrency)],
    ['instances', perVariant(variant => variant.Instances)]
  ];
  return all.flatMap(([id, lines]) =>
    lines.length > 0 ? [chart(id, times, theme, lines)] : []
  );
}

type Line = readonly [string, ReadonlyArray<number | null>];

function chart(
  id: ITrafficChart['id'],
  times: readonly Date[],
  theme: IChartTheme,
  lines: readonly Line[]
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
      mode: 'lines+markers',
      name,
      x: times,
      y: values,
      connectgaps: false,
      marker: { size: markers(values), color: seriesColour(theme, index) },
      line: {
        width: 1.5,
        shape: id === 'instances' ? 'hv' : 'linear',
        color: seriesColour(theme, index),
        dash: index === 0 ? 'solid' : index === 1 ? 'dash' : 'dot'
      }
    }))
  };
}

/** Sizes of markers: a line through a point between two gaps cannot be seen. */
function markers(values: ReadonlyArray<number | null>): number[] {
  const known = (index: number): boolean => (values[index] ?? null) !== null;
  return values.map((_, index) =>
    known(index) && !known(index - 1) && !known(index + 1) ? 5 : 0
  );
}

/** What there is no value for is a gap. */
function gaps(values: readonly (number | string)[]): Array<number | null> {
  // JSON has no word for NaN; the wire gives it as a text.
  return values.map(value => (typeof value === 'number' ? value : null));
}

/** Seconds as milliseconds; a period without requests has none, and the line a gap. */
function milliseconds(
  seconds: readonly (number | string)[]
): Array<number | null> {
  return gaps(seconds).map(value => (value === null ? null : value * 1000));
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
