import type { IEndpointScalingTarget } from '../../api/types/autoscaling';
import type {
  IDescribeEndpointOutput,
  IProductionVariantSummary
} from '../../api/types/hosting';
import type { IScreenProps } from '../../tokens';
import { askForm, attempt } from '../../shared/forms/formDialog';
import type { IScaled } from './scaling';
import { draftOfScaling, requestsOf, scheduleOf } from './scaling';
import { ScalingForm, ScheduleForm } from './scalingForms';

/** A variant on the tab. */
export interface IVariantProps extends IScreenProps {
  endpoint: IDescribeEndpointOutput;
  variant: IProductionVariantSummary;
  /** How it is scaled; undefined where it is not. */
  target: IEndpointScalingTarget | undefined;
  /** Look again, as something was changed. */
  refresh: () => void;
}

/** Ask for a target tracking policy, a new one or another form of one, and put it in force. */
export async function editPolicy(
  props: IVariantProps,
  scaled: IScaled,
  policy?: string
): Promise<void> {
  const { client, endpoint, variant, target, trans, refresh } = props;
  await attempt(
    async () => {
      const present = policy
        ? (
            await client.call(
              'application-autoscaling:DescribeScalingPolicies',
              { ...scaled, PolicyNames: [policy] }
            )
          ).ScalingPolicies?.[0]
        : undefined;
      const draft = await askForm({
        title: trans.__('Scale %1', variant.VariantName),
        accept: trans.__('Apply'),
        initial: draftOfScaling(variant, target, present),
        form: (initial, onChange) => (
          <ScalingForm
            initial={initial}
            variant={variant}
            scaled={scaled}
            least={leastOf(endpoint)}
            named={present !== undefined}
            trans={trans}
            onChange={onChange}
          />
        )
      });
      if (draft) {
        const requests = requestsOf(scaled, draft);
        await client.call(
          'application-autoscaling:RegisterScalableTarget',
          requests.target
        );
        await client.call(
          'application-autoscaling:PutScalingPolicy',
          requests.policy
        );
      }
    },
    trans.__('The variant is not scaled so'),
    trans
  );
  refresh();
}

/** Ask for a scheduled action, and make it. */
export async function addSchedule(
  props: IVariantProps,
  scaled: IScaled,
  target: IEndpointScalingTarget
): Promise<void> {
  const { client, endpoint, variant, trans, refresh } = props;
  const draft = await askForm({
    title: trans.__('Scheduled action of %1', variant.VariantName),
    accept: trans.__('Add'),
    initial: {
      name: `${variant.VariantName}-schedule`,
      schedule: 'cron(0 8 ? * MON-FRI *)',
      least: target.MinCapacity,
      most: target.MaxCapacity
    },
    form: (initial, onChange) => (
      <ScheduleForm
        initial={initial}
        least={leastOf(endpoint)}
        trans={trans}
        onChange={onChange}
      />
    )
  });
  if (draft) {
    await attempt(
      () =>
        client.call(
          'application-autoscaling:PutScheduledAction',
          scheduleOf(scaled, draft)
        ),
      trans.__('The scheduled action is not made'),
      trans
    );
    refresh();
  }
}

/** Only asynchronous endpoints are scaled to nothing. */
function leastOf(endpoint: IDescribeEndpointOutput): number {
  return endpoint.AsyncInferenceConfig ? 0 : 1;
}
