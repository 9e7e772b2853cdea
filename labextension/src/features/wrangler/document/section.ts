import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ISection } from '../../../tokens';
import type { KnownFlows } from './knownFlows';

const NEWEST = 5;

/** The sidebar's section: the flows that were worked on last. */
export function dataSection(
  flows: KnownFlows,
  open: (path: string) => void,
  trans: TranslationBundle
): ISection {
  return {
    id: 'data',
    label: trans.__('Data'),
    rank: 10,
    concerns: () => false,
    changed: flows.changed,
    load: async () => {
      const known = await flows.list();
      return {
        count: known.length.toLocaleString(),
        items: known.slice(0, NEWEST).map(flow => ({
          label: PathExt.basename(flow.path),
          path: flow.path,
          open: () => open(flow.path),
          status: '',
          note: trans._n(
            '%2 source',
            '%2 sources',
            flow.sources,
            flow.sources.toLocaleString()
          )
        }))
      };
    },
    path: 'data',
    create: {
      label: trans.__('Prepare data'),
      command: 'bottega:prepare-data'
    },
    empty: trans.__('No data has been prepared here yet.')
  };
}
