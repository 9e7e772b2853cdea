import { BottegaError } from '../../api/request';
import type {
  IDescribeEndpointOutput,
  IDescribeInferenceComponentOutput
} from '../../api/types/hosting';
import type { Live } from '../../shared/hooks/useLive';
import { useLive } from '../../shared/hooks/useLive';
import type { IBottegaClient, IScreenProps } from '../../tokens';

/** Whether an endpoint serves inference components, which bring their models. */
export function hasComponents(endpoint: IDescribeEndpointOutput): boolean {
  const variants = endpoint.ProductionVariants ?? [];
  return (
    variants.length > 0 && variants.every(variant => !variant.DeployedImages)
  );
}

/** The inference components of an endpoint, by name; none where it has models of its own. */
export function useComponents(
  props: IScreenProps,
  endpoint: IDescribeEndpointOutput
): Live<IDescribeInferenceComponentOutput[]> {
  const name = endpoint.EndpointName;
  const wanted = hasComponents(endpoint);
  return useLive(
    props,
    async signal => (wanted ? readAll(props.client, name, signal) : []),
    [name, wanted],
    { concerns: event => event.Kind === 'InferenceComponent' }
  );
}

async function readAll(
  client: IBottegaClient,
  endpoint: string,
  signal: AbortSignal
): Promise<IDescribeInferenceComponentOutput[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.call(
      'sagemaker:ListInferenceComponents',
      {
        EndpointNameEquals: endpoint,
        SortBy: 'Name',
        SortOrder: 'Ascending',
        MaxResults: 100,
        ...(token ? { NextToken: token } : {})
      },
      signal
    );
    names.push(
      ...page.InferenceComponents.map(found => found.InferenceComponentName)
    );
    token = page.NextToken;
  } while (token);
  const found = await Promise.all(
    names.map(name => describe(client, name, signal))
  );
  return found.filter(one => one !== null);
}

/** What a component is; null where it was deleted meanwhile. */
async function describe(
  client: IBottegaClient,
  name: string,
  signal: AbortSignal
): Promise<IDescribeInferenceComponentOutput | null> {
  try {
    return await client.call(
      'sagemaker:DescribeInferenceComponent',
      { InferenceComponentName: name },
      signal
    );
  } catch (error) {
    if (
      error instanceof BottegaError &&
      /could not find/i.test(error.message)
    ) {
      return null;
    }
    throw error;
  }
}
