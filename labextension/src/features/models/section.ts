import type { TranslationBundle } from '@jupyterlab/translation';

import type { IBottegaClient, ISection } from '../../tokens';
import { OPEN_LIST_COMMAND } from './commands';
import { concernsRegistry } from './versions';

const NEWEST = 5;

/** The model package groups in the sidebar. */
export function modelsSection(
  client: IBottegaClient,
  trans: TranslationBundle
): ISection {
  return {
    id: 'models',
    label: trans.__('Models'),
    rank: 55,
    path: 'models',
    empty: trans.__('No model is registered yet.'),
    create: { label: trans.__('Open models'), command: OPEN_LIST_COMMAND },
    concerns: concernsRegistry,
    load: async () => {
      const page = await client.call('bottega:ListRegistryGroups', {
        MaxResults: NEWEST
      });
      return {
        count: page.Total > 0 ? String(page.Total) : '',
        items: page.Groups.map(group => ({
          label: group.GroupName,
          path: `models/${encodeURIComponent(group.GroupName)}`,
          status: group.NewestStatus ?? '',
          note:
            group.NewestVersion === undefined
              ? ''
              : trans.__('version %1', group.NewestVersion)
        }))
      };
    }
  };
}
