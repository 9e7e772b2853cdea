import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'react';

import { BottegaError } from '../../api/request';
import type {
  IDescribeEndpointOutput,
  IDescribeInferenceComponentOutput,
  IGetEndpointMetricsResponse
} from '../../api/types/hosting';
import { Button, CopyButton } from '../../shared/components/controls';
import { Loadable } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { latency } from '../../shared/format';
import type { Live } from '../../shared/hooks/useLive';
import { pythonString } from '../../shared/python';
import type { IScreenProps } from '../../tokens';
import { useComponents } from './components';

/** The inference components of an endpoint: what they serve, and how many copies they have. */
export function ComponentsCard(
  props: IScreenProps & {
    endpoint: IDescribeEndpointOutput;
    metrics: Live<IGetEndpointMetricsResponse>;
  }
): JSX.Element {
  const { endpoint, metrics, trans } = props;
  const components = useComponents(props, endpoint);
  return (
    <section className="jp-BottegaCard">
      <h2>{trans.__('Inference components')}</h2>
      <Loadable
        live={components}
        trans={trans}
        what={trans.__('The inference components cannot be read.')}
      >
        {found =>
          found.length === 0 ? (
            <p>
              {trans.__(
                'No model is on this endpoint yet. Put one on it by CreateInferenceComponent.'
              )}
            </p>
          ) : (
            <table className="jp-BottegaVariants">
              <thead>
                <tr>
                  <th scope="col">{trans.__('Name')}</th>
                  <th scope="col">{trans.__('Status')}</th>
                  <th scope="col">{trans.__('Serves')}</th>
                  <th scope="col">{trans.__('Copies')}</th>
                  <th scope="col">{trans.__('Requests/s')}</th>
                  <th scope="col">{trans.__('p99')}</th>
                  <th scope="col">{trans.__('Actions')}</th>
                </tr>
              </thead>
              <tbody>
                {found.map(component => (
                  <ComponentRow
                    key={component.InferenceComponentName}
                    {...props}
                    component={component}
                    metrics={metrics.state === 'ready' ? metrics.value : null}
                  />
                ))}
              </tbody>
            </table>
          )
        }
      </Loadable>
      <div className="jp-BottegaTest-controls">
        <CopyButton
          label={trans.__('Copy as Python')}
          trans={trans}
          text={() => asPython(endpoint)}
        />
      </div>
    </section>
  );
}

function ComponentRow(
  props: Pick<IScreenProps, 'client' | 'trans'> & {
    component: IDescribeInferenceComponentOutput;
    metrics: IGetEndpointMetricsResponse | null;
  }
): JSX.Element {
  const { client, component, metrics, trans } = props;
  const name = component.InferenceComponentName;
  const status = component.InferenceComponentStatus ?? '';
  const desired = component.RuntimeConfig?.DesiredCopyCount ?? 0;
  const present = component.RuntimeConfig?.CurrentCopyCount ?? 0;
  const [draft, setDraft] = useState<number | null>(null);
  const wanted = draft ?? desired;
  const settled = status === 'InService';
  const traffic = metrics?.Variants.find(
    other => other.VariantName === name
  )?.Traffic;
  const p99 = traffic?.LatencyP99;
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof BottegaError)) {
        throw error;
      }
      await showErrorMessage(
        trans.__('The inference component is not changed'),
        error.message
      );
    }
  };
  const resize = async (): Promise<void> => {
    await client.call('sagemaker:UpdateInferenceComponentRuntimeConfig', {
      InferenceComponentName: name,
      DesiredRuntimeConfig: { CopyCount: wanted }
    });
    setDraft(null);
  };
  return (
    <tr data-component={name}>
      <th scope="row">{name}</th>
      <td>
        <StatusChip status={status} />
        {component.FailureReason && (
          <p className="jp-BottegaDialog-problem" role="alert">
            {component.FailureReason}
          </p>
        )}
      </td>
      <td>{served(component)}</td>
      <td>
        <span className="jp-BottegaVariants-count">
          <input
            className="jp-BottegaInput"
            type="number"
            min={0}
            value={wanted}
            disabled={!settled}
            aria-label={trans.__('Copies of %1', name)}
            onChange={event =>
              setDraft(Math.max(0, Math.floor(Number(event.target.value)) || 0))
            }
          />
          {present !== desired &&
            trans.__('%1 of %2 answer', String(present), String(desired))}
          {wanted !== desired && (
            <Button
              kind="primary"
              disabled={!settled}
              onClick={() => void attempt(resize)}
            >
              {trans.__('Apply')}
            </Button>
          )}
        </span>
      </td>
      <td>{traffic?.RequestsPerSecond.toFixed(1) ?? ''}</td>
      <td>{typeof p99 === 'number' ? latency(p99) : ''}</td>
      <td>
        <Button
          kind="danger"
          disabled={!settled && status !== 'Failed'}
          title={trans.__('Delete %1', name)}
          onClick={() =>
            void attempt(async () => {
              if (await isMeant(name, trans)) {
                await client.call('sagemaker:DeleteInferenceComponent', {
                  InferenceComponentName: name
                });
              }
            })
          }
        >
          {trans.__('Delete')}
        </Button>
      </td>
    </tr>
  );
}

async function isMeant(
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Delete the inference component %1?', name),
    body: trans.__(
      'Requests to it are refused from then on, and its copies end. Its model stays, and so does the endpoint.'
    ),
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Delete') })
    ]
  });
  return answer.button.accept;
}

/** What a component serves: a model, or the image of its own container. */
function served(component: IDescribeInferenceComponentOutput): string {
  const specification = component.Specification;
  return (
    specification?.ModelName ??
    specification?.Container?.DeployedImage?.SpecifiedImage ??
    ''
  );
}

/** The boto3 call that puts a model on the endpoint. */
function asPython(endpoint: IDescribeEndpointOutput): string {
  const variant = endpoint.ProductionVariants?.[0]?.VariantName ?? '';
  return `import boto3

sagemaker = boto3.client("sagemaker")
sagemaker.create_inference_component(
    InferenceComponentName="my-component",
    EndpointName=${pythonString(endpoint.EndpointName)},
    VariantName=${pythonString(variant)},
    Specification={
        "ModelName": "my-model",
        "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 256},
    },
    RuntimeConfig={"CopyCount": 1},
)
`;
}
