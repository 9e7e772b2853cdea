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
      label: trans.__('Delete its configuration and models too'),
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
  if (alongside) {
    await client.call('sagemaker:DeleteEndpointConfig', {
      EndpointConfigName: alongside.config
    });
    for (const model of alongside.models) {
      await client.call('sagemaker:DeleteModel', { ModelName: model });
    }
  }
  return true;
}

/** The configuration an endpoint has now, and its models; null where the former is gone. */
async function madeFor(
  client: IBottegaClient,
  name: string
): Promise<{ config: string; models: string[] } | null> {
  const endpoint = await client.call('sagemaker:DescribeEndpoint', {
    EndpointName: name
  });
  const config = endpoint.EndpointConfigName;
  if (!config) {
    return null;
  }
  try {
    const found = await client.call('sagemaker:DescribeEndpointConfig', {
      EndpointConfigName: config
    });
    const models = (found.ProductionVariants ?? []).flatMap(variant =>
      variant.ModelName ? [variant.ModelName] : []
    );
    return { config, models: [...new Set(models)] };
  } catch (error) {
    if (error instanceof BottegaError && error.status === 400) {
      return null; // deleted before
    }
    throw error;
  }
}
