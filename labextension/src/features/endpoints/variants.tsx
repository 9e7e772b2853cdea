import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState } from 'react';

import { BottegaError } from '../../api/request';
import type {
  IDescribeEndpointOutput,
  IDesiredWeightAndCapacity,
  IGetEndpointMetricsResponse,
  IProductionVariantSummary
} from '../../api/types/hosting';
import { Button, CopyButton } from '../../shared/components/controls';
import { latency, percent } from '../../shared/format';
import type { Live } from '../../shared/hooks/useLive';
import { pythonLiteral } from '../../shared/python';
import type { IScreenProps } from '../../tokens';
import { movedShares, sharesOf } from './shares';

/** What is asked for and not applied yet: shares in per cent, and instances. */
interface IDraft {
  shares: number[];
  instances: number[];
}

/** The variants: what they serve, and how much of the traffic and how many instances they have. */
export function VariantsCard(
  props: IScreenProps & {
    endpoint: IDescribeEndpointOutput;
    metrics: Live<IGetEndpointMetricsResponse>;
  }
): JSX.Element {
  const { client, endpoint, metrics, trans } = props;
  const variants = endpoint.ProductionVariants ?? [];
  const present = draftOf(variants);
  const [draft, setDraft] = useState<IDraft | null>(null);
  const [problem, setProblem] = useState('');
  const [applying, setApplying] = useState(false);
  // A draft of other variants, from before an update, means nothing any more.
  const shown = draft?.shares.length === variants.length ? draft : present;
  const changed = !same(shown, present);
  const settled = endpoint.EndpointStatus === 'InService';
  const request = {
    EndpointName: endpoint.EndpointName,
    DesiredWeightsAndCapacities: wanted(variants, shown, present)
  };
  const apply = async (): Promise<void> => {
    setApplying(true);
    setProblem('');
    try {
      await client.call(
        'sagemaker:UpdateEndpointWeightsAndCapacities',
        request
      );
      setDraft(null);
    } catch (error) {
      if (!(error instanceof BottegaError)) {
        throw error;
      }
      setProblem(error.message);
    } finally {
      setApplying(false);
    }
  };
  if (variants.length === 0) {
    return <p>{trans.__('No variant is in service yet.')}</p>;
  }
  return (
    <section className="jp-BottegaCard">
      <h2>{trans.__('Variants')}</h2>
      <table className="jp-BottegaVariants">
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Image')}</th>
            <th scope="col">{trans.__('Traffic')}</th>
            <th scope="col">{trans.__('Instances')}</th>
            <th scope="col">{trans.__('Requests/s')}</th>
            <th scope="col">{trans.__('p99')}</th>
          </tr>
        </thead>
        <tbody>
          {variants.map((variant, index) => (
            <VariantRow
              key={variant.VariantName}
              variant={variant}
              metrics={metrics.state === 'ready' ? metrics.value : null}
              share={shown.shares[index] ?? 0}
              instances={shown.instances[index] ?? 0}
              alone={variants.length === 1}
              least={endpoint.AsyncInferenceConfig ? 0 : 1}
              disabled={!settled || applying}
              trans={trans}
              onShare={value =>
                setDraft({
                  ...shown,
                  shares: movedShares(shown.shares, index, value)
                })
              }
              onInstances={value =>
                setDraft({
                  ...shown,
                  instances: shown.instances.map((count, place) =>
                    place === index ? value : count
                  )
                })
              }
            />
          ))}
        </tbody>
      </table>
      <Shadows
        shadows={endpoint.ShadowProductionVariants ?? []}
        trans={trans}
      />
      {problem && (
        <p className="jp-BottegaDialog-problem" role="alert">
          {problem}
        </p>
      )}
      <div className="jp-BottegaTest-controls">
        <Button
          kind="primary"
          disabled={!changed || !settled || applying}
          title={
            settled
              ? trans.__('Move the traffic and change the instances')
              : trans.__('Only an endpoint in service can be changed')
          }
          onClick={() => void apply()}
        >
          {trans.__('Apply')}
        </Button>
        <Button
          disabled={!changed || applying}
          onClick={() => {
            setDraft(null);
            setProblem('');
          }}
        >
          {trans.__('Reset')}
        </Button>
        <CopyButton
          label={trans.__('Copy as Python')}
          trans={trans}
          text={() => weightsPython(request)}
        />
      </div>
    </section>
  );
}

function VariantRow(props: {
  variant: IProductionVariantSummary;
  metrics: IGetEndpointMetricsResponse | null;
  share: number;
  instances: number;
  /** Whether it has all the traffic in any case. */
  alone: boolean;
  /** The fewest instances it may have. */
  least: number;
  disabled: boolean;
  trans: TranslationBundle;
  onShare: (share: number) => void;
  onInstances: (instances: number) => void;
}): JSX.Element {
  const { variant, metrics, share, instances, alone, trans } = props;
  const base = useId();
  const name = variant.VariantName;
  const traffic = metrics?.Variants.find(
    other => other.VariantName === name
  )?.Traffic;
  const p99 = traffic?.LatencyP99;
  const serverless = variant.CurrentServerlessConfig;
  const present = variant.CurrentInstanceCount ?? 0;
  return (
    <tr data-variant={name}>
      <th scope="row">{name}</th>
      <td>{variant.DeployedImages?.[0]?.SpecifiedImage ?? ''}</td>
      <td>
        {alone ? (
          percent(1)
        ) : (
          <span className="jp-BottegaVariants-slider">
            <input
              type="range"
              min={0}
              max={100}
              step={1}
              value={share}
              disabled={props.disabled}
              aria-label={trans.__('Traffic of %1', name)}
              aria-valuetext={percent(share / 100)}
              onChange={event => props.onShare(Number(event.target.value))}
            />
            <output>{percent(share / 100)}</output>
          </span>
        )}
      </td>
      <td>
        {serverless ? (
          trans.__('serverless, %1 at once', String(serverless.MaxConcurrency))
        ) : (
          <span className="jp-BottegaVariants-count">
            <input
              id={`${base}-count`}
              className="jp-BottegaInput"
              type="number"
              min={props.least}
              value={instances}
              disabled={props.disabled}
              aria-label={trans.__('Instances of %1', name)}
              onChange={event =>
                props.onInstances(
                  Math.max(
                    props.least,
                    Math.floor(Number(event.target.value)) || props.least
                  )
                )
              }
            />
            {present !== (variant.DesiredInstanceCount ?? present) &&
              trans.__(
                '%1 of %2 answer',
                String(present),
                String(variant.DesiredInstanceCount)
              )}
          </span>
        )}
      </td>
      <td>{traffic?.RequestsPerSecond.toFixed(1) ?? ''}</td>
      <td>{typeof p99 === 'number' ? latency(p99) : ''}</td>
    </tr>
  );
}

function Shadows(props: {
  shadows: readonly IProductionVariantSummary[];
  trans: TranslationBundle;
}): JSX.Element | null {
  const { shadows, trans } = props;
  if (shadows.length === 0) {
    return null;
  }
  return (
    <ul className="jp-BottegaVariants-shadows">
      {shadows.map(shadow => (
        <li key={shadow.VariantName}>
          {trans.__(
            '%1 is a shadow: it gets copies of requests, and nobody waits for its answers.',
            shadow.VariantName
          )}
        </li>
      ))}
    </ul>
  );
}

function draftOf(variants: readonly IProductionVariantSummary[]): IDraft {
  return {
    shares: sharesOf(variants.map(variant => variant.DesiredWeight ?? 0)),
    instances: variants.map(variant => variant.DesiredInstanceCount ?? 0)
  };
}

function same(one: IDraft, other: IDraft): boolean {
  return (
    one.shares.every(
      (share, index) => Math.abs(share - (other.shares[index] ?? 0)) < 1e-6
    ) && one.instances.every((count, index) => count === other.instances[index])
  );
}

/** What a draft asks for: weights where shares were moved, instances where they differ. */
export function wanted(
  variants: readonly IProductionVariantSummary[],
  draft: IDraft,
  present: IDraft
): IDesiredWeightAndCapacity[] {
  const moved = !same(
    { ...draft, instances: [] },
    { ...present, instances: [] }
  );
  return variants.flatMap((variant, index) => {
    const count = draft.instances[index];
    const change: IDesiredWeightAndCapacity = {
      VariantName: variant.VariantName,
      ...(moved ? { DesiredWeight: round(draft.shares[index] ?? 0) } : {}),
      ...(count !== undefined && count !== present.instances[index]
        ? { DesiredInstanceCount: count }
        : {})
    };
    return Object.keys(change).length > 1 ? [change] : [];
  });
}

/** Per cent as a weight: two places are enough for a slider. */
function round(share: number): number {
  return Math.round(share * 100) / 100;
}

function weightsPython(request: object): string {
  return `import boto3

sagemaker = boto3.client("sagemaker")
sagemaker.update_endpoint_weights_and_capacities(
    **${pythonLiteral(request)}
)
`;
}
