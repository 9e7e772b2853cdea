/** Weights as per cent of the traffic; the shares of all variants together are 100. */
export function sharesOf(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map(weight =>
    sum > 0 ? (100 * weight) / sum : 100 / weights.length
  );
}

/**
 * The shares after one of them was moved: the others give or take in proportion to what they have,
 * so that all together stay 100.
 */
export function movedShares(
  shares: readonly number[],
  index: number,
  value: number
): number[] {
  if (shares.length < 2) {
    return [100];
  }
  const moved = Math.min(100, Math.max(0, value));
  const others = shares.reduce(
    (sum, share, place) => (place === index ? sum : sum + share),
    0
  );
  const rest = 100 - moved;
  return shares.map((share, place) => {
    if (place === index) {
      return moved;
    }
    return others > 0 ? (share / others) * rest : rest / (shares.length - 1);
  });
}
