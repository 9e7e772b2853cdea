import { useCallback, useEffect, useRef, useState } from 'react';

import type { IEventBatch, IEventStream } from '../../api/events';
import { isUnavailable } from '../../api/request';
import type { IStudioEvent } from '../../api/types/studio';
import type { IScreenFrame } from '../../tokens';

/** Changes that come faster than this are shown together. */
const FOLD_MS = 150;

/** What is only busy starting is asked again so soon. */
export const UNAVAILABLE_MS = 2000;

/** What is known of something that the server has. */
export type Live<T> =
  | { state: 'loading' }
  | { state: 'error'; error: Error; retry: () => void }
  | {
      state: 'ready';
      value: T;
      /** Why the value could not be brought up to date; it is the last one that could. */
      problem: Error | null;
      retry: () => void;
    };

/** What {@link useLive} needs of the screen it works for. */
export interface ILiveContext {
  client: { readonly events: IEventStream };
  frame: Pick<IScreenFrame, 'isVisible' | 'visibilityChanged'>;
}

/** When {@link useLive} reads again. */
export interface ILiveOptions {
  /** Which events change the value; none when absent. */
  concerns?: (event: IStudioEvent) => boolean;
  /** Read again after so many milliseconds too, for what has no events; only while visible. */
  every?: number | null;
  /** How long to gather events before reading, in milliseconds; a moment when absent. */
  fold?: number;
}

/**
 * Read a value, and again whenever an event says that it has changed.
 *
 * Nothing is read while the screen is hidden; what changed meanwhile is read when it is shown. The
 * answers of overtaken requests are thrown away.
 *
 * @param load reads the value.
 * @param dependencies what `load` depends on: when one changes, the value is unknown again.
 */
export function useLive<T>(
  context: ILiveContext,
  load: (signal: AbortSignal) => Promise<T>,
  dependencies: readonly unknown[],
  options: ILiveOptions = {}
): Live<T> {
  const { client, frame } = context;
  const [value, setValue] = useState<{ value: T } | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const latest = useRef({ load, options });
  latest.current = { load, options };
  const refresh = useRef<() => void>(() => undefined);

  useEffect(() => {
    let abort: AbortController | null = null;
    let folding: ReturnType<typeof setTimeout> | undefined;
    let repeating: ReturnType<typeof setTimeout> | undefined;
    let stale = true;
    let ended = false;
    let reading = false;

    const read = (): void => {
      clearTimeout(folding);
      clearTimeout(repeating);
      folding = undefined;
      if (!frame.isVisible) {
        stale = true;
        return;
      }
      stale = false;
      abort?.abort();
      reading = true;
      const mine = (abort = new AbortController());
      latest.current.load(mine.signal).then(
        found => {
          if (!ended && mine === abort) {
            setValue({ value: found });
            setError(null);
            repeat();
          }
        },
        (reason: unknown) => {
          if (!ended && mine === abort) {
            setError(
              reason instanceof Error ? reason : new Error(String(reason))
            );
            repeat();
            if (!reading && isUnavailable(reason)) {
              clearTimeout(repeating);
              repeating = setTimeout(read, UNAVAILABLE_MS);
            }
          }
        }
      );
    };
    // Where events follow each other faster than answers do, each answer comes before the next
    // reading: a value that is overtaken again and again would never be shown.
    const readSoon = (): void => {
      folding = undefined;
      if (reading) {
        stale = true;
      } else {
        read();
      }
    };
    const repeat = (): void => {
      reading = false;
      const { every } = latest.current.options;
      if (stale) {
        read();
      } else if (every) {
        repeating = setTimeout(read, every);
      }
    };
    const onEvents = (_: IEventStream, batch: IEventBatch): void => {
      const { concerns, fold } = latest.current.options;
      if (batch.reset || (concerns && batch.events.some(concerns))) {
        folding ??= setTimeout(readSoon, fold ?? FOLD_MS);
      }
    };
    const onVisible = (_: unknown, visible: boolean): void => {
      if (visible && (stale || latest.current.options.every)) {
        read();
      }
    };

    refresh.current = read;
    setValue(null);
    setError(null);
    const { events } = client;
    events.received.connect(onEvents);
    frame.visibilityChanged.connect(onVisible);
    read();
    return () => {
      ended = true;
      abort?.abort();
      clearTimeout(folding);
      clearTimeout(repeating);
      events.received.disconnect(onEvents);
      frame.visibilityChanged.disconnect(onVisible);
    };
    // The caller names what its `load` depends on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, frame, ...dependencies]);

  const retry = useCallback(() => {
    setError(null);
    refresh.current();
  }, []);
  if (value) {
    return { state: 'ready', value: value.value, problem: error, retry };
  }
  return error ? { state: 'error', error, retry } : { state: 'loading' };
}
