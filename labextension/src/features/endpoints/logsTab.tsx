import { useId, useState } from 'react';

import type { IDescribeEndpointOutput } from '../../api/types/hosting';
import { LogViewer } from '../../shared/logs/logViewer';
import type { IScreenProps } from '../../tokens';
import { hasComponents, useComponents } from './components';

/** What the model servers wrote: of the endpoint, or of one of its inference components. */
export function LogsTab(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { client, frame, trans, name, endpoint } = props;
  const id = useId();
  const components = useComponents(props, endpoint);
  const [chosen, setChosen] = useState('');
  const names =
    components.state === 'ready'
      ? components.value.map(found => found.InferenceComponentName)
      : [];
  const component = names.includes(chosen) ? chosen : names[0];
  if (hasComponents(endpoint) && component === undefined) {
    return <p>{trans.__('No model is on this endpoint yet.')}</p>;
  }
  return (
    <>
      {component !== undefined && (
        <span className="jp-BottegaTest-option">
          <label htmlFor={id}>{trans.__('Inference component')}</label>
          <select
            id={id}
            className="jp-BottegaInput"
            value={component}
            onChange={event => setChosen(event.target.value)}
          >
            {names.map(found => (
              <option key={found}>{found}</option>
            ))}
          </select>
        </span>
      )}
      <LogViewer
        key={component ?? ''}
        client={client}
        frame={frame}
        trans={trans}
        group={
          component === undefined
            ? `/aws/sagemaker/Endpoints/${name}`
            : `/aws/sagemaker/InferenceComponents/${component}`
        }
        prefix=""
        growing
      />
    </>
  );
}
