import type { TranslationBundle } from '@jupyterlab/translation';

import { confirmed } from '../../shared/forms/formDialog';
import type { IBottegaClient } from '../../tokens';

/**
 * Ask, then stop a tuning job.
 *
 * @returns whether it was stopped.
 * @throws BottegaError when stopping is refused.
 */
export async function confirmStop(
  client: IBottegaClient,
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  const wanted = await confirmed(
    trans.__('Stop %1?', name),
    trans.__(
      'No more trials are started, and those that run are stopped. What was found so far stays.'
    ),
    trans.__('Stop tuning')
  );
  if (wanted) {
    await client.call('sagemaker:StopHyperParameterTuningJob', {
      HyperParameterTuningJobName: name
    });
  }
  return wanted;
}

/**
 * Ask, then delete a tuning job that has ended.
 *
 * @returns whether it was deleted.
 * @throws BottegaError when deleting is refused.
 */
export async function confirmDelete(
  client: IBottegaClient,
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  const wanted = await confirmed(
    trans.__('Delete %1?', name),
    trans.__(
      'The tuning job leaves the list and cannot be brought back. Its training jobs and their models stay.'
    ),
    trans.__('Delete tuning job')
  );
  if (wanted) {
    await client.call('sagemaker:DeleteHyperParameterTuningJob', {
      HyperParameterTuningJobName: name
    });
  }
  return wanted;
}
