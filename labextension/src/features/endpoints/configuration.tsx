import { Facts } from '../../shared/components/controls';
import { Loadable } from '../../shared/components/states';
import { moment } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import type {
  IDescribeEndpointConfigOutput,
  IDescribeEndpointOutput,
  IDescribeModelOutput
} from '../../api/types/hosting';
import type { IBottegaClient, IScreenProps } from '../../tokens';

interface IConfiguration {
  config: IDescribeEndpointConfigOutput;
  models: IDescribeModelOutput[];
}

/** What the endpoint was made of: configuration, models, where their artifacts are. */
export function ConfigurationTab(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { client, trans, endpoint } = props;
  const config = endpoint.EndpointConfigName ?? '';
  const live = useLive(
    props,
    signal => readConfiguration(client, config, signal),
    [config]
  );
  return (
    <Loadable
      live={live}
      trans={trans}
      what={trans.__('The configuration %1 cannot be read.', config)}
    >
      {({ config: found, models }) => (
        <>
          <section className="jp-BottegaCard">
            <h2>{trans.__('Endpoint configuration')}</h2>
            <Facts
              facts={[
                [trans.__('Name'), found.EndpointConfigName],
                [trans.__('ARN'), found.EndpointConfigArn],
                [trans.__('Created'), moment(found.CreationTime)],
                ...found.ProductionVariants.map(
                  variant =>
                    [
                      variant.VariantName,
                      variant.ModelName
                        ? trans.__(
                            '%1 × %2, weight %3, model %4',
                            variant.InitialInstanceCount ?? 1,
                            variant.InstanceType ?? '',
                            variant.InitialVariantWeight ?? 1,
                            variant.ModelName
                          )
                        : trans.__(
                            '%1 × %2, for inference components',
                            variant.InitialInstanceCount ?? 1,
                            variant.InstanceType ?? ''
                          )
                    ] as const
                )
              ]}
            />
          </section>
          {models.map(model => (
            <section key={model.ModelName} className="jp-BottegaCard">
              <h2>{trans.__('Model %1', model.ModelName ?? '')}</h2>
              <Facts
                facts={[
                  [trans.__('Image'), model.PrimaryContainer?.Image ?? ''],
                  [
                    trans.__('Artifact'),
                    model.PrimaryContainer?.ModelDataUrl ?? ''
                  ],
                  ...Object.entries(
                    model.PrimaryContainer?.Environment ?? {}
                  ).map(
                    ([name, value]) => [name, <code>{value}</code>] as const
                  )
                ]}
              />
            </section>
          ))}
        </>
      )}
    </Loadable>
  );
}

/** What an endpoint's configuration and its models are. */
export async function readConfiguration(
  client: IBottegaClient,
  name: string,
  signal: AbortSignal
): Promise<IConfiguration> {
  const config = await client.call(
    'sagemaker:DescribeEndpointConfig',
    { EndpointConfigName: name },
    signal
  );
  const names = new Set(
    config.ProductionVariants.flatMap(variant =>
      variant.ModelName ? [variant.ModelName] : []
    )
  );
  const models = await Promise.all(
    [...names].map(model =>
      client.call('sagemaker:DescribeModel', { ModelName: model }, signal)
    )
  );
  return { config, models };
}
