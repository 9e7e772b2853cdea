import type { ReactNode } from 'react';
import { useLayoutEffect, useRef } from 'react';

import type {
  FailedJobKind,
  IExplainJobFailureResponse
} from '../../api/types/failures';
import { Button, Code } from '../components/controls';
import { Failure, Skeleton } from '../components/states';
import { useDeeds } from '../hooks/useDeeds';
import { useLive } from '../hooks/useLive';
import type { IScreenProps } from '../../tokens';
import { parseFailure } from './failure';
import type { ILogPlace } from './failureAdvice';
import { Advice, Evidence, LastLines } from './failureAdvice';
import { causeName } from './failureNames';

interface IFailureCardProps extends IScreenProps {
  kind: FailedJobKind;
  job: string;
  /** FailureReason; empty for a job that was stopped by its own limit. */
  reason: string;
  /**
   * Show a line of the log of a job; without a place, its end. It is the explained job's: for a tuning
   * job that of one of its training jobs.
   */
  onLog: (place: ILogPlace | null, job: string) => void;
  /** Further things that can be done. */
  children?: ReactNode;
}

/**
 * Why a job failed: the cause, what to do about it, and what it was found in. Until that is known, and
 * where it cannot be, the reason as the server gave it.
 */
export function FailureCard(props: IFailureCardProps): JSX.Element {
  const { client, job, kind, reason, trans } = props;
  const found = useLive(
    props,
    signal =>
      client.call(
        'bottega:ExplainJobFailure',
        { JobKind: kind, JobName: job },
        signal
      ),
    [kind, job, reason]
  );
  const answer = found.state === 'ready' ? found.value : null;
  return (
    <section
      className="jp-BottegaFailure jp-BottegaCause"
      aria-label={trans.__('Why the job failed')}
      data-state={found.state}
    >
      {answer ? <Answer {...props} found={answer} /> : <Reason {...props} />}
      {found.state === 'loading' && <Skeleton trans={trans} rows={3} />}
      {found.state === 'error' && (
        <div className="jp-BottegaCause-problem" role="status">
          <p className="jp-BottegaFailure-message">
            {trans.__(
              'What is behind it cannot be told: %1',
              found.error.message
            )}
          </p>
          <Button onClick={found.retry}>{trans.__('Try again')}</Button>
        </div>
      )}
      <Actions
        {...props}
        explained={answer?.JobName ?? job}
        replayable={answer ? Boolean(answer.Replayable) : kind === 'Training'}
        place={answer && placeOf(answer)}
      />
      {answer && <More found={answer} trans={trans} />}
    </section>
  );
}

/** Where in the log the cause was found; null where it was found in the reason. */
function placeOf(found: IExplainJobFailureResponse): ILogPlace | null {
  const { LogStreamName: stream, Line: line } = found.Cause.Evidence ?? {};
  return stream === undefined || line === undefined ? null : { stream, line };
}

/** The reason as the server gave it, taken apart. */
function Reason(props: IFailureCardProps): JSX.Element {
  const { reason, trans } = props;
  const failure = parseFailure(reason);
  return (
    <>
      <p className="jp-BottegaFailure-what" role="alert">
        {failure.cause || trans.__('The job did not come to its end.')}
      </p>
      {failure.kind && <p className="jp-BottegaFailure-code">{failure.kind}</p>}
      {failure.detail && <Traceback code={failure.detail} trans={trans} />}
    </>
  );
}

/** The cause and what to do; where that is not known, the traceback or the last lines. */
function Answer(
  props: IFailureCardProps & { found: IExplainJobFailureResponse }
): JSX.Element {
  const { found, onLog, trans } = props;
  const cause = found.Cause;
  const trace = found.Traceback.Lines.join('\n');
  const thrown = found.ExceptionMessage
    ? `${shortType(found)}: ${found.ExceptionMessage}`
    : shortType(found);
  const unknown = !found.Known && (thrown || parseFailure(props.reason).cause);
  return (
    <>
      <header className="jp-BottegaCause-head">
        <span className="jp-BottegaCause-name" data-cause={cause.Code}>
          {causeName(cause.Code, trans)}
        </span>
        {found.Known && cause.Confidence === 'likely' && (
          <span
            className="jp-BottegaCause-likely"
            title={trans.__(
              'The words that this was found in may also mean something else.'
            )}
          >
            {trans.__('likely')}
          </span>
        )}
        {found.JobName !== props.job && (
          <span className="jp-BottegaCause-of">
            {trans.__('in the training job %1', found.JobName)}
          </span>
        )}
      </header>
      <p className="jp-BottegaFailure-what" role="alert">
        {unknown || cause.Sentence}
      </p>
      {unknown && <p>{cause.Sentence}</p>}
      {found.Known && cause.Evidence && (
        <Evidence
          evidence={cause.Evidence}
          job={found.JobName}
          onLine={place => onLog(place, found.JobName)}
          trans={trans}
        />
      )}
      {!found.Known && trace && <Traceback code={trace} trans={trans} />}
      {!found.Known && !trace && found.LastLines.length > 0 && (
        <LastLines lines={found.LastLines} trans={trans} />
      )}
      <Advice cause={cause} trans={trans} />
    </>
  );
}

/** What stands behind the cause, folded away where it is not the first that is shown. */
function More(props: {
  found: IExplainJobFailureResponse;
  trans: IScreenProps['trans'];
}): JSX.Element {
  const { found, trans } = props;
  const trace = found.Traceback.Lines.join('\n');
  return (
    <>
      {found.Known && trace && (
        <Folded label={trans.__('Traceback')}>
          <Traceback code={trace} trans={trans} />
        </Folded>
      )}
      {found.LastLines.length > 0 && (found.Known || trace) && (
        <Folded label={trans.__('Last lines of the log')}>
          <LastLines lines={found.LastLines} trans={trans} />
        </Folded>
      )}
    </>
  );
}

/** The exception's class without its module. */
function shortType(found: IExplainJobFailureResponse): string {
  const type = found.ExceptionType ?? '';
  return type.slice(type.lastIndexOf('.') + 1);
}

function Folded(props: { label: string; children: ReactNode }): JSX.Element {
  return (
    <details className="jp-BottegaCause-more">
      <summary>{props.label}</summary>
      {props.children}
    </details>
  );
}

/** A traceback, scrolled to its end, which matters most. */
function Traceback(props: {
  code: string;
  trans: IScreenProps['trans'];
}): JSX.Element {
  const block = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const pre = block.current?.querySelector('pre');
    if (pre) {
      pre.scrollTop = pre.scrollHeight;
    }
  }, [props.code]);
  return (
    <div ref={block}>
      <Code
        code={props.code}
        label={props.trans.__('Traceback')}
        trans={props.trans}
      />
    </div>
  );
}

/** What can be done: replay, look into the log, and what the screen adds. */
function Actions(
  props: IFailureCardProps & {
    explained: string;
    replayable: boolean;
    place: ILogPlace | null;
  }
): JSX.Element {
  const { explained, onLog, place, studio, trans } = props;
  // Why a job cannot be replayed the command says itself; here is why it cannot be asked.
  const { problem, busy, act } = useDeeds();
  const replay = (): Promise<unknown> =>
    studio.execute('bottega:replay-job', {
      name: explained,
      ...(props.kind === 'Processing' && { kind: props.kind })
    });
  return (
    <>
      <div className="jp-BottegaCause-actions">
        {props.replayable && (
          <Button
            kind="primary"
            disabled={busy}
            title={trans.__(
              'Open a notebook with the same code, data and environment, and the debugger at the failing line'
            )}
            onClick={act(replay)}
          >
            {busy ? trans.__('Copying code and data…') : trans.__('Replay')}
          </Button>
        )}
        {props.children}
        <Button onClick={() => onLog(place, explained)}>
          {place
            ? trans.__('Open the log at this line')
            : trans.__('Open the log')}
        </Button>
      </div>
      {problem && (
        <Failure
          error={problem}
          trans={trans}
          what={trans.__('The job cannot be replayed.')}
        />
      )}
    </>
  );
}
