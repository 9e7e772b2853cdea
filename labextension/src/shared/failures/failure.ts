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
