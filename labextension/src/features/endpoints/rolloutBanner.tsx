import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IDeploymentProgress,
  IDescribeEndpointOutput
} from '../../api/types/hosting';
import { Button } from '../../shared/components/controls';
import { duration, percent } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';
import { policyName, rollBack } from './deploymentsTab';

/** Where an update that is under way stands, and the button that undoes it. */
export function RolloutBanner(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element | null {
  const { client, endpoint, frame, name, trans } = props;
  const updating = endpoint.PendingDeploymentSummary !== undefined;
  const now = useNow(frame, updating);
  const history = useLive(
    props,
    async signal =>
      updating
        ? (
            await client.call(
              'bottega:ListEndpointDeployments',
              { EndpointName: name },
              signal
            )
          ).Deployments
        : [],
    [name, updating],
    { concerns: event => event.Kind === 'Endpoint' && event.Name === name }
  );
  const deployment =
    history.state === 'ready'
      ? history.value.find(one => one.Outcome === 'InProgress')
      : undefined;
  if (!updating || !deployment) {
    return null;
  }
  const share = deployment.Progress?.TrafficShare ?? 0;
  return (
    <section className="jp-BottegaRollout" aria-label={trans.__('Update')}>
      <p role="status">
        <strong>
          {trans.__(
            'Updating to %1, %2:',
            deployment.EndpointConfigName,
            policyName(deployment.Policy, trans)
          )}
        </strong>{' '}
        {phaseWords(deployment.Progress, now, trans)}
      </p>
      <progress
        max={1}
        value={share}
        aria-label={trans.__('Traffic on the new servers')}
      />
      <span>{trans.__('%1 of the traffic', percent(share))}</span>
      <Button
        kind="danger"
        disabled={deployment.Progress?.Phase === 'RollingBack'}
        title={trans.__('All traffic goes back to the former servers')}
        onClick={() => void rollBack(client, name, trans)}
      >
        {trans.__('Roll back now')}
      </Button>
    </section>
  );
}

/** What happens at present, in a few words. */
export function phaseWords(
  progress: IDeploymentProgress | undefined,
  now: number,
  trans: TranslationBundle
): string {
  const left =
    progress?.PhaseEndTime === undefined
      ? ''
      : duration(Math.max(0, progress.PhaseEndTime - now));
  switch (progress?.Phase) {
    case 'ActivatingTraffic':
      return trans.__('traffic moves');
    case 'Baking':
      return left ? trans.__('baking, %1 left', left) : trans.__('baking');
    case 'Terminating':
      return left
        ? trans.__(
            'all traffic has moved; the former servers are kept for %1',
            left
          )
        : trans.__('all traffic has moved; the former servers end');
    case 'RollingBack':
      return trans.__('rolling back');
    default:
      return trans.__('new servers are starting');
  }
}
