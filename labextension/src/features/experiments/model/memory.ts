import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

import type { IColumnLayout } from './layout';
import { readLayout } from './layout';

/** Keeps the columns that the user chose, for each experiment. */
export interface ILayoutMemory {
  read(experiment: string): Promise<IColumnLayout | null>;
  /** Null forgets what was chosen. */
  keep(experiment: string, layout: IColumnLayout | null): Promise<void>;
}

/**
 * The memory over JupyterLab's own; without one, layouts are kept as long as the tab.
 */
export function layoutMemory(state: IStateDB | null): ILayoutMemory {
  const kept = new Map<string, IColumnLayout | null>();
  const key = (experiment: string): string =>
    `bottega-experiments:${experiment}`;
  return {
    read: async experiment =>
      state
        ? readLayout(await state.fetch(key(experiment)))
        : (kept.get(experiment) ?? null),
    keep: async (experiment, layout) => {
      if (!state) {
        kept.set(experiment, layout);
      } else if (layout) {
        await state.save(
          key(experiment),
          layout as unknown as ReadonlyPartialJSONValue
        );
      } else {
        await state.remove(key(experiment));
      }
    }
  };
}
