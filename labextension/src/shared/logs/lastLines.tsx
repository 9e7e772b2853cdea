import type { TranslationBundle } from '@jupyterlab/translation';

import { Loadable } from '../components/states';
import type { Live } from '../hooks/useLive';
import { useLive } from '../hooks/useLive';
import { logLevel } from './levels';
import { lineTime } from './logView';
import type { ILogLine } from './logWindow';
import type { ILogContext } from './sources';
import { logReader, POLL_MS } from './sources';

/** The end of a log. */
export interface ILogEnd {
  lines: ILogLine[];
  total: number;
}

/**
 * The last lines of a stream, live.
 *
 * @param stream empty while there is none.
 */
export function useLastLines(
  context: ILogContext,
  group: string,
  stream: string,
  count: number,
  growing: boolean
): Live<ILogEnd> {
  const { client } = context;
  return useLive<ILogEnd>(
    context,
    signal =>
      stream
        ? logReader({ client, group, stream })(null, count, signal)
        : Promise.resolve({ lines: [], total: 0 }),
    [group, stream, count, growing],
    { every: growing ? POLL_MS : null }
  );
}

/** The last lines of a log, as a small block. */
export function LastLines(props: {
  live: Live<ILogEnd>;
  growing: boolean;
  trans: TranslationBundle;
  onOpen: () => void;
}): JSX.Element {
  const { live, growing, trans } = props;
  return (
    <section
      className="jp-BottegaLastLines"
      aria-label={trans.__('Last lines')}
    >
      <div className="jp-BottegaLastLines-head">
        <h2>{trans.__('Last lines')}</h2>
        {live.state === 'ready' && live.value.total > 0 && (
          <span className="jp-BottegaHeader-facts">
            {growing && `${trans.__('following')} · `}
            {trans._n(
              '%2 line',
              '%2 lines',
              live.value.total,
              live.value.total.toLocaleString()
            )}
          </span>
        )}
        <button
          type="button"
          className="jp-BottegaButton jp-mod-small"
          onClick={props.onOpen}
        >
          {trans.__('Open the log')}
        </button>
      </div>
      <Loadable
        live={live}
        trans={trans}
        what={trans.__('The log cannot be read.')}
      >
        {({ lines }) => (
          <pre tabIndex={0} aria-label={trans.__('Last lines')}>
            {lines.length === 0 &&
              (growing
                ? trans.__('Nothing has been written yet.')
                : trans.__('Nothing was written.'))}
            {lines.map(line => (
              <span
                key={line.number}
                className={`jp-BottegaLog-line jp-mod-${logLevel(line.message)}`}
              >
                <span className="jp-BottegaLog-time">
                  {lineTime(line.time)}
                </span>
                {`  ${line.message}\n`}
              </span>
            ))}
          </pre>
        )}
      </Loadable>
    </section>
  );
}
