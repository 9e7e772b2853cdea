import { useEffect, useMemo } from 'react';

import type { IBottegaClient } from '../../api/client';
import { BottegaError } from '../../api/request';
import type { IScreenFrame } from '../../tokens';
import type { Live } from '../hooks/useLive';
import { useLive } from '../hooks/useLive';
import { useSignal } from '../hooks/useSignal';
import type { LogFinder } from './logSearch';
import { LogSearch } from './logSearch';
import type { LogReader } from './logWindow';
import { LogWindow } from './logWindow';

/** Logs have no events of their own: while they grow they are looked at so often. */
export const POLL_MS = 1000;

/** A stream of a log group. */
export interface ILogSource {
  client: IBottegaClient;
  group: string;
  stream: string;
}

/** What following a log needs. */
export interface ILogContext {
  client: IBottegaClient;
  frame: Pick<IScreenFrame, 'isVisible' | 'visibilityChanged'>;
}

/** Reads the lines of a stream. */
export function logReader({ client, group, stream }: ILogSource): LogReader {
  return async (first, count, signal) => {
    const found = await client.call(
      'bottega:ReadLogLines',
      {
        LogGroupName: group,
        LogStreamName: stream,
        MaxLines: count,
        ...(first === null ? {} : { FirstLine: first })
      },
      signal
    );
    return {
      total: found.TotalLines,
      lines: found.Lines.map(line => ({
        number: line.Number,
        time: line.Time,
        message: line.Message
      }))
    };
  };
}

/** Finds lines of a stream. */
export function logFinder({ client, group, stream }: ILogSource): LogFinder {
  return async (text, first, limit, signal) => {
    const found = await client.call(
      'bottega:FindLogLines',
      {
        LogGroupName: group,
        LogStreamName: stream,
        Text: text,
        FirstLine: first,
        MaxMatches: limit
      },
      signal
    );
    return { lines: found.Lines, complete: found.Complete };
  };
}

/**
 * The streams under a prefix, by name; none while nothing was written.
 *
 * @param growing whether streams may still come.
 */
export function useLogStreams(
  context: ILogContext,
  group: string,
  prefix: string,
  growing: boolean
): Live<string[]> {
  return useLive(
    context,
    signal => listStreams(context.client, group, prefix, signal),
    [group, prefix, growing],
    { every: growing ? 5 * POLL_MS : null }
  );
}

/** The names of the streams under a prefix; none while nothing was written. */
async function listStreams(
  client: IBottegaClient,
  group: string,
  prefix: string,
  signal: AbortSignal
): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    try {
      const page = await client.call(
        'logs:DescribeLogStreams',
        {
          logGroupName: group,
          // An empty one is refused, as it is by AWS.
          ...(prefix === '' ? {} : { logStreamNamePrefix: prefix }),
          ...(token === undefined ? {} : { nextToken: token })
        },
        signal
      );
      for (const stream of page.logStreams ?? []) {
        names.push(stream.logStreamName ?? '');
      }
      token = page.nextToken;
    } catch (error) {
      // A group comes into being with its first line.
      if (isMissing(error)) {
        return names;
      }
      throw error;
    }
  } while (token !== undefined);
  return names;
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof BottegaError && error.code === 'ResourceNotFoundException'
  );
}

/**
 * A stream's lines, looked at about once a second while it grows and can be seen.
 *
 * @param growing whether lines may still come; when they no longer do, the last ones are read.
 */
export function useLogWindow(
  context: ILogContext,
  group: string,
  stream: string,
  growing: boolean
): LogWindow {
  const { client, frame } = context;
  const window = useMemo(
    () => new LogWindow(logReader({ client, group, stream })),
    [client, group, stream]
  );
  useEffect(() => () => window.dispose(), [window]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const poll = async (): Promise<void> => {
      clearTimeout(timer);
      if (!frame.isVisible) {
        return;
      }
      await window.poll();
      if (!ended && (growing || window.problem)) {
        clearTimeout(timer);
        timer = setTimeout(() => void poll(), POLL_MS);
      }
    };
    const onVisible = (_: unknown, visible: boolean): void => {
      if (visible && (growing || window.total === null)) {
        void poll();
      }
    };
    frame.visibilityChanged.connect(onVisible);
    void poll();
    return () => {
      ended = true;
      clearTimeout(timer);
      frame.visibilityChanged.disconnect(onVisible);
    };
  }, [frame, window, growing]);
  useSignal(window.changed);
  return window;
}

/** The search in a stream; it follows the stream's growth. */
export function useLogSearch(
  source: ILogSource,
  total: number | null
): LogSearch {
  const { client, group, stream } = source;
  const search = useMemo(
    () => new LogSearch(logFinder({ client, group, stream })),
    [client, group, stream]
  );
  useEffect(() => () => search.dispose(), [search]);
  useEffect(() => void search.extend(total ?? 0), [search, total]);
  useSignal(search.changed);
  return search;
}
