import { useState } from 'react';

import { asError } from '../asError';

/** What the buttons of a screen do, and why the last one could not be done; null where it could. */
export function useDeeds(): {
  problem: Error | null;
  /** A handler that does something, and keeps the problem when that fails. */
  act: (deed: () => Promise<unknown>) => () => void;
} {
  const [problem, setProblem] = useState<Error | null>(null);
  return {
    problem,
    act: deed => () => {
      setProblem(null);
      deed().catch((reason: unknown) => setProblem(asError(reason)));
    }
  };
}
