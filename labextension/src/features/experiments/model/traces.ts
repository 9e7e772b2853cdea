import type {
  IRunMetricCourse,
  IRunOverview
} from '../../../api/types/experiments';
import type { IAxisValues, IParallel } from '../../../shared/charts/parallel';
import {
  axisValues as valuesOfAxis,
  parallelAxes
} from '../../../shared/charts/parallel';
import { smoothed } from '../../../shared/charts/smoothing';
import type { IChartTheme } from '../../../shared/charts/theme';
import { colourScale, seriesColour } from '../../../shared/charts/theme';
import { parseColumn } from './names';
import { runValue } from './runs';

/** Colours come again: with each round the lines have another dash. */
const DASHES = ['solid', 'dash', 'dot', 'dashdot'] as const;

/** The dash of the series at a position. */
export function seriesDash(
  theme: IChartTheme,
  index: number
): (typeof DASHES)[number] {
  const round = Math.floor(index / theme.colours.length);
  return DASHES[round % DASHES.length] ?? 'solid';
}

/** What curves are drawn over. */
export type CurveAxis = 'step' | 'time';

const FADED = 0.15;

/** One line for each run; when one is highlighted the others fade. */
export function curveTraces(
  courses: readonly IRunMetricCourse[],
  runs: readonly IRunOverview[],
  options: {
    axis: CurveAxis;
    smoothing: number;
    highlighted: string | null;
    theme: IChartTheme;
  }
): object[] {
  const { axis, smoothing, highlighted, theme } = options;
  return runs.flatMap((run, index) => {
    const course = courses.find(other => other.RunId === run.RunId);
    if (!course) {
      return [];
    }
    const begin = course.Times[0] ?? 0;
    const faded = highlighted !== null && highlighted !== run.RunId;
    return [
      {
        type: 'scatter',
        // A course of one point would be an invisible line.
        mode: course.Values.length === 1 ? 'markers' : 'lines',
        name: run.RunName,
        x:
          axis === 'step'
            ? course.Steps
            : course.Times.map(time => time - begin),
        y: smoothed(course.Values, smoothing),
        opacity: faded ? FADED : 1,
        line: {
          color: seriesColour(theme, index),
          dash: seriesDash(theme, index),
          width: highlighted === run.RunId ? 3 : 1.5
        },
        marker: { color: seriesColour(theme, index) }
      }
    ];
  });
}

/** The values of a column as an axis has them: numbers, or the places of texts. */
export function axisValues(
  runs: readonly IRunOverview[],
  id: string
): IAxisValues {
  return valuesOfAxis(runs.map(run => runValue(run, id)));
}

/** Columns in which the runs differ: those that a plot of them can tell something by. */
export function varying(
  runs: readonly IRunOverview[],
  ids: readonly string[]
): string[] {
  return ids.filter(
    id =>
      new Set(
        runs.map(run => runValue(run, id)).filter(value => value !== null)
      ).size > 1
  );
}

/** Parallel coordinates over some columns; the last one colours the lines. */
export function parallelTraces(
  runs: readonly IRunOverview[],
  ids: readonly string[],
  theme: IChartTheme
): IParallel {
  return parallelAxes(
    ids.map(id => ({
      label: parseColumn(id).name,
      values: runs.map(run => runValue(run, id))
    })),
    theme
  );
}

/** One point for each run that has both columns, coloured by a third. */
export function scatterTraces(
  runs: readonly IRunOverview[],
  columns: { x: string; y: string; colour: string },
  theme: IChartTheme
): object[] {
  const { x, y, colour } = columns;
  const drawn = runs.filter(
    run => runValue(run, x) !== null && runValue(run, y) !== null
  );
  const across = plotted(drawn, x);
  const up = plotted(drawn, y);
  const points = (indices: readonly number[]): object => ({
    type: 'scatter',
    mode: 'markers',
    x: indices.map(index => across[index]),
    y: indices.map(index => up[index]),
    text: indices.map(index => drawn[index]?.RunName ?? ''),
    customdata: indices.map(index => drawn[index]?.RunId ?? ''),
    hovertemplate: `%{text}<br>${label(x)} %{x}<br>${label(y)} %{y}<extra></extra>`
  });
  const all = drawn.map((_, index) => index);
  if (!colour) {
    return [
      { ...points(all), marker: { size: 8, color: seriesColour(theme, 0) } }
    ];
  }
  const values = axisValues(drawn, colour);
  if (values.texts === null) {
    return [
      {
        ...points(all),
        marker: {
          size: 8,
          color: values.values,
          colorscale: colourScale(theme),
          showscale: true,
          colorbar: {
            title: { text: label(colour), side: 'right' },
            thickness: 10,
            outlinewidth: 0
          }
        }
      }
    ];
  }
  return values.texts.map((text, place) => ({
    ...points(all.filter(index => values.values[index] === place)),
    name: text,
    marker: { size: 8, color: seriesColour(theme, place) }
  }));
}

function plotted(
  runs: readonly IRunOverview[],
  id: string
): Array<number | string | null> {
  const axis = axisValues(runs, id);
  return axis.texts ? runs.map(run => runValue(run, id)) : axis.values;
}

/** A column's name without what Plotly would take for markup. */
function label(id: string): string {
  return parseColumn(id).name.replace(/[<>&%{}]/g, ' ');
}
