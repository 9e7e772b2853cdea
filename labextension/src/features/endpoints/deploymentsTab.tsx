import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { BottegaError } from '../../api/request';
import type {
  DeploymentPolicyType,
  IDescribeEndpointOutput,
  IEndpointDeployment
} from '../../api/types/hosting';
import { Button } from '../../shared/components/controls';
import { Loadable } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, duration, moment, sessionOf } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import type { IBottegaClient, IScreenProps } from '../../tokens';

/** What the endpoint served and serves, and the way back. */
export function DeploymentsTab(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { client, name, trans, endpoint, frame } = props;
  const now = useNow(frame, true);
  const history = useLive(
    props,
    async signal =>
      (
        await client.call(
          'bottega:ListEndpointDeployments',
          { EndpointName: name },
          signal
        )
      ).Deployments,
    [name],
    { concerns: event => event.Kind === 'Endpoint' && event.Name === name }
  );
  const settled = endpoint.EndpointStatus === 'InService';
  return (
    <Loadable
      live={history}
      trans={trans}
      what={trans.__('The deployments cannot be read.')}
    >
      {deployments => (
        <section className="jp-BottegaCard">
          <h2>{trans.__('Deployments')}</h2>
          <table className="jp-BottegaVariants">
            <thead>
              <tr>
                <th scope="col">{trans.__('Outcome')}</th>
                <th scope="col">{trans.__('Configuration')}</th>
                <th scope="col">{trans.__('Serves')}</th>
                <th scope="col">{trans.__('Way')}</th>
                <th scope="col">{trans.__('Asked for')}</th>
                <th scope="col">{trans.__('Took')}</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {deployments.map(deployment => (
                <tr key={deployment.DeploymentId}>
                  <td>
                    <Outcome deployment={deployment} trans={trans} />
                  </td>
                  <th scope="row">{deployment.EndpointConfigName}</th>
                  <td>{served(deployment)}</td>
                  <td>{policyName(deployment.Policy, trans)}</td>
                  <td>
                    <span title={moment(deployment.StartTime)}>
                      {ago(deployment.StartTime, now, trans)}
                    </span>
                    {' · '}
                    {sessionOf(deployment.RequestedBy)}
                  </td>
                  <td>
                    {deployment.EndTime === undefined
                      ? ''
                      : duration(deployment.EndTime - deployment.StartTime)}
                  </td>
                  <td>
                    {!deployment.Active &&
                      deployment.Outcome === 'Succeeded' && (
                        <Button
                          disabled={!settled}
                          title={
                            settled
                              ? trans.__('Serve this deployment again')
                              : trans.__('The endpoint is being changed')
                          }
                          onClick={() =>
                            void bringBack(client, name, deployment, trans)
                          }
                        >
                          {trans.__('Roll back to this')}
                        </Button>
                      )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Loadable>
  );
}

function Outcome(props: {
  deployment: IEndpointDeployment;
  trans: TranslationBundle;
}): JSX.Element {
  const { deployment, trans } = props;
  const words: Record<IEndpointDeployment['Outcome'], string> = {
    InProgress: trans.__('In progress'),
    Succeeded: trans.__('Succeeded'),
    RolledBack: trans.__('Rolled back'),
    Failed: trans.__('Failed')
  };
  return (
    <>
      {deployment.Active ? (
        <StatusChip status="InService" />
      ) : (
        words[deployment.Outcome]
      )}
      {deployment.Reason && (
        <p className="jp-BottegaTest-hint">{deployment.Reason}</p>
      )}
    </>
  );
}

/** `blue: churn-1 × 2, green: churn-2 × 1`. */
function served(deployment: IEndpointDeployment): string {
  return deployment.Variants.map(variant => {
    // One without a model is for inference components.
    const what = [variant.VariantName, variant.ModelName].filter(Boolean);
    const count = variant.Serverless ? '' : ` × ${variant.InstanceCount}`;
    return what.join(': ') + count;
  }).join(', ');
}

/** The words for a way in which traffic moves. */
export function policyName(
  policy: DeploymentPolicyType,
  trans: TranslationBundle
): string {
  return {
    ALL_AT_ONCE: trans.__('all at once'),
    CANARY: trans.__('canary'),
    LINEAR: trans.__('linear'),
    ROLLING: trans.__('rolling')
  }[policy];
}

async function bringBack(
  client: IBottegaClient,
  name: string,
  deployment: IEndpointDeployment,
  trans: TranslationBundle
): Promise<void> {
  const answer = await showDialog({
    title: trans.__('Roll back %1?', name),
    body: trans.__(
      'Servers of %1 are started as they were (%2). When all of them answer, they take over at once; the present ones serve until then.',
      deployment.EndpointConfigName,
      served(deployment)
    ),
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Roll back') })
    ]
  });
  if (answer.button.accept) {
    await rollBack(client, name, trans, deployment.DeploymentId);
  }
}

/** Undo an update that is under way, or bring a deployment back; says why where it is refused. */
export async function rollBack(
  client: IBottegaClient,
  name: string,
  trans: TranslationBundle,
  deployment?: string
): Promise<void> {
  try {
    await client.call('bottega:RollBackEndpoint', {
      EndpointName: name,
      ...(deployment === undefined ? {} : { DeploymentId: deployment })
    });
  } catch (error) {
    if (!(error instanceof BottegaError)) {
      throw error;
    }
    await showErrorMessage(
      trans.__('The endpoint is not rolled back'),
      error.message
    );
  }
}
