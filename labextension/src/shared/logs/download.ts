import type { LogReader } from './logWindow';

/** The most that one answer may hold. */
const MOST_LINES = 5000;

/**
 * Read a whole log as text, line by line with the time of each.
 *
 * @param progress hears from time to time which part of the log, 0 to 1, is there.
 * @throws what reading throws; `AbortError` when the signal came first.
 */
export async function readWholeLog(
  read: LogReader,
  signal: AbortSignal,
  progress: (part: number) => void
): Promise<Blob> {
  const parts: string[] = [];
  let next = 0;
  let total = Infinity;
  while (next < total) {
    if (signal.aborted) {
      throw new DOMException('The download was given up.', 'AbortError');
    }
    const found = await read(next, MOST_LINES, signal);
    total = found.total;
    if (found.lines.length === 0) {
      break;
    }
    parts.push(
      found.lines
        .map(
          line =>
            `${new Date(line.time * 1000).toISOString()} ${line.message}\n`
        )
        .join('')
    );
    next += found.lines.length;
    progress(Math.min(1, next / total));
  }
  return new Blob(parts, { type: 'text/plain' });
}

/** Have the browser save a file. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
