/**
 * An exponential moving average that starts without a bias towards 0.
 *
 * @param weight of what was, from 0 (the values as they are) to below 1.
 */
export function smoothed(values: readonly number[], weight: number): number[] {
  if (weight <= 0) {
    return [...values];
  }
  let average = 0;
  let count = 0;
  return values.map(value => {
    if (!Number.isFinite(value)) {
      return value; // a gap stays one, and what follows does not suffer
    }
    count += 1;
    average = weight * average + (1 - weight) * value;
    return average / (1 - weight ** count);
  });
}
