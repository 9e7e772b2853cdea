import { useMemo, useState } from 'react';

import type { IHostMetrics } from '../../api/types/training';
import type { SharedRange } from '../../shared/charts/plot';
import { Plot } from '../../shared/charts/plot';
import { Stroke } from '../../shared/charts/stroke';
import { seriesColour, useChartTheme } from '../../shared/charts/theme';
import { Empty, Loadable } from '../../shared/components/states';
import { measured } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import { isRunning } from './facts';
import type { IJobViewProps } from './jobView';
import type { ISystemChart } from './systemCharts';
import { systemCharts } from './systemCharts';

const POLL_MS = 2000;
const HEIGHT = 180;

/** What the job's instances use of the machine, over time. */
export function SystemTab(props: IJobViewProps): JSX.Element {
  const { client, job, trans } = props;
  const running = isRunning(job.TrainingJobStatus);
  const live = useLive(
    props,
    signal =>
      client.call(
        'bottega:GetTrainingJobSystemMetrics',
        { TrainingJobName: job.TrainingJobName },
        signal
      ),
    [job.TrainingJobName, running],
    { every: running ? POLL_MS : null }
  );
  return (
    <Loadable
      live={live}
      trans={trans}
      what={trans.__('The system metrics cannot be read.')}
    >
      {({ Hosts: hosts }) => <Charts {...props} hosts={hosts} />}
    </Loadable>
  );
}

function Charts(
  props: IJobViewProps & { hosts: readonly IHostMetrics[] }
): JSX.Element {
  const { hosts, job, trans } = props;
  const [range, setRange] = useState<SharedRange>(null);
  const charts = useMemo(() => systemCharts(hosts, trans), [hosts, trans]);
  if (charts.length === 0) {
    return (
      <Empty
        sentence={
          isRunning(job.TrainingJobStatus)
            ? trans.__('Nothing has been measured yet.')
            : trans.__('Nothing was measured while the job ran.')
        }
      />
    );
  }
  return (
    <div className="jp-BottegaGrid jp-BottegaCharts">
      {charts.map(chart => (
        <SystemChart
          key={chart.id}
          chart={chart}
          range={range}
          onRange={setRange}
          trans={trans}
        />
      ))}
    </div>
  );
}

function SystemChart(props: {
  chart: ISystemChart;
  range: SharedRange;
  onRange: (range: SharedRange) => void;
  trans: IJobViewProps['trans'];
}): JSX.Element {
  const { chart, trans } = props;
  const theme = useChartTheme();
  const data = useMemo(
    () =>
      chart.curves.map((curve, index) => ({
        type: 'scatter',
        mode: curve.seconds.length === 1 ? 'markers' : 'lines',
        x: curve.seconds,
        y: curve.values,
        name: curve.name,
        line: { color: seriesColour(theme, index), width: 1.5 }
      })),
    [chart, theme]
  );
  const layout = useMemo(
    () => ({
      xaxis: { ticksuffix: ' s' },
      yaxis: { rangemode: 'tozero', ticksuffix: ` ${chart.unit}` }
    }),
    [chart.unit]
  );
  const last = (values: readonly number[]): string =>
    `${measured(values[values.length - 1] ?? 0)} ${chart.unit}`;
  return (
    <section
      className="jp-BottegaCard"
      aria-label={chart.title}
      data-metric={chart.id}
    >
      <div className="jp-BottegaChart-head">
        <h2>{chart.title}</h2>
        <ul>
          {chart.curves.map((curve, index) => (
            <li key={curve.name}>
              <Stroke colour={seriesColour(theme, index)} />
              {curve.name} {last(curve.values)}
            </li>
          ))}
        </ul>
      </div>
      <Plot
        data={data}
        layout={layout}
        height={HEIGHT}
        label={trans.__(
          '%1 over time. %2',
          chart.title,
          chart.curves
            .map(curve => `${curve.name}: ${last(curve.values)}`)
            .join('; ')
        )}
        trans={trans}
        range={props.range}
        onRange={props.onRange}
      />
    </section>
  );
}
