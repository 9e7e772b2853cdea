/** The name that somebody may have meant; null where none is near. */
export function closestName(
  wanted: string,
  names: readonly string[]
): string | null {
  const from = wanted.toLowerCase();
  let best: string | null = null;
  let least = Math.ceil(wanted.length * 0.4) + 1;
  for (const name of names) {
    const distance = editDistance(from, name.toLowerCase());
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

/** How many letters have to be put in, taken out or changed to make one text the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const changed = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
