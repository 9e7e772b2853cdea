import type { EndpointOverviewSortKey } from '../../api/types/hosting';
import { boto3Call, pythonLiteral } from '../../shared/python';

/**
 * Code that gives the endpoints which the list shows.
 *
 * SageMaker's own ListEndpoints filters in other words; a filtered list is that of bottega.
 */
export function listPython(
  filter: string,
  sortBy: EndpointOverviewSortKey,
  descending: boolean
): string {
  const order = {
    SortBy: sortBy,
    SortOrder: descending ? 'Descending' : 'Ascending'
  };
  if (filter.trim() === '') {
    return boto3Call('sagemaker', 'list_endpoints', order);
  }
  const request = pythonLiteral({ Filter: filter.trim(), ...order });
  return `import bottega

session = bottega.connect()
found = session.client.call("bottega", "ListEndpointOverviews", ${request})
for endpoint in found["Endpoints"]:
    print(endpoint["Status"], endpoint["EndpointName"])
`;
}
