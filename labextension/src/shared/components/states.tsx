import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';

import { BottegaError } from '../../api/request';
import type { Live } from '../hooks/useLive';

/** Shorter waits show nothing: a flash of grey says less than the content a moment later. */
const PATIENCE_MS = 200;

/** Grey bars in the place of content that is on its way. */
export function Skeleton(props: {
  trans: TranslationBundle;
  rows?: number;
}): JSX.Element {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div
      className="jp-BottegaSkeleton"
      role="status"
      aria-busy="true"
      aria-label={props.trans.__('Loading')}
    >
      {shown &&
        Array.from({ length: props.rows ?? 6 }, (_, index) => (
          <div key={index} className="jp-BottegaSkeleton-bar" />
        ))}
    </div>
  );
}

/** One sentence, and the button that does the obvious next thing. */
export function Empty(props: {
  sentence: string;
  action?: { label: string; run: () => void };
}): JSX.Element {
  return (
    <div className="jp-BottegaEmpty">
      <p>{props.sentence}</p>
      {props.action && (
        <button
          type="button"
          className="jp-BottegaButton jp-mod-primary"
          onClick={props.action.run}
        >
          {props.action.label}
        </button>
      )}
    </div>
  );
}

/** What happened, in the server's own words, and the way on. */
export function Failure(props: {
  error: Error;
  trans: TranslationBundle;
  /** What could not be done: `The jobs cannot be read.` */
  what: string;
  retry?: () => void;
}): JSX.Element {
  const { error, trans } = props;
  const code = error instanceof BottegaError ? error.code : '';
  return (
    <div className="jp-BottegaFailure" role="alert">
      <p className="jp-BottegaFailure-what">{props.what}</p>
      <p className="jp-BottegaFailure-message">{error.message}</p>
      {code && <p className="jp-BottegaFailure-code">{code}</p>}
      {props.retry && (
        <button
          type="button"
          className="jp-BottegaButton"
          onClick={props.retry}
        >
          {trans.__('Try again')}
        </button>
      )}
    </div>
  );
}

/** One of the states of something live: skeleton, failure, or its content. */
export function Loadable<T>(props: {
  live: Live<T>;
  trans: TranslationBundle;
  /** What could not be done, for the failure. */
  what: string;
  rows?: number;
  children: (value: T) => ReactNode;
}): JSX.Element {
  const { live, trans, what } = props;
  if (live.state === 'loading') {
    return (
      <Skeleton
        trans={trans}
        {...(props.rows === undefined ? {} : { rows: props.rows })}
      />
    );
  }
  if (live.state === 'error') {
    return (
      <Failure
        error={live.error}
        trans={trans}
        what={what}
        retry={live.retry}
      />
    );
  }
  return (
    <>
      {live.problem && (
        <div className="jp-BottegaStale" role="status">
          {trans.__('Not up to date: %1', live.problem.message)}
          <button
            type="button"
            className="jp-BottegaButton jp-mod-small"
            onClick={live.retry}
          >
            {trans.__('Try again')}
          </button>
        </div>
      )}
      {props.children(live.value)}
    </>
  );
}
