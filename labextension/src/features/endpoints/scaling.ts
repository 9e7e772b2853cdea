import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IEndpointScalingPolicy,
  IEndpointScalingTarget,
  IPutScalingPolicyRequest,
  IPutScheduledActionRequest,
  IRegisterScalableTargetRequest,
  IScalingPolicy,
  MetricType,
  ScalableDimension
} from '../../api/types/autoscaling';
import type { IProductionVariantSummary } from '../../api/types/hosting';
import { duration, measured } from '../../shared/format';
import { pythonLiteral } from '../../shared/python';

/** What a variant is to application-autoscaling. */
export interface IScaled {
  ServiceNamespace: 'sagemaker';
  ResourceId: string;
  ScalableDimension: ScalableDimension;
}

/** A variant with instances is scaled by those, a serverless one by what it keeps warm. */
export function scaledOf(
  endpoint: string,
  variant: IProductionVariantSummary
): IScaled {
  return {
    ServiceNamespace: 'sagemaker',
    ResourceId: `endpoint/${endpoint}/variant/${variant.VariantName}`,
    ScalableDimension: isServerless(variant)
      ? 'sagemaker:variant:DesiredProvisionedConcurrency'
      : 'sagemaker:variant:DesiredInstanceCount'
  };
}

export function isServerless(variant: IProductionVariantSummary): boolean {
  return variant.CurrentServerlessConfig !== undefined;
}

/** A target tracking policy with its bounds, as a form has it. */
export interface IScalingDraft {
  name: string;
  least: number;
  most: number;
  metric: MetricType;
  target: number;
  /** Seconds. */
  outCooldown: number;
  inCooldown: number;
  /** Whether it never scales in. */
  outOnly: boolean;
}

const COOLDOWN = 300;

/** The metrics that a policy may follow, the ordinary one first. */
export function metricsOf(variant: IProductionVariantSummary): MetricType[] {
  return isServerless(variant)
    ? ['SageMakerVariantProvisionedConcurrencyUtilization']
    : [
        'SageMakerVariantInvocationsPerInstance',
        'SageMakerVariantConcurrentRequestsPerModelHighResolution'
      ];
}

/** The words for a metric. */
export function metricName(metric: string, trans: TranslationBundle): string {
  switch (metric) {
    case 'SageMakerVariantInvocationsPerInstance':
      return trans.__('requests a minute of each instance');
    case 'SageMakerVariantConcurrentRequestsPerModelHighResolution':
      return trans.__('requests at once of each model');
    case 'SageMakerVariantProvisionedConcurrencyUtilization':
      return trans.__('used share of the provisioned concurrency');
    default:
      return metric;
  }
}

/** What the form begins with: the policy that is there, or one that does no harm. */
export function draftOfScaling(
  variant: IProductionVariantSummary,
  target: IEndpointScalingTarget | undefined,
  policy: IScalingPolicy | undefined
): IScalingDraft {
  const found = policy?.TargetTrackingScalingPolicyConfiguration;
  const [metric = 'SageMakerVariantInvocationsPerInstance'] =
    metricsOf(variant);
  return {
    name: policy?.PolicyName ?? `${variant.VariantName}-target`,
    least: target?.MinCapacity ?? 1,
    most:
      target?.MaxCapacity ??
      Math.max(4, (variant.DesiredInstanceCount ?? 1) * 2),
    metric:
      found?.PredefinedMetricSpecification?.PredefinedMetricType ?? metric,
    target: found?.TargetValue ?? (isServerless(variant) ? 0.7 : 600),
    outCooldown: found?.ScaleOutCooldown ?? COOLDOWN,
    inCooldown: found?.ScaleInCooldown ?? COOLDOWN,
    outOnly: found?.DisableScaleIn ?? false
  };
}

/** The two calls that a draft stands for. */
export function requestsOf(
  scaled: IScaled,
  draft: IScalingDraft
): {
  target: IRegisterScalableTargetRequest;
  policy: IPutScalingPolicyRequest;
} {
  return {
    target: { ...scaled, MinCapacity: draft.least, MaxCapacity: draft.most },
    policy: {
      ...scaled,
      PolicyName: draft.name,
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: draft.target,
        PredefinedMetricSpecification: { PredefinedMetricType: draft.metric },
        ScaleOutCooldown: draft.outCooldown,
        ScaleInCooldown: draft.inCooldown,
        DisableScaleIn: draft.outOnly
      }
    }
  };
}

/** A scheduled action, as a form has it. */
export interface IScheduleDraft {
  name: string;
  schedule: string;
  least: number;
  most: number;
}

/** The call that a scheduled action stands for. */
export function scheduleOf(
  scaled: IScaled,
  draft: IScheduleDraft
): IPutScheduledActionRequest {
  return {
    ...scaled,
    ScheduledActionName: draft.name,
    Schedule: draft.schedule,
    ScalableTargetAction: { MinCapacity: draft.least, MaxCapacity: draft.most }
  };
}

/**
 * What a policy asks for now, in one sentence: `1,440 against a target of 1,200: ceil(2 x 1440 /
 * 1200) = 3. It asks for 3; now there are 2.`
 */
export function policySentence(
  policy: IEndpointScalingPolicy,
  target: IEndpointScalingTarget,
  trans: TranslationBundle
): string {
  if (policy.Arithmetic === undefined) {
    return trans.__('It has not spoken yet.');
  }
  const parts = [];
  if (policy.MetricValue !== undefined && policy.TargetValue !== undefined) {
    parts.push(
      trans.__(
        '%1 against a target of %2.',
        measured(policy.MetricValue),
        measured(policy.TargetValue)
      )
    );
  }
  parts.push(`${policy.Arithmetic}.`);
  const { Direction: direction, Desired: desired } = policy;
  if (direction === 'hold') {
    parts.push(trans.__('It asks for no change.'));
  } else if (direction !== 'unknown' && desired !== undefined) {
    parts.push(
      trans.__(
        'It asks for %1; now there are %2.',
        desired,
        target.Capacity ?? '?'
      )
    );
  }
  return parts.join(' ');
}

/** Which cooldowns are in force, and for how long. */
export function cooldownWords(
  target: IEndpointScalingTarget,
  now: number,
  trans: TranslationBundle
): string {
  const parts = [];
  const { ScaleOutCooldownEnds: out, ScaleInCooldownEnds: into } = target;
  if (out !== undefined && out > now) {
    parts.push(trans.__('scale out in %1', duration(out - now)));
  }
  if (into !== undefined && into > now) {
    parts.push(trans.__('scale in in %1', duration(into - now)));
  }
  return parts.join(', ');
}

/** The boto3 calls that scale a variant so. */
export function scalingPython(scaled: IScaled, draft: IScalingDraft): string {
  const { target, policy } = requestsOf(scaled, draft);
  return `import boto3

autoscaling = boto3.client("application-autoscaling")
autoscaling.register_scalable_target(
    **${pythonLiteral(target)}
)
autoscaling.put_scaling_policy(
    **${pythonLiteral(policy)}
)
`;
}
