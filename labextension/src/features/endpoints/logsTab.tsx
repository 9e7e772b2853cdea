import { useId, useState } from 'react';

import type { IDescribeEndpointOutput } from '../../api/types/hosting';
import { Loadable } from '../../shared/components/states';
import { LogViewer } from '../../shared/logs/logViewer';
import type { IScreenProps } from '../../tokens';
import { hasComponents, useComponents } from './components';

/** What the model servers wrote: of the endpoint, or of one of its inference components. */
export function LogsTab(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { trans, name, endpoint } = props;
  const components = useComponents(props, endpoint);
  if (!hasComponents(endpoint)) {
    return <Log {...props} group={`/aws/sagemaker/Endpoints/${name}`} />;
  }
  return (
    <Loadable
      live={components}
      trans={trans}
      what={trans.__('The inference components cannot be read.')}
    >
      {found => (
        <ComponentLogs
          {...props}
          names={found.map(one => one.InferenceComponentName)}
        />
      )}
    </Loadable>
  );
}

function ComponentLogs(
  props: IScreenProps & { names: readonly string[] }
): JSX.Element {
  const { trans, names } = props;
  const id = useId();
  const [chosen, setChosen] = useState('');
  const component = names.includes(chosen) ? chosen : names[0];
  if (component === undefined) {
    return <p>{trans.__('No model is on this endpoint yet.')}</p>;
  }
  return (
    <>
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
      <Log
        key={component}
        {...props}
        group={`/aws/sagemaker/InferenceComponents/${component}`}
      />
    </>
  );
}

function Log(props: IScreenProps & { group: string }): JSX.Element {
  const { client, frame, trans, group } = props;
  return (
    <LogViewer
      client={client}
      frame={frame}
      trans={trans}
      group={group}
      prefix=""
      growing
    />
  );
}
