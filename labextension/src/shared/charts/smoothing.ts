/**
 * An exponential moving average that starts without a bias towards 0.
 *
 * @param values as the server sends them: NaN and infinity are texts in JSON. They stay gaps, and
 * what follows them does not suffer.
 * @param weight of what was before, from 0 (the values as they are) to below 1.
 */
export function smoothed(
  values: ReadonlyArray<number | string>,
  weight: number
): number[] {
  let sum = 0;
  let norm = 0;
  return values.map(Number).map(value => {
    if (weight <= 0 || !Number.isFinite(value)) {
      return value;
    }
    sum = weight * sum + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}
