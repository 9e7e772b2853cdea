import type {
  IEndpointScalingPolicy,
  IEndpointScalingTarget
} from '../../api/types/autoscaling';
import type { IDescribeEndpointOutput } from '../../api/types/hosting';
import { Button, Facts } from '../../shared/components/controls';
import { Empty, Loadable } from '../../shared/components/states';
import { measured } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';
import { attempt, confirmed } from '../../shared/forms/formDialog';
import type { IScaled } from './scaling';
import {
  cooldownWords,
  metricName,
  metricsOf,
  policySentence,
  scaledOf
} from './scaling';
import type { IVariantProps } from './scalingActs';
import { addSchedule, editPolicy } from './scalingActs';
import { Activities, Schedules } from './scalingTables';

/** What the scaler makes of the metrics has no events: it is looked at so often. */
const SCALING_MS = 2000;

/** How each variant is scaled, by what arithmetic, and what was done. */
export function ScalingTab(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { client, endpoint, name, trans } = props;
  const scaling = useLive(
    props,
    signal =>
      client.call(
        'bottega:DescribeEndpointScaling',
        { EndpointName: name },
        signal
      ),
    [name],
    { every: SCALING_MS }
  );
  const variants = endpoint.ProductionVariants ?? [];
  if (variants.length === 0) {
    return <Empty sentence={trans.__('No variant is in service yet.')} />;
  }
  return (
    <Loadable
      live={scaling}
      trans={trans}
      what={trans.__('The scaling cannot be read.')}
    >
      {({ Targets: targets }) => (
        <>
          {variants.map(variant => (
            <VariantScaling
              {...props}
              key={variant.VariantName}
              variant={variant}
              target={targets.find(
                one => one.VariantName === variant.VariantName
              )}
              refresh={
                scaling.state === 'ready' ? scaling.retry : () => undefined
              }
            />
          ))}
        </>
      )}
    </Loadable>
  );
}

function VariantScaling(props: IVariantProps): JSX.Element {
  const { client, variant, target, name, trans, refresh } = props;
  const scaled = scaledOf(name, variant);
  const stop = async (): Promise<void> => {
    const sure = await confirmed(
      trans.__('Scale %1 no more?', variant.VariantName),
      trans.__(
        'Its policies and scheduled actions are deleted. The capacity stays as it is now.'
      ),
      trans.__('Stop scaling')
    );
    if (sure) {
      await attempt(
        () =>
          client.call(
            'application-autoscaling:DeregisterScalableTarget',
            scaled
          ),
        trans.__('The scaling is not stopped'),
        trans
      );
      refresh();
    }
  };
  return (
    <section className="jp-BottegaCard" aria-label={variant.VariantName}>
      <h2>{trans.__('Scaling of %1', variant.VariantName)}</h2>
      {target ? (
        <>
          <Bounds {...props} target={target} />
          <Policies {...props} target={target} scaled={scaled} />
          <Schedules {...props} target={target} scaled={scaled} />
          <Activities {...props} activities={target.Activities} />
        </>
      ) : (
        <p>
          {trans.__(
            'Its capacity is what it was given. A target tracking policy lets it follow the load.'
          )}
        </p>
      )}
      <div className="jp-BottegaTest-controls">
        <Button
          kind={target ? 'plain' : 'primary'}
          onClick={() => void editPolicy(props, scaled)}
        >
          {target ? trans.__('Add a policy') : trans.__('Scale this variant')}
        </Button>
        {target && (
          <>
            <Button onClick={() => void addSchedule(props, scaled, target)}>
              {trans.__('Add a scheduled action')}
            </Button>
            <Button kind="danger" onClick={() => void stop()}>
              {trans.__('Stop scaling')}
            </Button>
          </>
        )}
      </div>
    </section>
  );
}

function Bounds(
  props: IVariantProps & { target: IEndpointScalingTarget }
): JSX.Element {
  const { target, frame, trans } = props;
  const now = useNow(frame, true);
  const cooldown = cooldownWords(target, now, trans);
  return (
    <Facts
      facts={[
        [
          trans.__('Capacity'),
          target.Capacity === undefined
            ? trans.__('not looked at yet')
            : trans.__(
                '%1 now, %2 to %3',
                target.Capacity,
                target.MinCapacity,
                target.MaxCapacity
              )
        ],
        ...(target.Reason
          ? [[trans.__('Kept because'), target.Reason] as const]
          : []),
        ...(cooldown ? [[trans.__('Cooldown'), cooldown] as const] : []),
        ...(target.Suspended.length > 0
          ? [[trans.__('Suspended'), target.Suspended.join(', ')] as const]
          : [])
      ]}
    />
  );
}

function Policies(
  props: IVariantProps & { target: IEndpointScalingTarget; scaled: IScaled }
): JSX.Element {
  const { client, target, variant, scaled, trans, refresh } = props;
  const remove = async (policy: IEndpointScalingPolicy): Promise<void> => {
    const sure = await confirmed(
      trans.__('Delete the policy %1?', policy.PolicyName),
      trans.__('The capacity stays as it is now.'),
      trans.__('Delete')
    );
    if (sure) {
      await attempt(
        () =>
          client.call('application-autoscaling:DeleteScalingPolicy', {
            ...scaled,
            PolicyName: policy.PolicyName
          }),
        trans.__('The policy is not deleted'),
        trans
      );
      refresh();
    }
  };
  if (target.Policies.length === 0) {
    return (
      <p>{trans.__('It has no policy: nothing but its bounds is kept.')}</p>
    );
  }
  return (
    <table className="jp-BottegaVariants">
      <thead>
        <tr>
          <th scope="col">{trans.__('Policy')}</th>
          <th scope="col">{trans.__('Follows')}</th>
          <th scope="col">{trans.__('Now')}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {target.Policies.map(policy => (
          <tr key={policy.PolicyName} data-policy={policy.PolicyName}>
            <th scope="row">{policy.PolicyName}</th>
            <td>
              {policy.PolicyType === 'StepScaling'
                ? trans.__('alarms, in steps')
                : trans.__(
                    '%1, target %2',
                    metricName(policy.Metric, trans),
                    measured(policy.TargetValue ?? NaN)
                  )}
            </td>
            <td>{policySentence(policy, target, trans)}</td>
            <td>
              <span className="jp-BottegaVariants-count">
                {metricsOf(variant).some(known => known === policy.Metric) && (
                  <Button
                    label={trans.__('Edit %1', policy.PolicyName)}
                    onClick={() =>
                      void editPolicy(props, scaled, policy.PolicyName)
                    }
                  >
                    {trans.__('Edit')}
                  </Button>
                )}
                <Button
                  label={trans.__('Delete %1', policy.PolicyName)}
                  onClick={() => void remove(policy)}
                >
                  {trans.__('Delete')}
                </Button>
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
