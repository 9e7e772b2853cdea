import type { TranslationBundle } from '@jupyterlab/translation';

import { confirmed } from '../../shared/forms/formDialog';
import type { IBottegaClient } from '../../tokens';
import type { OtherKind } from './otherJob';

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
    trans.__('Stop job')
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
    trans.__('Delete job')
  );
  if (wanted) {
    await client.call('sagemaker:DeleteTrainingJob', { TrainingJobName: name });
  }
  return wanted;
}

/**
 * Ask, then stop a processing or transform job.
 *
 * @returns whether it was stopped.
 * @throws BottegaError when stopping is refused.
 */
export async function confirmStopOther(
  client: IBottegaClient,
  job: { kind: OtherKind; name: string },
  trans: TranslationBundle
): Promise<boolean> {
  const processing = job.kind === 'Processing';
  const wanted = await confirmed(
    trans.__('Stop %1?', job.name),
    processing
      ? trans.__('The program ends now. What it has written so far is kept.')
      : trans.__('The job ends now. The objects that are done are kept.'),
    trans.__('Stop job')
  );
  if (wanted && processing) {
    await client.call('sagemaker:StopProcessingJob', {
      ProcessingJobName: job.name
    });
  } else if (wanted) {
    await client.call('sagemaker:StopTransformJob', {
      TransformJobName: job.name
    });
  }
  return wanted;
}

/**
 * Ask, then delete a processing job that has ended; SageMaker deletes no transform jobs.
 *
 * @returns whether it was deleted.
 * @throws BottegaError when deleting is refused.
 */
export async function confirmDeleteOther(
  client: IBottegaClient,
  job: { name: string },
  trans: TranslationBundle
): Promise<boolean> {
  const wanted = await confirmed(
    trans.__('Delete %1?', job.name),
    trans.__(
      'The job leaves the list and cannot be brought back. Its log and what it made stay in the store.'
    ),
    trans.__('Delete job')
  );
  if (wanted) {
    await client.call('sagemaker:DeleteProcessingJob', {
      ProcessingJobName: job.name
    });
  }
  return wanted;
}
