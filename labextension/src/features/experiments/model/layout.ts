import type { IListRunColumnsResponse } from '../../../api/types/experiments';
import { ATTRIBUTES } from './names';
import { guessObjective } from './objective';

/** Which columns a grid shows, in order; the first ones stay in sight at the left. */
export interface IColumnLayout {
  readonly shown: readonly string[];
  /** How many of the first columns are pinned. */
  readonly pinned: number;
}

const FIRST_METRICS = 5;
const FIRST_PARAMS = 5;

/** What a grid shows until the user chooses: the attributes, the objective and a few of each kind. */
export function defaultLayout(columns: IListRunColumnsResponse): IColumnLayout {
  const objective = guessObjective(columns.Metrics);
  const metrics = [
    ...(objective ? [objective] : []),
    ...columns.Metrics.filter(name => name !== objective)
  ].slice(0, FIRST_METRICS);
  return {
    shown: [
      ...ATTRIBUTES.slice(0, 4).map(name => `attributes.${name}`),
      ...metrics.map(name => `metrics.${name}`),
      ...columns.Params.slice(0, FIRST_PARAMS).map(name => `params.${name}`),
      'attributes.job'
    ],
    pinned: 2
  };
}

/** Show a hidden column at the end, or hide a shown one. */
export function toggled(layout: IColumnLayout, id: string): IColumnLayout {
  const index = layout.shown.indexOf(id);
  if (index < 0) {
    return { ...layout, shown: [...layout.shown, id] };
  }
  return {
    shown: layout.shown.filter(other => other !== id),
    pinned: index < layout.pinned ? layout.pinned - 1 : layout.pinned
  };
}

/** Pin a column behind the pinned ones, or let a pinned one go. */
export function pinToggled(layout: IColumnLayout, id: string): IColumnLayout {
  const index = layout.shown.indexOf(id);
  if (index < 0) {
    return layout;
  }
  const isPinned = index < layout.pinned;
  const rest = layout.shown.filter(other => other !== id);
  const border = isPinned ? layout.pinned - 1 : layout.pinned;
  return {
    shown: [...rest.slice(0, border), id, ...rest.slice(border)],
    pinned: isPinned ? border : border + 1
  };
}

/**
 * Put a column where another one is.
 *
 * Pinned columns are the first ones: a column moved among them is pinned, one moved out of them is
 * not.
 */
export function movedTo(
  layout: IColumnLayout,
  id: string,
  target: number
): IColumnLayout {
  const from = layout.shown.indexOf(id);
  const to = Math.max(0, Math.min(layout.shown.length - 1, target));
  if (from < 0 || from === to) {
    return layout;
  }
  const rest = layout.shown.filter(other => other !== id);
  const wasPinned = from < layout.pinned;
  const isPinned = to < layout.pinned;
  return {
    shown: [...rest.slice(0, to), id, ...rest.slice(to)],
    pinned: layout.pinned + (isPinned ? 1 : 0) - (wasPinned ? 1 : 0)
  };
}

/** A layout as it was kept, or null when it is none. */
export function readLayout(value: unknown): IColumnLayout | null {
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const { shown, pinned } = value as Record<string, unknown>;
  const sound =
    Array.isArray(shown) &&
    shown.length > 0 &&
    shown.every(id => typeof id === 'string') &&
    typeof pinned === 'number' &&
    pinned <= shown.length;
  return sound ? { shown: shown as string[], pinned } : null;
}
