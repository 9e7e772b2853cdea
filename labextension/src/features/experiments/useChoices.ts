import { useCallback, useMemo } from 'react';

import type { IScreenProps } from '../../tokens';
import type { Direction } from './model/objective';

/** What the user has chosen in the screen of an experiment; a link holds all of it. */
export interface IChoices {
  filter: string;
  sortBy: string;
  descending: boolean;
  /** The ids of the chosen runs. */
  chosen: readonly string[];
  /** Whether the comparison is open. */
  isComparing: boolean;
  tab: string;
  /** How much of the room the grid takes, in percent. */
  split: number;
  /** What runs are judged by; empty for a guess. */
  metric: string;
  /** Null for a guess. */
  direction: Direction | null;
}

/** The choices, and how to change them. */
export function useChoices(props: Pick<IScreenProps, 'parameters' | 'frame'>): {
  choices: IChoices;
  choose: (change: Partial<IChoices>) => void;
} {
  const { parameters, frame } = props;
  const choices = useMemo(() => readChoices(parameters), [parameters]);
  const choose = useCallback(
    (change: Partial<IChoices>) => frame.setParameters(writeChoices(change)),
    [frame]
  );
  return { choices, choose };
}

/** The choices that a path holds. */
export function readChoices(
  parameters: Readonly<Record<string, string>>
): IChoices {
  const split = Number(parameters['split'] ?? NaN);
  const { best } = parameters;
  return {
    filter: parameters['filter'] ?? '',
    sortBy: parameters['sort'] ?? 'attributes.start_time',
    descending: parameters['order'] !== 'ascending',
    chosen: (parameters['runs'] ?? '').split(',').filter(Boolean),
    isComparing: parameters['compare'] !== 'closed',
    tab: parameters['tab'] ?? 'curves',
    split: split >= 10 && split <= 90 ? split : 50,
    metric: parameters['metric'] ?? '',
    direction: best === 'higher' || best === 'lower' ? best : null
  };
}

/** A change of choices as a path holds it. */
export function writeChoices(
  change: Partial<IChoices>
): Record<string, string> {
  const written: Record<string, string> = {};
  if (change.filter !== undefined) {
    written['filter'] = change.filter;
  }
  if (change.sortBy !== undefined) {
    written['sort'] = change.sortBy;
  }
  if (change.descending !== undefined) {
    written['order'] = change.descending ? '' : 'ascending';
  }
  if (change.chosen !== undefined) {
    written['runs'] = change.chosen.join(',');
  }
  if (change.isComparing !== undefined) {
    written['compare'] = change.isComparing ? '' : 'closed';
  }
  if (change.tab !== undefined) {
    written['tab'] = change.tab;
  }
  if (change.split !== undefined) {
    written['split'] = String(Math.round(change.split));
  }
  if (change.metric !== undefined) {
    written['metric'] = change.metric;
  }
  if (change.direction !== undefined) {
    written['best'] = change.direction ?? '';
  }
  return written;
}
