import { useRef } from 'react';

import type { Live } from './useLive';

/** The same, but with the value that was there last while another one is read for the first time. */
export function useKept<T>(live: Live<T>): Live<T> {
  const last = useRef<{ value: T } | null>(null);
  if (live.state === 'ready') {
    last.current = { value: live.value };
  }
  return live.state === 'loading' && last.current
    ? {
        state: 'ready',
        value: last.current.value,
        problem: null,
        retry: () => undefined // it is being read
      }
    : live;
}
