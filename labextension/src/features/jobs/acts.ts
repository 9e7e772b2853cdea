import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IBottegaClient } from '../../tokens';

async function confirmed(
  title: string,
  body: string,
  accept: string,
  trans: TranslationBundle
): Promise<boolean> {
  const answer = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: accept })
    ]
  });
  return answer.button.accept;
}

/**
 * Ask, then stop a job.
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
      'The training ends now. What it has saved as its model so far is kept.'
    ),
    trans.__('Stop job'),
    trans
  );
  if (wanted) {
    await client.call('sagemaker:StopTrainingJob', { TrainingJobName: name });
  }
  return wanted;
}

/**
 * Ask, then delete a job that has ended.
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
      'The job leaves the list and cannot be brought back. Its log and what it made stay in the store.'
    ),
    trans.__('Delete job'),
    trans
  );
  if (wanted) {
    await client.call('sagemaker:DeleteTrainingJob', { TrainingJobName: name });
  }
  return wanted;
}
