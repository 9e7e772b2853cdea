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
import { measured } from '../../shared/format';
import type { Live } from '../../shared/hooks/useLive';
import { hasComponents } from './components';
import { ComponentsCard } from './componentsCard';
import type { ITrafficChart } from './traffic';
import type { IScreenProps } from '../../tokens';
import { trafficCharts } from './traffic';
import { VariantsCard } from './variants';

const CHART_HEIGHT = 200;

/** Traffic and variants. */
export function OverviewTab(
  props: IScreenProps & {
    endpoint: IDescribeEndpointOutput;
    metrics: Live<IGetEndpointMetricsResponse>;
  }
): JSX.Element {
  const { metrics, trans } = props;
  return (
    <>
      <Loadable
        live={metrics}
        trans={trans}
        what={trans.__('The traffic cannot be read.')}
      >
        {value => <Charts metrics={value} trans={trans} />}
      </Loadable>
      {hasComponents(props.endpoint) ? (
        <ComponentsCard {...props} />
      ) : (
        <VariantsCard {...props} />
      )}
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
  const whole = useMemo(() => wholeRange(metrics), [metrics]);
  const titles: Record<ITrafficChart['id'], [string, string]> = {
    requests: [trans.__('Requests a second'), ''],
    latency: [trans.__('Model latency'), 'ms'],
    errors: [trans.__('Errors a second'), ''],
    overhead: [trans.__('Overhead'), 'ms'],
    concurrency: [trans.__('Requests at once'), ''],
    instances: [trans.__('Instances'), '']
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
              range={range ?? whole}
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

/** All of the time, so that charts without values are over the same as the others. */
function wholeRange({
  Times: times
}: IGetEndpointMetricsResponse): SharedRange {
  const [first] = times;
  const last = times[times.length - 1];
  return first === undefined || last === undefined || last === first
    ? null
    : [first * 1000, last * 1000];
}

/** Counts and times begin at nothing. */
const LAYOUT = { yaxis: { rangemode: 'tozero' } };
