import type {
  DeploymentPolicyType,
  IDeploymentConfig
} from '../../api/types/hosting';

/** How traffic shall move to new servers, as a form has it. */
export interface IPolicyDraft {
  way: DeploymentPolicyType;
  /** Of a canary, of a step, or of a batch, in per cent. */
  size: number;
  /** Seconds of baking after each step. */
  wait: number;
  /** Seconds for which the former servers are kept after the last step. */
  keep: number;
  /** Alarms that roll the update back. */
  alarms: string[];
}

/** The sizes that SageMaker takes, in per cent. */
export const SIZES: Record<
  DeploymentPolicyType,
  { least: number; most: number }
> = {
  ALL_AT_ONCE: { least: 100, most: 100 },
  CANARY: { least: 1, most: 50 },
  LINEAR: { least: 10, most: 50 },
  ROLLING: { least: 5, most: 50 }
};

export const LONGEST_WAIT = 3600;

const PLAIN: IPolicyDraft = {
  way: 'ALL_AT_ONCE',
  size: 10,
  wait: 0,
  keep: 0,
  alarms: []
};

/** What the form begins with: as the last update was done. */
export function draftOf(config: IDeploymentConfig | undefined): IPolicyDraft {
  const alarms = (config?.AutoRollbackConfiguration?.Alarms ?? []).flatMap(
    alarm => (alarm.AlarmName ? [alarm.AlarmName] : [])
  );
  const rolling = config?.RollingUpdatePolicy;
  if (rolling) {
    return {
      ...PLAIN,
      way: 'ROLLING',
      size: perCent(rolling.MaximumBatchSize),
      wait: rolling.WaitIntervalInSeconds,
      alarms
    };
  }
  const policy = config?.BlueGreenUpdatePolicy;
  if (!policy) {
    return { ...PLAIN, alarms };
  }
  const routing = policy.TrafficRoutingConfiguration;
  return {
    way: routing.Type,
    size: perCent(routing.CanarySize ?? routing.LinearStepSize),
    wait: routing.WaitIntervalInSeconds,
    keep: policy.TerminationWaitInSeconds ?? 0,
    alarms
  };
}

/** A size in instances means nothing for another number of instances. */
function perCent(size: { Type: string; Value: number } | undefined): number {
  return size?.Type === 'CAPACITY_PERCENT' ? size.Value : PLAIN.size;
}

/** The size brought to what the way allows. */
export function allowedSize(way: DeploymentPolicyType, size: number): number {
  const { least, most } = SIZES[way];
  return Math.min(most, Math.max(least, Math.round(size) || least));
}

/** The draft as DeploymentConfig; undefined where it asks for nothing but the ordinary way. */
export function configOf(draft: IPolicyDraft): IDeploymentConfig | undefined {
  const { way, wait, keep, alarms } = draft;
  if (way === 'ALL_AT_ONCE' && wait === 0 && keep === 0 && !alarms.length) {
    return undefined;
  }
  const size = {
    Type: 'CAPACITY_PERCENT' as const,
    Value: allowedSize(way, draft.size)
  };
  const back = alarms.length
    ? {
        AutoRollbackConfiguration: {
          Alarms: alarms.map(name => ({ AlarmName: name }))
        }
      }
    : {};
  if (way === 'ROLLING') {
    return {
      RollingUpdatePolicy: {
        MaximumBatchSize: size,
        WaitIntervalInSeconds: wait
      },
      ...back
    };
  }
  return {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: {
        Type: way,
        WaitIntervalInSeconds: wait,
        ...(way === 'CANARY' ? { CanarySize: size } : {}),
        ...(way === 'LINEAR' ? { LinearStepSize: size } : {})
      },
      ...(keep > 0 ? { TerminationWaitInSeconds: keep } : {})
    },
    ...back
  };
}
