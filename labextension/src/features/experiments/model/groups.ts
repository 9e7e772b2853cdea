import type { IBottegaClient } from '../../../api/client';
import type { IRunOverview } from '../../../api/types/experiments';
import { bothFilters, filterKey, filterText } from './filter';
import type { Direction } from './objective';

/** The runs that have one value of a parameter. */
export interface IRunGroup {
  /** The value; null for the runs that do not have the parameter. */
  value: string | null;
  runs: number;
  /** The run with the best value of the metric, when one has the metric. */
  best: IRunOverview | null;
  /** The filter that shows only these runs. */
  filter: string;
}

/** Groups from the first on, and how many runs are not in them yet. */
export interface IRunGroups {
  groups: IRunGroup[];
  /** How many runs match in all. */
  total: number;
  /** How many of them are in the groups. */
  covered: number;
}

/** What to group. */
export interface IGrouping {
  experiment: string;
  filter: string;
  param: string;
  metric: string;
  direction: Direction;
}

/**
 * Group the matching runs by a parameter, whatever their number, without reading them.
 *
 * In the order of the parameter equal values stand together, so that the first run of each group is
 * found by leaving out the groups before it; the server counts the group and gives its best run.
 * That takes two questions a group.
 *
 * @param most stop after so many groups.
 */
export async function groupRuns(
  client: Pick<IBottegaClient, 'call'>,
  grouping: IGrouping,
  most: number,
  signal?: AbortSignal
): Promise<IRunGroups> {
  const { experiment, param, metric } = grouping;
  const column = `params.${param}`;
  const groups: IRunGroup[] = [];
  let covered = 0;
  let total = 0;
  while (groups.length < most) {
    const next = await client.call(
      'bottega:SearchRuns',
      {
        ExperimentIds: [experiment],
        ...(grouping.filter.trim() ? { Filter: grouping.filter.trim() } : {}),
        SortBy: column,
        SortOrder: 'Ascending',
        Offset: covered,
        MaxResults: 1,
        Metrics: [],
        Params: [param]
      },
      signal
    );
    total = next.Total;
    const first = next.Runs[0];
    if (!first) {
      break;
    }
    const value = first.Params[param] ?? null;
    const filter = bothFilters(grouping.filter, valueFilter(column, value));
    const answer = await client.call(
      'bottega:SearchRuns',
      {
        ExperimentIds: [experiment],
        Filter: filter,
        SortBy: `metrics.${metric}`,
        SortOrder: grouping.direction === 'higher' ? 'Descending' : 'Ascending',
        MaxResults: 1,
        Metrics: [metric],
        Params: []
      },
      signal
    );
    if (answer.Total === 0) {
      break; // the run that was seen is gone; the event about that has it all read again
    }
    const best = answer.Runs[0];
    groups.push({
      value,
      runs: answer.Total,
      best: best && best.Metrics[metric] !== undefined ? best : null,
      filter
    });
    covered += answer.Total;
  }
  return { groups, total, covered };
}

function valueFilter(column: string, value: string | null): string {
  if (value === null) {
    return `${filterKey(column)} IS NULL`;
  }
  const text = filterText(value);
  if (text === null) {
    throw new Error(
      `${column} has the value ${value}, which has both kinds of quotes: no filter can say it.`
    );
  }
  return `${filterKey(column)} = ${text}`;
}
