import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IFailureCause,
  IFailureEvidence,
  IFailureLastLine
} from '../../api/types/failures';
import { Code } from '../components/controls';
import { lineTime } from '../logs/logView';

/** A line of a log, to be shown in it. */
export interface ILogPlace {
  stream: string;
  line: number;
}

/** What to do about a cause, step by step; code can be copied. */
export function Advice(props: {
  cause: IFailureCause;
  trans: TranslationBundle;
}): JSX.Element {
  const { cause, trans } = props;
  return (
    <div className="jp-BottegaCause-advice">
      <h2>{trans.__('What to do')}</h2>
      <ol>
        {cause.Advice.map((step, index) => (
          <li key={index}>
            <p>{step.Text}</p>
            {step.Code && (
              <Code
                code={step.Code}
                label={trans.__('Code of step %1', String(index + 1))}
                trans={trans}
              />
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The words that the cause was found in, as a way to their place in the log. */
export function Evidence(props: {
  evidence: IFailureEvidence;
  job: string;
  onLine: (place: ILogPlace) => void;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { evidence, trans } = props;
  const { LogStreamName: stream, Line: line } = evidence;
  const words = evidence.Text.trim();
  if (!words) {
    return null;
  }
  if (stream === undefined || line === undefined) {
    return (
      <p className="jp-BottegaCause-evidence">
        <code>{words}</code>
        <span>{trans.__('the failure reason')}</span>
      </p>
    );
  }
  return (
    <p className="jp-BottegaCause-evidence">
      <button
        type="button"
        className="jp-BottegaLink"
        title={trans.__('Show this line in the log')}
        onClick={() => props.onLine({ stream, line })}
      >
        <code>{words}</code>
      </button>
      <span>
        {trans.__('line %1 of %2', String(line + 1), hostOf(stream, props.job))}
      </span>
    </p>
  );
}

/** The host in a stream's name: `algo-1` of `churn/algo-1-1795694400`. */
export function hostOf(stream: string, job: string): string {
  const rest = stream.startsWith(`${job}/`)
    ? stream.slice(job.length + 1)
    : stream;
  return /^algo-\d+/.exec(rest)?.[0] ?? rest;
}

/** The last lines of the log. */
export function LastLines(props: {
  lines: readonly IFailureLastLine[];
  trans: TranslationBundle;
}): JSX.Element {
  return (
    <pre
      className="jp-BottegaFailure-lines"
      tabIndex={0}
      aria-label={props.trans.__('Last lines')}
    >
      {props.lines
        .map(line => `${lineTime(line.Time)}  ${line.Text}`)
        .join('\n')}
    </pre>
  );
}
