import { useLayoutEffect, useMemo, useRef } from 'react';

import { Code } from '../../shared/components/controls';
import { useLive } from '../../shared/hooks/useLive';
import { lineTime } from '../../shared/logs/logView';
import type { ILogLine } from '../../shared/logs/logWindow';
import { listStreams, logReader } from '../../shared/logs/sources';
import { LOG_GROUP } from './facts';
import { lastTraceback, parseFailure } from './failure';
import type { IJobViewProps } from './jobView';

/** A traceback is looked for among so many last lines of each host's log. */
const TAIL_LINES = 500;
const MOST_HOSTS = 8;
const SHOWN_LINES = 8;

/** What went wrong: the cause, the traceback, and the log's last words. */
export function FailureCard(
  props: IJobViewProps & { reason: string; onLogs: () => void }
): JSX.Element {
  const { client, job, reason, trans } = props;
  const name = job.TrainingJobName;
  const failure = useMemo(() => parseFailure(reason), [reason]);
  const tails = useLive(
    props,
    async signal => {
      const streams = await listStreams(client, LOG_GROUP, `${name}/`, signal);
      return Promise.all(
        streams.slice(0, MOST_HOSTS).map(async stream => {
          const read = logReader({ client, group: LOG_GROUP, stream });
          return (await read(null, TAIL_LINES, signal)).lines;
        })
      );
    },
    [name, job.TrainingJobStatus]
  );
  const found = tails.state === 'ready' ? findTraceback(tails.value) : null;
  // The reason holds 1024 characters only; the log has the whole traceback.
  const detail = found?.trace ?? failure.detail;
  const lines = found?.lines.slice(-SHOWN_LINES) ?? [];
  const trace = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // A traceback ends with what matters most.
    const block = trace.current?.querySelector('pre');
    if (block) {
      block.scrollTop = block.scrollHeight;
    }
  }, [detail]);
  return (
    <section
      className="jp-BottegaFailure"
      aria-label={trans.__('Why the job failed')}
      role="alert"
    >
      <p className="jp-BottegaFailure-what">{failure.cause}</p>
      {failure.kind && <p className="jp-BottegaFailure-code">{failure.kind}</p>}
      {detail && (
        <div ref={trace}>
          <Code code={detail} label={trans.__('Traceback')} trans={trans} />
        </div>
      )}
      {lines.length > 0 && (
        <details>
          <summary>{trans.__('Last lines of the log')}</summary>
          <pre className="jp-BottegaFailure-lines" tabIndex={0}>
            {lines
              .map(line => `${lineTime(line.time)}  ${line.message}`)
              .join('\n')}
          </pre>
          <button
            type="button"
            className="jp-BottegaButton jp-mod-small"
            onClick={props.onLogs}
          >
            {trans.__('Open the log')}
          </button>
        </details>
      )}
      {tails.state === 'error' && (
        <p className="jp-BottegaFailure-message">
          {trans.__('The log cannot be read: %1', tails.error.message)}
        </p>
      )}
    </section>
  );
}

/** The traceback of the host that has one, and that host's last lines. */
function findTraceback(
  hosts: ReadonlyArray<ILogLine[]>
): { trace: string | null; lines: ILogLine[] } | null {
  for (const lines of hosts) {
    const trace = lastTraceback(lines.map(line => line.message));
    if (trace !== null) {
      return { trace, lines };
    }
  }
  const first = hosts[0];
  return first ? { trace: null, lines: first } : null;
}
