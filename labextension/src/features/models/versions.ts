import type { TranslationBundle } from '@jupyterlab/translation';

import { BottegaError } from '../../api/request';
import type { IStudioEvent } from '../../api/types/studio';
import type {
  IModelVersionMetric,
  RegistryApproval
} from '../../api/types/registry';
import { measured } from '../../shared/format';

/** Whether something happened to a group or to a version of one. */
export function concernsRegistry(event: IStudioEvent): boolean {
  return event.Kind === 'ModelPackage' || event.Kind === 'ModelPackageGroup';
}

/** Whether something happened to a group or its versions. Their names are told in lower case. */
export function concernsGroup(event: IStudioEvent, group: string): boolean {
  const [name = ''] = (event.Name ?? '').split('/');
  return concernsRegistry(event) && name === group.toLowerCase();
}

/** Whether a version may be deployed, in words. */
export function approvalName(
  approval: RegistryApproval,
  trans: TranslationBundle
): string {
  return {
    Approved: trans.__('Approved'),
    Rejected: trans.__('Rejected'),
    PendingManualApproval: trans.__('Waits for approval')
  }[approval];
}

/** `validation:rmse 0.412, train:rmse 0.377`. */
export function metricsText(metrics: readonly IModelVersionMetric[]): string {
  return metrics
    .map(metric => `${metric.Name} ${measured(metric.Value)}`)
    .join(', ');
}

/** Whether an error says that there is no such group or version. */
export function isMissing(error: Error | null): boolean {
  return (
    error instanceof BottegaError &&
    /does not exist|not found/i.test(error.message)
  );
}
