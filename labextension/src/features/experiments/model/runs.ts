import type { IBottegaClient } from '../../../api/client';
import type {
  IRunOverview,
  ISearchRunsRequest
} from '../../../api/types/experiments';
import type { IStudioEvent } from '../../../api/types/studio';
import type { ILiveOptions } from '../../../shared/hooks/useLive';
import { parseColumn } from './names';

/** As many runs can be compared at once. */
export const MOST_CHOSEN = 100;

/** Runs that log all the time are looked at so often. */
const REST_MS = 2000;

/** A filter is limited in length; so many ids fit into one. */
const IDS_A_CALL = 40;

/** Which runs of an experiment the grid shows, in which order. */
export interface IRunQuery {
  experiment: string;
  filter: string;
  /** The server's key: `metrics.auc`, `attributes.start_time`. */
  sortBy: string;
  descending: boolean;
}

/** The query as the server reads it. */
export function searchRequest(query: IRunQuery): ISearchRunsRequest {
  return {
    ExperimentIds: [query.experiment],
    ...(query.filter.trim() ? { Filter: query.filter.trim() } : {}),
    SortBy: query.sortBy,
    SortOrder: query.descending ? 'Descending' : 'Ascending'
  };
}

/** Whether an event may have changed the runs of an experiment; of any, when none is named. */
export function changesRuns(event: IStudioEvent, experiment?: string): boolean {
  return (
    event.Type === 'TrackingChanged' &&
    (!experiment || !event.Name || event.Name === experiment)
  );
}

/** When what is known of an experiment's runs is read again: not with each value that is logged. */
export function followRuns(experiment?: string): ILiveOptions {
  return {
    concerns: event => changesRuns(event, experiment),
    fold: REST_MS
  };
}

/** Seconds that a run took, or has taken so far; null before it has started. */
export function runSeconds(run: IRunOverview, now: number): number | null {
  if (run.StartTime === undefined) {
    return null;
  }
  if (run.EndTime !== undefined) {
    return run.EndTime - run.StartTime;
  }
  return run.Status === 'RUNNING' ? Math.max(0, now - run.StartTime) : null;
}

/** What a run has in a column: a number, a text, or nothing. */
export function runValue(
  run: IRunOverview,
  id: string
): number | string | null {
  const { kind, name } = parseColumn(id);
  if (kind === 'metrics') {
    const value = run.Metrics[name];
    // NaN and infinity are texts in JSON.
    return value === undefined ? null : Number(value);
  }
  if (kind === 'params') {
    return run.Params[name] ?? null;
  }
  if (kind === 'tags') {
    return run.Tags[name] ?? null;
  }
  switch (name) {
    case 'status':
      return run.Status;
    case 'run_name':
      return run.RunName;
    case 'start_time':
      return run.StartTime ?? null;
    case 'duration':
      return runSeconds(run, Date.now() / 1000);
    case 'job':
      return run.TrainingJobName ?? null;
    case 'user':
      return run.User ?? null;
    case 'source':
      return run.Source ?? null;
    default:
      return null;
  }
}

/** Runs by their ids, in the order of the ids, with all they have; those that are gone are left out. */
export async function readRuns(
  client: Pick<IBottegaClient, 'call'>,
  experiment: string,
  ids: readonly string[],
  signal?: AbortSignal
): Promise<IRunOverview[]> {
  const parts: Array<readonly string[]> = [];
  for (let start = 0; start < ids.length; start += IDS_A_CALL) {
    parts.push(ids.slice(start, start + IDS_A_CALL));
  }
  const answers = await Promise.all(
    parts.map(part =>
      client.call(
        'bottega:SearchRuns',
        {
          ExperimentIds: [experiment],
          Filter: `attributes.run_id IN (${part.map(id => `'${id}'`).join(', ')})`,
          MaxResults: IDS_A_CALL
        },
        signal
      )
    )
  );
  const found = new Map(
    answers.flatMap(answer => answer.Runs).map(run => [run.RunId, run])
  );
  return ids.flatMap(id => found.get(id) ?? []);
}
