/** A span of time that is looked at: from and to, in seconds of any clock. */
export type Span = readonly [number, number];

/** Nobody looks closer than this, in seconds. */
const CLOSEST = 0.001;

/** How far a key moves what is seen, and the moment: parts of what is in sight. */
const PAN_SHARE = 0.25;
const STEP_SHARE = 0.02;
const ZOOM = 0.5;

/**
 * A part of a span around a moment that keeps its place on the screen.
 *
 * @param factor of the length: below 1 looks closer.
 * @param whole what there is; what is seen stays inside it.
 */
export function zoomed(
  span: Span,
  moment: number,
  factor: number,
  whole: Span
): Span {
  const length = Math.max(CLOSEST, (span[1] - span[0]) * factor);
  const share =
    span[1] > span[0] ? (moment - span[0]) / (span[1] - span[0]) : 0.5;
  const from = moment - share * length;
  return inside([from, from + length], whole);
}

/** The span moved by a part of its length; forward where the part is positive. */
export function panned(span: Span, share: number, whole: Span): Span {
  const by = (span[1] - span[0]) * share;
  return inside([span[0] + by, span[1] + by], whole);
}

/** The span, moved and where it must be shortened, inside of the whole. */
export function inside(span: Span, whole: Span): Span {
  const length = span[1] - span[0];
  if (length >= whole[1] - whole[0]) {
    return whole;
  }
  const from = Math.min(Math.max(span[0], whole[0]), whole[1] - length);
  return [from, from + length];
}

/** What is seen, and the moment that is pointed at. */
export interface ISight {
  span: Span;
  moment: number;
}

/**
 * What a key does: arrows move the moment, with Shift what is seen; `+` and `-` zoom around the
 * moment; Home and End lead to the ends, `0` and Escape show everything.
 *
 * @returns null where the key does nothing.
 */
export function afterKey(
  key: string,
  isShifted: boolean,
  sight: ISight,
  whole: Span
): ISight | null {
  const { span, moment } = sight;
  const length = span[1] - span[0];
  const clamp = (value: number): number =>
    Math.min(Math.max(value, whole[0]), whole[1]);
  const direction = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (direction !== undefined && isShifted) {
    const moved = panned(span, direction * PAN_SHARE, whole);
    return { span: moved, moment: clamp(moment + moved[0] - span[0]) };
  }
  if (direction !== undefined) {
    const next = clamp(moment + direction * STEP_SHARE * length);
    const isInSight = next >= span[0] && next <= span[1];
    return {
      span: isInSight ? span : panned(span, direction * PAN_SHARE, whole),
      moment: next
    };
  }
  switch (key) {
    case '+':
    case '=':
      return { span: zoomed(span, moment, ZOOM, whole), moment };
    case '-':
      return { span: zoomed(span, moment, 1 / ZOOM, whole), moment };
    case 'Home':
      return {
        span: inside([whole[0], whole[0] + length], whole),
        moment: whole[0]
      };
    case 'End':
      return {
        span: inside([whole[1] - length, whole[1]], whole),
        moment: whole[1]
      };
    case '0':
    case 'Escape':
      return { span: whole, moment };
    default:
      return null;
  }
}

/** The place of the last of ordered numbers that is not above a value; -1 where all are. */
export function lastAtOrBefore(
  ordered: readonly number[],
  value: number
): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ordered[middle] ?? Infinity) <= value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}
