import type { TranslationBundle } from '@jupyterlab/translation';

/** How a status looks: by kind, with a sign of its own, as colour is never the only one. */
export type StatusKind = 'running' | 'good' | 'bad' | 'ended' | 'waiting';

const SIGNS: Record<StatusKind, string> = {
  running: '●',
  good: '✓',
  bad: '✕',
  ended: '■',
  waiting: '○'
};

const KINDS: Record<string, StatusKind> = {
  Completed: 'good',
  InService: 'good',
  FINISHED: 'good',
  Succeeded: 'good',
  Successful: 'good',
  OK: 'good',
  NoIssuesFound: 'good',
  Failed: 'bad',
  FAILED: 'bad',
  OutOfService: 'bad',
  UpdateRollbackFailed: 'bad',
  Unfulfilled: 'bad',
  ALARM: 'bad',
  IssuesFound: 'bad',
  Error: 'bad',
  Stopped: 'ended',
  KILLED: 'ended',
  Overridden: 'ended',
  Deleting: 'ended',
  Pending: 'waiting',
  SCHEDULED: 'waiting',
  INSUFFICIENT_DATA: 'waiting'
};

/** What a status of SageMaker, of MLflow or of an alarm means. Whatever is not settled is running. */
export function statusKind(status: string): StatusKind {
  return KINDS[status] ?? 'running';
}

/** A status with its sign and, while something runs, what it is doing. */
export function StatusChip(props: {
  status: string;
  /** A more exact status, shown while the first one is not settled. */
  detail?: string;
}): JSX.Element {
  const waiting = props.detail === 'Pending';
  const kind = waiting ? 'waiting' : statusKind(props.status);
  const detail = kind === 'running' || waiting ? (props.detail ?? '') : '';
  return (
    <span
      className={`jp-BottegaStatus jp-mod-${kind}`}
      data-status={props.status}
    >
      <span aria-hidden="true" className="jp-BottegaStatus-sign">
        {SIGNS[kind]}
      </span>
      {props.status}
      {detail && detail !== props.status && ` · ${detail}`}
    </span>
  );
}

/** The dot of a list's line. */
export function StatusDot(props: {
  status: string;
  trans: TranslationBundle;
}): JSX.Element {
  const kind = props.status ? statusKind(props.status) : 'ended';
  return (
    <span
      className={`jp-BottegaDot jp-mod-${kind}`}
      role="img"
      aria-label={props.status || props.trans.__('no status')}
    >
      {SIGNS[kind]}
    </span>
  );
}
