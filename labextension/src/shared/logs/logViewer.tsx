import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useEffect, useRef, useState } from 'react';

import { Button, FilterBox } from '../components/controls';
import { Empty, Failure, Loadable, Skeleton } from '../components/states';
import { readWholeLog, saveFile } from './download';
import type { LogSearch } from './logSearch';
import type { ILogTarget } from './logView';
import { LogView } from './logView';
import type { ILogContext, ILogSource } from './sources';
import {
  logReader,
  useLogSearch,
  useLogStreams,
  useLogWindow
} from './sources';

interface ILogViewerProps extends ILogContext {
  trans: TranslationBundle;
  group: string;
  /** The streams whose names begin so are offered. */
  prefix: string;
  /** Whether lines may still come. */
  growing: boolean;
  /** A line to begin with; the end when absent. Asked for anew, it is shown anew. */
  place?: { stream: string; line: number; asked?: string } | null;
}

/** The logs of something: its streams, followed, searched, downloaded. */
export function LogViewer(props: ILogViewerProps): JSX.Element {
  const { trans, group, prefix, growing } = props;
  const streams = useLogStreams(props, group, prefix, growing);
  const wanted = props.place?.stream ?? '';
  const asked = props.place?.asked;
  const [chosen, setChosen] = useState(wanted);
  useEffect(() => {
    if (wanted) {
      setChosen(wanted);
    }
  }, [wanted, asked]);
  return (
    <Loadable
      live={streams}
      trans={trans}
      what={trans.__('The logs cannot be read.')}
    >
      {names => {
        const stream = names.includes(chosen) ? chosen : names[0];
        return stream === undefined ? (
          <Empty
            sentence={
              growing
                ? trans.__('Nothing has been written yet.')
                : trans.__('Nothing was written.')
            }
          />
        ) : (
          <Stream
            key={stream}
            {...props}
            stream={stream}
            streams={names}
            onStream={setChosen}
          />
        );
      }}
    </Loadable>
  );
}

function Stream(
  props: ILogViewerProps & {
    stream: string;
    streams: readonly string[];
    onStream: (stream: string) => void;
  }
): JSX.Element {
  const { client, trans, group, stream, growing } = props;
  const log = useLogWindow(props, group, stream, growing);
  const search = useLogSearch({ client, group, stream }, log.total);
  const [wrap, setWrap] = useState(false);
  const [times, setTimes] = useState(true);
  const first = props.place?.stream === stream ? props.place.line : null;
  const asked = props.place?.asked;
  const [follow, setFollow] = useState(first === null);
  const [target, setTarget] = useState<ILogTarget | null>(null);
  const total = log.total;
  const isRead = total !== null;
  const whole = useRef<HTMLElement>(null);
  useEffect(() => {
    if (first !== null && isRead) {
      setFollow(false);
      setTarget({ line: first });
      // Who asked for a line wants to be there: the log may be out of sight below what led to it.
      whole.current?.querySelector<HTMLElement>('.jp-BottegaLog')?.focus();
    }
  }, [first, asked, isRead]);

  if (total === null) {
    return log.problem ? (
      <Failure
        error={log.problem}
        trans={trans}
        what={trans.__('The log cannot be read.')}
        retry={() => void log.poll()}
      />
    ) : (
      <Skeleton trans={trans} rows={10} />
    );
  }
  return (
    <section
      className="jp-BottegaLogs"
      aria-label={trans.__('Logs')}
      ref={whole}
    >
      <div className="jp-BottegaLogs-bar">
        <SearchBar
          search={search}
          total={total}
          target={target}
          onTarget={setTarget}
          trans={trans}
        />
        {props.streams.length > 1 && (
          <select
            className="jp-BottegaInput"
            aria-label={trans.__('Stream')}
            value={stream}
            onChange={event => props.onStream(event.target.value)}
          >
            {props.streams.map(name => (
              <option key={name} value={name}>
                {name.slice(props.prefix.length)}
              </option>
            ))}
          </select>
        )}
        <Toggle label={trans.__('Wrap')} value={wrap} onChange={setWrap} />
        <Toggle label={trans.__('Times')} value={times} onChange={setTimes} />
        <Toggle
          label={trans.__('Follow')}
          value={follow}
          onChange={setFollow}
        />
        <Download source={{ client, group, stream }} trans={trans} />
        <span className="jp-BottegaLogs-count" role="status">
          {trans._n('%2 line', '%2 lines', total, total.toLocaleString())}
        </span>
      </div>
      {log.problem && (
        <p className="jp-BottegaStale" role="status">
          {trans.__('Not up to date: %1', log.problem.message)}
        </p>
      )}
      <LogView
        log={log}
        label={trans.__('Lines of %1', stream)}
        trans={trans}
        wrap={wrap}
        times={times}
        follow={follow}
        onFollow={setFollow}
        needle={search.text}
        target={target}
      />
    </section>
  );
}

/** The box to search by, and the way from match to match. */
function SearchBar(props: {
  search: LogSearch;
  total: number;
  target: ILogTarget | null;
  onTarget: (target: ILogTarget | null) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { search, total, target, onTarget, trans } = props;
  const known = useRef(total);
  known.current = total;
  const look = useCallback(
    (text: string) => {
      void (async () => {
        await search.setText(text, known.current);
        const first = search.matches[0];
        onTarget(
          text === search.text && first !== undefined ? { line: first } : null
        );
      })();
    },
    [search, onTarget]
  );
  const step = async (forward: boolean): Promise<void> => {
    const from = target?.line ?? -1;
    const line = forward
      ? await search.after(from, total)
      : search.before(from);
    if (line !== null) {
      onTarget({ line });
    }
  };
  const { matches, complete, busy, text } = search;
  const position = target ? matches.indexOf(target.line) + 1 : 0;
  const count = `${matches.length.toLocaleString()}${complete ? '' : '+'}`;
  return (
    <span
      className="jp-BottegaLogs-search"
      role="search"
      onKeyDown={event => {
        if (event.key === 'Enter' && text && !busy) {
          event.preventDefault();
          void step(!event.shiftKey);
        }
      }}
    >
      <FilterBox
        value={text}
        onChange={look}
        label={trans.__('Search in the log')}
        placeholder={trans.__('Search')}
        problem={search.problem?.message ?? null}
      />
      {text && (
        <>
          <span role="status" data-matches={matches.length}>
            {busy
              ? trans.__('Searching…')
              : position > 0
                ? trans.__('%1 of %2', position.toLocaleString(), count)
                : trans.__('%1 found', count)}
          </span>
          <Button
            label={trans.__('Previous match')}
            disabled={matches.length === 0}
            onClick={() => void step(false)}
          >
            <span aria-hidden="true">↑</span>
          </Button>
          <Button
            label={trans.__('Next match')}
            disabled={matches.length === 0}
            onClick={() => void step(true)}
          >
            <span aria-hidden="true">↓</span>
          </Button>
        </>
      )}
    </span>
  );
}

function Toggle(props: {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
}): JSX.Element {
  return (
    <label className="jp-BottegaLogs-toggle">
      <input
        type="checkbox"
        checked={props.value}
        onChange={event => props.onChange(event.target.checked)}
      />
      {props.label}
    </label>
  );
}

/** Saves the whole log; a long one shows how far it is, and can be given up. */
function Download(props: {
  source: ILogSource;
  trans: TranslationBundle;
}): JSX.Element {
  const { source, trans } = props;
  const [part, setPart] = useState<number | null>(null);
  const [problem, setProblem] = useState('');
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = async (): Promise<void> => {
    const mine = (running.current = new AbortController());
    setPart(0);
    setProblem('');
    try {
      const content = await readWholeLog(
        logReader(source),
        mine.signal,
        setPart
      );
      saveFile(`${source.stream.replace(/\//g, '-')}.log`, content);
    } catch (error) {
      if (!mine.signal.aborted) {
        setProblem(error instanceof Error ? error.message : String(error));
      }
    }
    setPart(null);
  };
  return (
    <>
      {part === null ? (
        <Button onClick={() => void start()}>{trans.__('Download')}</Button>
      ) : (
        <Button onClick={() => running.current?.abort()}>
          {trans.__('Cancel download (%1 %)', Math.floor(part * 100))}
        </Button>
      )}
      {problem && (
        <span role="alert">
          {trans.__('The log cannot be downloaded: %1', problem)}
        </span>
      )}
    </>
  );
}
