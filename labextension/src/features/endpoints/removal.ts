import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { BottegaError } from '../../api/request';
import type { IBottegaClient } from '../../tokens';

/**
 * Ask, and delete an endpoint.
 *
 * @returns whether it is being deleted.
 * @throws BottegaError when that is refused.
 */
export async function removeEndpoint(
  client: IBottegaClient,
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Delete the endpoint %1?', name),
    body: trans.__(
      'Requests to it are refused from then on, and its model servers end. The trained model stays.'
    ),
    checkbox: {
      label: trans.__(
        'Delete the configuration and models that were made for it too'
      ),
      checked: true
    },
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Delete') })
    ]
  });
  if (!answer.button.accept) {
    return false;
  }
  const alongside = answer.isChecked ? await madeFor(client, name) : null;
  await client.call('sagemaker:DeleteEndpoint', { EndpointName: name });
  if (alongside?.config) {
    await client.call('sagemaker:DeleteEndpointConfig', {
      EndpointConfigName: alongside.config
    });
  }
  for (const model of alongside?.models ?? []) {
    await client.call('sagemaker:DeleteModel', { ModelName: model });
  }
  return true;
}

/** The tag of a configuration or model that was made for one endpoint; its value is the name. */
export const MADE_FOR = 'bottega:endpoint';

/** What was made for the endpoint alone: other configurations and models may serve others too. */
async function madeFor(
  client: IBottegaClient,
  name: string
): Promise<{ config: string | null; models: string[] }> {
  const isOurs = async (arn: string): Promise<boolean> => {
    const { Tags: tags = [] } = await client.call('sagemaker:ListTags', {
      ResourceArn: arn
    });
    return tags.some(tag => tag.Key === MADE_FOR && tag.Value === name);
  };
  const endpoint = await client.call('sagemaker:DescribeEndpoint', {
    EndpointName: name
  });
  const made: { config: string | null; models: string[] } = {
    config: null,
    models: []
  };
  const config = await orGone(
    client.call('sagemaker:DescribeEndpointConfig', {
      EndpointConfigName: endpoint.EndpointConfigName ?? ''
    })
  );
  if (config === null) {
    return made;
  }
  if (await isOurs(config.EndpointConfigArn)) {
    made.config = config.EndpointConfigName;
  }
  const names = config.ProductionVariants.map(variant => variant.ModelName);
  for (const model of new Set(names)) {
    const found = model
      ? await orGone(
          client.call('sagemaker:DescribeModel', { ModelName: model })
        )
      : null;
    if (found && (await isOurs(found.ModelArn))) {
      made.models.push(found.ModelName ?? '');
    }
  }
  return made;
}

/** What a call answers; null where the thing was deleted before. */
async function orGone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BottegaError && error.status === 400) {
      return null;
    }
    throw error;
  }
}
