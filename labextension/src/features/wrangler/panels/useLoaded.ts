import { useCallback, useEffect, useRef, useState } from 'react';

import type { Live } from '../../../shared/hooks/useLive';

/**
 * What a request answered, anew when what it depends on changes.
 *
 * The former value stays in sight until the next one is there. Late answers of overtaken requests
 * are thrown away.
 *
 * @param load asks; null while there is nothing to ask.
 * @param dependencies what `load` depends on.
 * @param delay how long to wait for further changes first, in milliseconds.
 */
export function useLoaded<T>(
  load: ((signal: AbortSignal) => Promise<T>) | null,
  dependencies: readonly unknown[],
  delay = 0
): Live<T> & { pending: boolean } {
  const [found, setFound] = useState<{ value: T } | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [pending, setPending] = useState(load !== null);
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const isAsked = load !== null;

  useEffect(() => {
    if (!isAsked) {
      setFound(null);
      setError(null);
      setPending(false);
      return;
    }
    const abort = new AbortController();
    setPending(true);
    const ask = (): void => {
      latest.current?.(abort.signal).then(
        value => {
          if (!abort.signal.aborted) {
            setFound({ value });
            setError(null);
            setPending(false);
          }
        },
        (reason: unknown) => {
          if (!abort.signal.aborted) {
            setError(
              reason instanceof Error ? reason : new Error(String(reason))
            );
            setPending(false);
          }
        }
      );
    };
    const timer = setTimeout(ask, delay);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // The caller names what its `load` depends on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isAsked, attempt, ...dependencies]);

  const retry = useCallback(() => {
    setError(null);
    setAttempt(count => count + 1);
  }, []);
  if (found) {
    return {
      state: 'ready',
      value: found.value,
      problem: error,
      retry,
      pending
    };
  }
  return error
    ? { state: 'error', error, retry, pending }
    : { state: 'loading', pending };
}
