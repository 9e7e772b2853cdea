import { useState } from 'react';

import { asError } from '../asError';

/** What the buttons of a screen do, one at a time, and why the last one could not be done; null where it could. */
export function useDeeds(): {
  problem: Error | null;
  /** Whether something is being done. */
  busy: boolean;
  /** A handler that does something, and keeps the problem when that fails. */
  act: (deed: () => Promise<unknown>) => () => void;
} {
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  return {
    problem,
    busy,
    act: deed => () => {
      setProblem(null);
      setBusy(true);
      deed()
        .catch((reason: unknown) => setProblem(asError(reason)))
        .finally(() => setBusy(false));
    }
  };
}
