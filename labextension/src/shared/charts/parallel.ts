import type { IChartTheme } from './theme';
import { colourScale } from './theme';

const FEW_TICKS = 8;

/** A value of an axis; null where there is none. */
export type AxisValue = number | string | null;

/** The values of an axis as it has them: numbers, or the places of texts. */
export interface IAxisValues {
  values: number[];
  /** The texts in the order of their places; null where the values are numbers. */
  texts: string[] | null;
}

/** Numbers where all values are numbers, else places of the texts in the order of the alphabet. */
export function axisValues(found: readonly AxisValue[]): IAxisValues {
  const numbers = found.map(value =>
    value === null || value === '' ? NaN : Number(value)
  );
  if (
    found.every(
      (value, index) => value === null || !isNaN(numbers[index] ?? NaN)
    )
  ) {
    return { values: numbers, texts: null };
  }
  const texts = [
    ...new Set(found.flatMap(value => (value === null ? [] : [String(value)])))
  ].sort();
  return {
    values: found.map(value =>
      value === null ? NaN : texts.indexOf(String(value))
    ),
    texts
  };
}

/** An axis: its label, and the value of each line. */
export interface IParallelAxis {
  label: string;
  values: readonly AxisValue[];
  /** Whether the axis is scaled by powers of ten; its values are greater than zero. */
  isLogarithmic?: boolean;
}

/** What {@link parallelAxes} drew. */
export interface IParallel {
  data: object[];
  /** How many lines lack a value on one of the axes and are not drawn. */
  left: number;
}

/**
 * Parallel coordinates: a line through its value on every axis; the last axis colours the lines.
 *
 * @param isReversed whether low values of the last axis have the first colour of the theme.
 */
export function parallelAxes(
  axes: readonly IParallelAxis[],
  theme: IChartTheme,
  isReversed = false
): IParallel {
  const count = axes[0]?.values.length ?? 0;
  const found = axes.map(axis => scaled(axis));
  const drawn = Array.from({ length: count }, (_, index) => index).filter(
    index => found.every(axis => Number.isFinite(axis.values[index]))
  );
  const pick = (axis: IAxisValues): number[] =>
    drawn.map(index => axis.values[index] ?? NaN);
  const last = found[found.length - 1];
  const data =
    last === undefined || drawn.length === 0
      ? []
      : [
          {
            type: 'parcoords',
            line: {
              color: pick(last),
              colorscale: colourScale(theme),
              reversescale: isReversed,
              showscale: false
            },
            labelfont: { color: theme.text, size: 11 },
            tickfont: { color: theme.text, size: 10 },
            rangefont: { color: theme.text, size: 10 },
            dimensions: found.map((axis, index) => ({
              label: axes[index]?.label ?? '',
              values: pick(axis),
              ...(axes[index]?.isLogarithmic ? powers(axis) : ticks(axis))
            }))
          }
        ];
  return { data, left: count - drawn.length };
}

function scaled(axis: IParallelAxis): IAxisValues {
  const found = axisValues(axis.values);
  return axis.isLogarithmic && found.texts === null
    ? { values: found.values.map(Math.log10), texts: null }
    : found;
}

/** Marks of a logarithmic axis: the powers of ten in its range, or its ends where there are none. */
function powers(axis: IAxisValues): object {
  const known = axis.values.filter(Number.isFinite);
  const low = known.reduce((a, b) => Math.min(a, b), Infinity);
  const high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  const first = Math.ceil(low);
  const whole = Array.from(
    { length: Math.max(0, Math.floor(high) - first + 1) },
    (_, index) => first + index
  );
  const places = whole.length >= 2 ? whole : [...new Set([low, high])];
  return {
    tickvals: places,
    ticktext: places.map(place => String(Number((10 ** place).toPrecision(3))))
  };
}

/** Texts stand at their places; of few whole numbers each one is marked, and nothing between. */
function ticks(axis: IAxisValues): object {
  if (axis.texts) {
    return {
      tickvals: axis.texts.map((_, place) => place),
      ticktext: axis.texts
    };
  }
  const values = [...new Set(axis.values.filter(Number.isFinite))];
  return values.length <= FEW_TICKS && values.every(Number.isInteger)
    ? { tickvals: values.sort((a, b) => a - b) }
    : {};
}

/** Whether the browser can draw with WebGL, which lines over many axes need. */
export function hasWebGl(): boolean {
  const canvas = document.createElement('canvas');
  return (canvas.getContext('webgl') ?? null) !== null;
}
