import { useEffect, useMemo, useRef, useState } from 'react';

import type { IEventBatch, IEventStream } from '../../api/events';
import { isUnavailable } from '../../api/request';
import type { IStudioEvent } from '../../api/types/studio';
import type { ILiveContext } from '../hooks/useLive';
import { UNAVAILABLE_MS } from '../hooks/useLive';
import { useSignal } from '../hooks/useSignal';
import type { PageReader } from './windowedRows';
import { WindowedRows } from './windowedRows';

/** A list is read at most so often, however much happens. */
const FOLD_MS = 400;

/**
 * The rows of a listing, live: what is on screen is read again when an event concerns it.
 *
 * @param read reads one page.
 * @param dependencies what `read` depends on: filter, sorting. When one changes, the list starts
 * anew; the old one stays until the first answer about the new one.
 */
export function useWindowedRows<T>(
  context: ILiveContext,
  read: PageReader<T>,
  dependencies: readonly unknown[],
  concerns: (event: IStudioEvent) => boolean
): WindowedRows<T> {
  const { client, frame } = context;
  // Rows keep the reader of their own filter and sorting, also while newer ones are on their way.
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the caller names the dependencies
  const reader = useMemo(() => ({ read }), dependencies);
  reader.read = read;
  const make = (): WindowedRows<T> =>
    new WindowedRows((offset, limit, signal) =>
      reader.read(offset, limit, signal)
    );
  const [rows, setRows] = useState(make);
  const first = useRef(true);

  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const next = make();
    let taken = false;
    next.changed.connect(() => {
      if (!taken) {
        taken = true;
        setRows(next);
      }
    });
    next.want(0, 0);
    return () => {
      if (!taken) {
        taken = true;
        next.dispose();
      }
    };
    // The caller names what its `read` depends on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, dependencies);

  useEffect(() => {
    let folding: ReturnType<typeof setTimeout> | undefined;
    let stale = false;
    const refresh = (): void => {
      folding = undefined;
      stale = !frame.isVisible;
      if (!stale) {
        rows.refresh();
      }
    };
    const onEvents = (_: IEventStream, batch: IEventBatch): void => {
      if (batch.reset || batch.events.some(concerns)) {
        folding ??= setTimeout(refresh, FOLD_MS);
      }
    };
    const onVisible = (_: unknown, visible: boolean): void => {
      if (visible && stale) {
        refresh();
      }
    };
    const { events } = client;
    events.received.connect(onEvents);
    frame.visibilityChanged.connect(onVisible);
    rows.want(0, 0);
    return () => {
      clearTimeout(folding);
      events.received.disconnect(onEvents);
      frame.visibilityChanged.disconnect(onVisible);
      rows.dispose();
    };
    // `concerns` judges events; a new function of the same meaning changes nothing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, frame, rows]);

  useSignal(rows.changed);
  const { problem } = rows;
  useEffect(() => {
    if (!isUnavailable(problem)) {
      return;
    }
    const timer = setInterval(() => {
      if (frame.isVisible) {
        rows.refresh();
      }
    }, UNAVAILABLE_MS);
    return () => clearInterval(timer);
  }, [frame, rows, problem]);
  return rows;
}
