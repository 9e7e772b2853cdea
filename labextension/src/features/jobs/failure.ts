/** Why a job failed, taken apart. */
export interface IFailure {
  /** `AlgorithmError`, `ClientError`, `InternalServerError`; empty when the reason names none. */
  kind: string;
  /** The cause in one line. */
  cause: string;
  /** What else the reason says, or the traceback as far as it holds it. */
  detail: string;
}

const TRACEBACK = 'Traceback (most recent call last)';
const LINKS = [
  'During handling of the above exception, another exception occurred:',
  'The above exception was the direct cause of the following exception:'
];

/** Read a FailureReason: its class, the error message of a script, and the rest. */
export function parseFailure(reason: string): IFailure {
  const named = /^(AlgorithmError|ClientError|InternalServerError):\s*/.exec(
    reason
  );
  const kind = named?.[1] ?? '';
  const text = reason.slice(named?.[0].length ?? 0).trim();
  const message = /^ErrorMessage "(.*?)"$/ms.exec(text)?.[1]?.trim();
  const firstLine = text.split('\n')[0] ?? '';
  if (message) {
    const blank = text.indexOf('\n\n');
    const program = /^(\w+):?$/.exec(firstLine.trim())?.[1];
    return {
      kind: program ?? kind,
      cause: message.split('\n')[0] ?? message,
      detail: blank < 0 ? text : text.slice(blank).trim()
    };
  }
  const trace = text.indexOf(TRACEBACK);
  if (trace >= 0) {
    const detail = text.slice(trace).trim();
    return { kind, cause: lastWords(detail), detail };
  }
  return {
    kind,
    cause: firstLine.replace(/^,\s*/, ''),
    detail: text === firstLine ? '' : text
  };
}

/** The exception that a traceback ends with. */
function lastWords(trace: string): string {
  const lines = trace.split('\n').filter(line => /^\S/.test(line));
  return lines[lines.length - 1] ?? trace;
}

/** The last traceback among lines of a log, with those of the exceptions before it; or null. */
export function lastTraceback(lines: readonly string[]): string | null {
  let found: string[] | null = null;
  let index = 0;
  while (index < lines.length) {
    if (!lines[index]?.startsWith(TRACEBACK)) {
      index += 1;
      continue;
    }
    const end = tracebackEnd(lines, index);
    const linked: boolean = found !== null && followsLink(lines, index);
    const block = lines.slice(index, end);
    found =
      linked && found
        ? [...found, '', lines[index - 2] ?? '', '', ...block]
        : block;
    index = end;
  }
  return found && found.join('\n');
}

/** Behind the line of the exception, which is the first that is not indented. */
function tracebackEnd(lines: readonly string[], start: number): number {
  let end = start + 1;
  while (end < lines.length && /^(\s|$)/.test(lines[end] ?? '')) {
    end += 1;
  }
  return Math.min(end + 1, lines.length);
}

function followsLink(lines: readonly string[], start: number): boolean {
  return LINKS.includes(lines[start - 2] ?? '') && lines[start - 1] === '';
}
