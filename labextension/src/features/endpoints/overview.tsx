import type { TranslationBundle } from '@jupyterlab/translation';
import { useMemo, useState } from 'react';

import type {
  IDescribeEndpointOutput,
  IGetEndpointMetricsResponse
} from '../../api/types/hosting';
import type { SharedRange } from '../../shared/charts/plot';
import { Plot } from '../../shared/charts/plot';
import { useChartTheme } from '../../shared/charts/theme';
import { Loadable } from '../../shared/components/states';
import { latency, measured, percent } from '../../shared/format';
import type { Live } from '../../shared/hooks/useLive';
import type { ITrafficChart } from './traffic';
import { trafficCharts } from './traffic';

const CHART_HEIGHT = 200;

/** Traffic and variants. */
export function OverviewTab(props: {
  endpoint: IDescribeEndpointOutput;
  metrics: Live<IGetEndpointMetricsResponse>;
  trans: TranslationBundle;
}): JSX.Element {
  const { endpoint, metrics, trans } = props;
  return (
    <>
      <Loadable
        live={metrics}
        trans={trans}
        what={trans.__('The traffic cannot be read.')}
      >
        {value => <Charts metrics={value} trans={trans} />}
      </Loadable>
      <Variants
        endpoint={endpoint}
        metrics={metrics.state === 'ready' ? metrics.value : null}
        trans={trans}
      />
    </>
  );
}

function Charts(props: {
  metrics: IGetEndpointMetricsResponse;
  trans: TranslationBundle;
}): JSX.Element {
  const { metrics, trans } = props;
  const theme = useChartTheme();
  const [range, setRange] = useState<SharedRange>(null);
  const charts = useMemo(() => trafficCharts(metrics, theme), [metrics, theme]);
  const titles: Record<ITrafficChart['id'], [string, string]> = {
    requests: [trans.__('Requests a second'), ''],
    latency: [trans.__('Model latency'), 'ms'],
    errors: [trans.__('Errors a second'), '']
  };
  return (
    <div className="jp-BottegaGrid">
      {charts.map(chart => {
        const [title, unit] = titles[chart.id];
        return (
          <section key={chart.id} className="jp-BottegaCard">
            <h2 className="jp-BottegaChart-title">
              {title}
              <span className="jp-BottegaChart-lines">
                {chart.lines.map(line => (
                  <span key={line.name}>
                    <span aria-hidden="true" style={{ color: line.colour }}>
                      ━
                    </span>{' '}
                    {line.name}{' '}
                    {line.latest === null
                      ? ''
                      : `${measured(line.latest)}${unit && ` ${unit}`}`}
                  </span>
                ))}
              </span>
            </h2>
            <Plot
              data={chart.traces}
              layout={LAYOUT}
              height={CHART_HEIGHT}
              range={range}
              onRange={setRange}
              trans={trans}
              label={trans.__(
                '%1 of the last 15 minutes: %2',
                title,
                chart.lines
                  .map(line => `${line.name} ${measured(line.latest ?? 0)}`)
                  .join(', ')
              )}
            />
          </section>
        );
      })}
    </div>
  );
}

/** Counts and times begin at nothing. */
const LAYOUT = { yaxis: { rangemode: 'tozero' } };

function Variants(props: {
  endpoint: IDescribeEndpointOutput;
  metrics: IGetEndpointMetricsResponse | null;
  trans: TranslationBundle;
}): JSX.Element {
  const { endpoint, metrics, trans } = props;
  const variants = endpoint.ProductionVariants ?? [];
  const weights = variants.reduce(
    (sum, variant) => sum + (variant.CurrentWeight ?? 0),
    0
  );
  return (
    <section className="jp-BottegaCard">
      <h2>{trans.__('Variants')}</h2>
      {variants.length === 0 ? (
        <p>{trans.__('No variant is in service yet.')}</p>
      ) : (
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
            {variants.map(variant => {
              const share =
                weights > 0 ? (variant.CurrentWeight ?? 0) / weights : 1;
              const traffic = metrics?.Variants.find(
                other => other.VariantName === variant.VariantName
              )?.Traffic;
              const p99 = traffic?.LatencyP99;
              return (
                <tr key={variant.VariantName}>
                  <th scope="row">{variant.VariantName}</th>
                  <td>{variant.DeployedImages?.[0]?.SpecifiedImage ?? ''}</td>
                  <td>
                    <span className="jp-BottegaVariants-share">
                      <span style={{ width: `${share * 100}%` }} />
                    </span>
                    {percent(share)}
                  </td>
                  <td>
                    {variant.CurrentInstanceCount ?? 0} /{' '}
                    {variant.DesiredInstanceCount ?? 0}
                  </td>
                  <td>{traffic?.RequestsPerSecond.toFixed(1) ?? ''}</td>
                  <td>{typeof p99 === 'number' ? latency(p99) : ''}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}
