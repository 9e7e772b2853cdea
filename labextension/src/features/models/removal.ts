import type { TranslationBundle } from '@jupyterlab/translation';

import { madeOf } from '../../shared/graph/lineage';
import { attempt, confirmed } from '../../shared/forms/formDialog';
import type { IBottegaClient } from '../../tokens';

/**
 * Ask, saying what goes and what stays, and delete a version; a refusal is shown.
 *
 * @returns whether it was deleted.
 */
export async function removeVersion(
  client: IBottegaClient,
  version: { arn: string; name: string },
  trans: TranslationBundle
): Promise<boolean> {
  let removed = false;
  await attempt(
    async () => {
      const lineage = await client.call('bottega:DescribeModelLineage', {
        ResourceType: 'ModelPackage',
        ResourceName: version.arn
      });
      const serving = madeOf(lineage)
        .filter(node => node.Type === 'Endpoint' && node.Exists)
        .map(node => node.Name);
      const sentences = [
        trans.__(
          'Its description, its approval and its place in the lineage go, and its number is not used again.'
        ),
        trans.__('The training job and the model data stay.'),
        ...(serving.length > 0
          ? [
              trans.__(
                'These endpoints serve it, and go on: %1.',
                serving.join(', ')
              )
            ]
          : [
              lineage.Truncated
                ? trans.__(
                    'Its lineage is too large to say whether an endpoint serves it; one that does goes on.'
                  )
                : trans.__('No endpoint serves it.')
            ])
      ];
      if (
        await confirmed(
          trans.__('Delete the version %1?', version.name),
          sentences.join(' '),
          trans.__('Delete version')
        )
      ) {
        await client.call('sagemaker:DeleteModelPackage', {
          ModelPackageName: version.arn
        });
        removed = true;
      }
    },
    trans.__('The version is not deleted'),
    trans
  );
  return removed;
}

/**
 * Ask, and delete a group that has no versions; a refusal is shown.
 *
 * @returns whether it was deleted.
 */
export async function removeGroup(
  client: IBottegaClient,
  group: string,
  trans: TranslationBundle
): Promise<boolean> {
  let removed = false;
  await attempt(
    async () => {
      if (
        await confirmed(
          trans.__('Delete the group %1?', group),
          trans.__(
            'The empty group goes with its description and its tags. No model is lost; a new group of the name begins with version 1.'
          ),
          trans.__('Delete group')
        )
      ) {
        await client.call('sagemaker:DeleteModelPackageGroup', {
          ModelPackageGroupName: group
        });
        removed = true;
      }
    },
    trans.__('The group is not deleted'),
    trans
  );
  return removed;
}
