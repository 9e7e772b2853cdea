import type { TranslationBundle } from '@jupyterlab/translation';

import type { IBottegaClient, ISection } from '../../tokens';
import { DEPLOY_COMMAND } from './commands';

const NEWEST = 5;

/** Traffic has no events: lists look at it so often while they can be seen. */
export const TRAFFIC_MS = 5000;

/** The endpoints in the sidebar. */
export function endpointSection(
  client: IBottegaClient,
  trans: TranslationBundle
): ISection {
  return {
    id: 'endpoints',
    label: trans.__('Endpoints'),
    rank: 60,
    path: 'endpoints',
    empty: trans.__('Nothing is deployed yet.'),
    create: { label: trans.__('Deploy a model'), command: DEPLOY_COMMAND },
    concerns: event => event.Kind === 'Endpoint',
    every: TRAFFIC_MS,
    load: async () => {
      const page = await client.call('bottega:ListEndpointOverviews', {
        MaxResults: NEWEST
      });
      return {
        count: page.Total > 0 ? String(page.Total) : '',
        items: page.Endpoints.map(endpoint => ({
          label: endpoint.EndpointName,
          path: `endpoints/${encodeURIComponent(endpoint.EndpointName)}`,
          status: endpoint.Status,
          note:
            endpoint.Status === 'InService'
              ? trans.__('%1/s', endpoint.Traffic.RequestsPerSecond.toFixed(0))
              : endpoint.Status
        }))
      };
    }
  };
}
