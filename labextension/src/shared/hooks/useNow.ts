import { useEffect, useState } from 'react';

import type { IScreenFrame } from '../../tokens';

/**
 * The present time in seconds since the epoch, moving on while something runs and can be seen.
 *
 * @param running whether time passes on the screen at all.
 */
export function useNow(
  frame: Pick<IScreenFrame, 'isVisible'>,
  running: boolean
): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    setNow(Date.now() / 1000);
    if (!running) {
      return;
    }
    const timer = setInterval(() => {
      if (frame.isVisible) {
        setNow(Date.now() / 1000);
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [frame, running]);
  return now;
}
