import type { TranslationBundle } from '@jupyterlab/translation';
import { useMemo } from 'react';

import type { SharedRange } from '../../../shared/charts/plot';
import { Plot } from '../../../shared/charts/plot';
import { smoothed } from '../../../shared/charts/smoothing';
import { Stroke } from '../../../shared/charts/stroke';
import type { IChartTheme } from '../../../shared/charts/theme';
import { seriesColour, useChartTheme } from '../../../shared/charts/theme';
import { measured } from '../../../shared/format';
import type { IFamilyCurve, IMetricFamily } from './families';

const HEIGHT = 220;

interface IMetricChartProps {
  family: IMetricFamily;
  /** The same metric of the job that is compared with. */
  other: IMetricFamily | undefined;
  otherName: string;
  smoothing: number;
  range: SharedRange;
  onRange: (range: SharedRange) => void;
  trans: TranslationBundle;
}

/** One metric on all the data it was measured on; another job's curves are dashed. */
export function MetricChart(props: IMetricChartProps): JSX.Element {
  const { family, other, otherName, smoothing, trans } = props;
  const theme = useChartTheme();
  const data = useMemo(
    () => [
      ...family.curves.flatMap((curve, index) =>
        traces(curve, seriesColour(theme, index), smoothing)
      ),
      ...(other?.curves ?? []).map(curve =>
        dashed(curve, colourLike(curve, family, theme), smoothing, otherName)
      )
    ],
    [family, other, otherName, smoothing, theme]
  );
  const layout = useMemo(
    () => ({ xaxis: { title: { text: trans.__('step'), standoff: 4 } } }),
    [trans]
  );
  return (
    <section
      className="jp-BottegaCard"
      aria-label={family.name}
      data-metric={family.name}
    >
      <div className="jp-BottegaChart-head">
        <h2>{family.name}</h2>
        <ul>
          {family.curves.map((curve, index) => (
            <li key={curve.course.Name} title={curve.course.Name}>
              <Stroke colour={seriesColour(theme, index)} />
              {curve.label} {lastValue(curve)}
              {curve.objective && (
                <span role="img" aria-label={trans.__('objective')}>
                  {' '}
                  ★
                </span>
              )}
            </li>
          ))}
          {other && (
            <li>
              <Stroke isDashed />
              {otherName}
            </li>
          )}
        </ul>
      </div>
      <Plot
        data={data}
        layout={layout}
        height={HEIGHT}
        label={description(family, trans)}
        trans={trans}
        range={props.range}
        onRange={props.onRange}
      />
    </section>
  );
}

function lastValue(curve: IFamilyCurve): string {
  const { Values: values } = curve.course;
  const last = values[values.length - 1];
  return last === undefined ? '' : measured(last);
}

/** A curve; smoothed, it has the values as they are faintly behind it. */
function traces(
  curve: IFamilyCurve,
  colour: string,
  smoothing: number
): object[] {
  const { Steps: x, Values: values } = curve.course;
  const base = {
    type: 'scatter',
    mode: x.length === 1 ? 'markers' : 'lines',
    x
  };
  const line = { color: colour, width: 1.5 };
  const main = {
    ...base,
    y: smoothed(values, smoothing),
    name: curve.label,
    line
  };
  return smoothing > 0
    ? [
        {
          ...base,
          y: smoothed(values, 0),
          line,
          opacity: 0.25,
          hoverinfo: 'skip'
        },
        main
      ]
    : [main];
}

function dashed(
  curve: IFamilyCurve,
  colour: string,
  smoothing: number,
  job: string
): object {
  const { Steps: x, Values: values } = curve.course;
  return {
    type: 'scatter',
    mode: x.length === 1 ? 'markers' : 'lines',
    x,
    y: smoothed(values, smoothing),
    name: `${job} ${curve.label}`,
    line: { color: colour, width: 1.5, dash: 'dash' },
    opacity: 0.7
  };
}

/** Curves of the same data have the same colour in both jobs. */
function colourLike(
  curve: IFamilyCurve,
  family: IMetricFamily,
  theme: IChartTheme
): string {
  const index = family.curves.findIndex(own => own.role === curve.role);
  return index < 0 ? theme.text : seriesColour(theme, index);
}

function description(family: IMetricFamily, trans: TranslationBundle): string {
  const parts = family.curves.map(curve =>
    trans.__(
      '%1: %2 after %3 steps',
      curve.label,
      lastValue(curve),
      curve.course.Points
    )
  );
  return trans.__('Course of %1. %2', family.name, parts.join('; '));
}
