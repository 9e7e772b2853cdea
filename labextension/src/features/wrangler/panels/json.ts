/** Values by name, as parameters have them. */
export type Values = Readonly<Record<string, unknown>>;

/**
 * The cells of a row.
 *
 * The API has them as free JSON, which the generated types call a mapping.
 */
export function cellsOf(row: unknown): readonly unknown[] {
  return Array.isArray(row) ? (row as unknown[]) : [];
}

/** A cell as a person reads it; null where the value is missing. */
export function cellText(cell: unknown): string | null {
  if (cell === null || cell === undefined) {
    return null;
  }
  if (typeof cell === 'string') {
    return cell;
  }
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

/** Whether two JSON values are the same. */
export function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
