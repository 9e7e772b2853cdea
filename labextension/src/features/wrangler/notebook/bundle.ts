/** The type of the data that a kernel displays a table as. */
export const WRANGLER_MIME = 'application/vnd.bottega.wrangler+json';

/** What a kernel displays: a table whose flow the studio keeps as a draft. */
export interface IWranglerBundle {
  draftId: string;
  title: string;
  rows: number;
  columns: number;
  /** Python that gives the table in the kernel; null where none is known. */
  expression: string | null;
}

/**
 * The data of an output.
 *
 * @throws Error when it names no draft.
 */
export function bundleOf(data: unknown): IWranglerBundle {
  const given = (
    typeof data === 'object' && data !== null ? data : {}
  ) as Record<string, unknown>;
  const { draftId, title, rows, columns, expression } = given;
  if (typeof draftId !== 'string' || draftId === '') {
    throw new Error(`The output of type ${WRANGLER_MIME} names no draft.`);
  }
  return {
    draftId,
    title: typeof title === 'string' && title !== '' ? title : draftId,
    rows: typeof rows === 'number' ? rows : 0,
    columns: typeof columns === 'number' ? columns : 0,
    expression: typeof expression === 'string' ? expression : null
  };
}
