import { BottegaError } from '../../../api/request';
import type { ITimelineHost } from '../../../api/types/debugger';
import type { IReadLogLinesResponse } from '../../../api/types/logs';
import { clock } from '../../../shared/format';
import { useKept } from '../../../shared/hooks/useKept';
import { useLive } from '../../../shared/hooks/useLive';
import { useSettled } from '../../../shared/hooks/useSettled';
import type { IJobViewProps } from '../jobView';

const LINES = 5;
const SETTLED_MS = 120;
const NOTHING: IReadLogLinesResponse = { Lines: [], TotalLines: 0 };

/** The lines of a host's log around a moment; the last one written by then is marked. */
export function MomentLog(
  props: IJobViewProps & {
    host: ITimelineHost;
    /** Whether there is no other host to be told from. */
    isAlone: boolean;
    moment: number;
  }
): JSX.Element {
  const { client, host, isAlone, trans } = props;
  const moment = useSettled(props.moment, SETTLED_MS);
  const read = useLive(
    props,
    async signal => {
      try {
        return await client.call(
          'bottega:ReadLogLines',
          {
            LogGroupName: host.LogGroupName,
            LogStreamName: host.LogStreamName,
            AroundTime: moment,
            MaxLines: LINES
          },
          signal
        );
      } catch (error) {
        // A stream comes into being with its first line.
        if (
          error instanceof BottegaError &&
          error.code === 'ResourceNotFoundException'
        ) {
          return NOTHING;
        }
        throw error;
      }
    },
    [host.LogGroupName, host.LogStreamName, moment]
  );
  const live = useKept(read);
  const { LineAtTime: present, Lines: lines } =
    live.state === 'ready' ? live.value : NOTHING;
  const label = isAlone
    ? trans.__('Log at the moment')
    : trans.__('Log of %1 at the moment', host.HostName);
  if (live.state === 'error') {
    return (
      <p role="alert">
        {trans.__('%1 cannot be read: %2', label, live.error.message)}
      </p>
    );
  }
  return (
    <div className="jp-BottegaMoment-log">
      <h4>{label}</h4>
      {live.state === 'ready' && lines.length === 0 ? (
        <p className="jp-BottegaHeader-facts">
          {trans.__('Nothing was written.')}
        </p>
      ) : (
        <ol>
          {lines.map(line => (
            <li
              key={line.Number}
              aria-current={line.Number === present ? 'true' : undefined}
            >
              <span className="jp-BottegaHeader-facts">{clock(line.Time)}</span>{' '}
              {line.Message}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
