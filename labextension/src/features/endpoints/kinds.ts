import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  EndpointKind,
  IDescribeEndpointOutput
} from '../../api/types/hosting';

/** How an endpoint is called, and what its capacity is. */
export function kindOf(endpoint: IDescribeEndpointOutput): EndpointKind {
  if (endpoint.AsyncInferenceConfig) {
    return 'Asynchronous';
  }
  return endpoint.ProductionVariants?.some(
    variant => variant.CurrentServerlessConfig
  )
    ? 'Serverless'
    : 'RealTime';
}

/** The words for how an endpoint is called; none for one that never served. */
export function kindName(
  kind: EndpointKind | undefined,
  trans: TranslationBundle
): string {
  switch (kind) {
    case 'Asynchronous':
      return trans.__('asynchronous');
    case 'Serverless':
      return trans.__('serverless');
    case 'RealTime':
      return trans.__('real-time');
    default:
      return '';
  }
}
