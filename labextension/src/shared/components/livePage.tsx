import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';

import type { Live } from '../hooks/useLive';
import { Empty, Failure, Skeleton } from './states';

/** The screen of one thing that is live, in whichever state it is. */
export function LivePage<T>(props: {
  live: Live<T>;
  trans: TranslationBundle;
  /** Whether an error says that there is no such thing. */
  isMissing: (error: Error | null) => boolean;
  /** What is said when it was there and is gone, and when it never was. */
  deleted: string;
  missing: string;
  /** The way to all of its kind. */
  all: { label: string; run: () => void };
  /** What could not be done, for the failure. */
  what: string;
  children: (value: T) => ReactNode;
}): JSX.Element {
  const { live, trans } = props;
  if (live.state === 'loading') {
    return <Skeleton trans={trans} rows={10} />;
  }
  const problem = live.state === 'error' ? live.error : live.problem;
  if (props.isMissing(problem)) {
    return (
      <Empty
        sentence={live.state === 'ready' ? props.deleted : props.missing}
        action={props.all}
      />
    );
  }
  if (live.state === 'error') {
    return (
      <Failure
        error={live.error}
        trans={trans}
        what={props.what}
        retry={live.retry}
      />
    );
  }
  return (
    <>
      {problem && (
        <p className="jp-BottegaStale" role="status">
          {trans.__('Not up to date: %1', problem.message)}
        </p>
      )}
      {props.children(live.value)}
    </>
  );
}
