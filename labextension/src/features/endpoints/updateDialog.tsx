import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type {
  ICreateEndpointConfigInput,
  IDescribeEndpointConfigOutput,
  IDescribeEndpointOutput,
  IProductionVariant
} from '../../api/types/hosting';
import { percent } from '../../shared/format';
import type { IBottegaClient } from '../../tokens';
import { allAlarms } from './alarms';
import type { IPolicyDraft } from './deploymentPolicy';
import { configOf, draftOf } from './deploymentPolicy';
import { PolicyForm } from './policyForm';
import { MADE_FOR } from './removal';

interface IFormProps {
  variants: IProductionVariant[];
  /** Names of the models to choose from. */
  models: string[];
  trans: TranslationBundle;
  onChange: (variants: IProductionVariant[]) => void;
}

/** Models, instances and traffic of the variants. */
export function UpdateForm(props: IFormProps): JSX.Element {
  const { models, trans, onChange } = props;
  const base = useId();
  const [variants, setVariants] = useState(props.variants);
  useEffect(() => onChange(variants), [variants, onChange]);
  const change = (index: number, part: Partial<IProductionVariant>): void =>
    setVariants(present =>
      present.map((variant, place) =>
        place === index ? { ...variant, ...part } : variant
      )
    );
  const weights = variants.reduce(
    (sum, variant) => sum + (variant.InitialVariantWeight ?? 1),
    0
  );
  return (
    <div className="jp-BottegaDialog">
      {variants.map((variant, index) => {
        const id = `${base}-${index}`;
        const weight = variant.InitialVariantWeight ?? 1;
        const { ModelName: model = '' } = variant;
        // Only the newest models are offered; its own is there in any case.
        const offered = models.includes(model) ? models : [model, ...models];
        return (
          <fieldset key={variant.VariantName}>
            <legend>{variant.VariantName}</legend>
            <label htmlFor={`${id}-model`}>{trans.__('Model')}</label>
            <select
              id={`${id}-model`}
              className="jp-BottegaInput"
              value={model}
              onChange={event =>
                change(index, { ModelName: event.target.value })
              }
            >
              {offered.map(option => (
                <option key={option}>{option}</option>
              ))}
            </select>
            <label htmlFor={`${id}-count`}>
              {variant.ServerlessConfig
                ? trans.__('Requests at once, at most')
                : trans.__('Instances')}
            </label>
            <input
              id={`${id}-count`}
              className="jp-BottegaInput"
              type="number"
              min={1}
              value={
                variant.ServerlessConfig?.MaxConcurrency ??
                variant.InitialInstanceCount ??
                1
              }
              onChange={event =>
                change(index, capacity(variant, Number(event.target.value)))
              }
            />
            {variants.length > 1 && (
              <>
                <label htmlFor={`${id}-weight`}>
                  {trans.__(
                    'Traffic: %1',
                    percent(weights > 0 ? weight / weights : 0)
                  )}
                </label>
                <input
                  id={`${id}-weight`}
                  type="range"
                  min={0}
                  max={10}
                  step={0.1}
                  value={weight}
                  onChange={event =>
                    change(index, {
                      InitialVariantWeight: Number(event.target.value)
                    })
                  }
                />
              </>
            )}
          </fieldset>
        );
      })}
      <p className="jp-BottegaDialog-note">
        {trans.__(
          'A new configuration is made. The present servers answer until the new ones do; no request is lost.'
        )}
      </p>
    </div>
  );
}

/** Another capacity: instances, or what a serverless variant does at once. */
function capacity(
  variant: IProductionVariant,
  asked: number
): Partial<IProductionVariant> {
  const count = Math.max(1, Math.floor(asked) || 1);
  return variant.ServerlessConfig
    ? {
        ServerlessConfig: { ...variant.ServerlessConfig, MaxConcurrency: count }
      }
    : { InitialInstanceCount: count };
}

/** What the dialog asks for. */
interface IUpdate {
  variants: IProductionVariant[];
  policy: IPolicyDraft;
}

class UpdateBody extends ReactWidget {
  constructor(
    private readonly _props: Omit<IFormProps, 'onChange'> & {
      policy: IPolicyDraft;
      alarms: string[];
    }
  ) {
    super();
    const { variants, policy } = _props;
    this._update = { variants, policy };
  }

  getValue(): IUpdate {
    return this._update;
  }

  protected render(): JSX.Element {
    const { alarms, policy, ...form } = this._props;
    return (
      <div className="jp-BottegaDialog">
        <UpdateForm {...form} onChange={this._onVariants} />
        <PolicyForm
          initial={policy}
          alarms={alarms}
          trans={form.trans}
          onChange={this._onPolicy}
        />
      </div>
    );
  }

  private _onVariants = (variants: IProductionVariant[]): void => {
    this._update = { ...this._update, variants };
  };
  private _onPolicy = (policy: IPolicyDraft): void => {
    this._update = { ...this._update, policy };
  };
  private _update: IUpdate;
}

/**
 * Ask what is to change, and update the endpoint to a new configuration.
 *
 * @throws BottegaError when the update is refused; the endpoint stays as it is.
 */
export async function updateEndpoint(
  client: IBottegaClient,
  endpoint: IDescribeEndpointOutput,
  trans: TranslationBundle
): Promise<void> {
  const [config, models, alarms] = await Promise.all([
    client.call('sagemaker:DescribeEndpointConfig', {
      EndpointConfigName: endpoint.EndpointConfigName ?? ''
    }),
    modelNames(client),
    allAlarms(client)
  ]);
  const answer = await showDialog({
    title: trans.__('Update %1', endpoint.EndpointName),
    body: new UpdateBody({
      variants: config.ProductionVariants,
      models,
      policy: draftOf(endpoint.LastDeploymentConfig),
      alarms: alarms.flatMap(alarm => alarm.AlarmName ?? []),
      trans
    }),
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Update') })
    ]
  });
  if (!answer.button.accept || !answer.value) {
    return;
  }
  const { EndpointName: name } = endpoint;
  const request = {
    ...newConfig(config, answer.value.variants, configName(name, new Date())),
    Tags: [{ Key: MADE_FOR, Value: name }]
  };
  const { EndpointConfigName: made } = request;
  const policy = configOf(answer.value.policy);
  await client.call('sagemaker:CreateEndpointConfig', request);
  try {
    await client.call('sagemaker:UpdateEndpoint', {
      EndpointName: name,
      EndpointConfigName: made,
      ...(policy ? { DeploymentConfig: policy } : {})
    });
  } catch (error) {
    await client.call('sagemaker:DeleteEndpointConfig', {
      EndpointConfigName: made
    });
    throw error;
  }
}

/** The request for a configuration like another one, with other variants. */
export function newConfig(
  former: IDescribeEndpointConfigOutput,
  variants: IProductionVariant[],
  name: string
): ICreateEndpointConfigInput {
  const kept: Partial<IDescribeEndpointConfigOutput> = { ...former };
  delete kept.EndpointConfigArn;
  delete kept.CreationTime;
  return { ...kept, EndpointConfigName: name, ProductionVariants: variants };
}

/** `churn-20261126-140312`, cut to what a name may be. */
export function configName(endpoint: string, now: Date): string {
  const stamp = now
    .toISOString()
    .slice(0, 19)
    .replace(/[-:]/g, '')
    .replace('T', '-');
  return `${endpoint.slice(0, 62 - stamp.length).replace(/-+$/, '')}-${stamp}`;
}

async function modelNames(client: IBottegaClient): Promise<string[]> {
  const page = await client.call('sagemaker:ListModels', {
    SortBy: 'CreationTime',
    SortOrder: 'Descending',
    MaxResults: 100
  });
  return page.Models.map(model => model.ModelName);
}
