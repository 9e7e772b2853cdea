import { useMemo, useState } from 'react';

import type { IGetTrainingJobMetricsResponse } from '../../../api/types/training';
import type { SharedRange } from '../../../shared/charts/plot';
import { Empty, Loadable } from '../../../shared/components/states';
import type { Live } from '../../../shared/hooks/useLive';
import { useLive } from '../../../shared/hooks/useLive';
import { LastLines, useLastLines } from '../../../shared/logs/lastLines';
import { useLogStreams } from '../../../shared/logs/sources';
import { isRunning, LOG_GROUP } from '../facts';
import type { IJobViewProps } from '../jobView';
import type { IMetricFamily } from './families';
import { metricFamilies } from './families';
import { MetricChart } from './metricChart';

const LAST_LINES = 9;
const NO_FAMILIES: IMetricFamily[] = [];

/** The curves of a job, one chart for each metric, and the end of its log. */
export function MetricsTab(
  props: IJobViewProps & {
    metrics: Live<IGetTrainingJobMetricsResponse>;
    smoothing: number;
    compare: string;
    onLogs: () => void;
  }
): JSX.Element {
  const { job, metrics, compare, trans } = props;
  const running = isRunning(job.TrainingJobStatus);
  const [range, setRange] = useState<SharedRange>(null);
  const answer = metrics.state === 'ready' ? metrics.value : null;
  const families = useMemo(
    () =>
      answer ? metricFamilies(answer.Metrics, answer.ObjectiveMetric) : [],
    [answer]
  );
  const other = useOther(props, compare);
  const streams = useLogStreams(
    props,
    LOG_GROUP,
    `${job.TrainingJobName}/`,
    running
  );
  const stream = streams.state === 'ready' ? (streams.value[0] ?? '') : '';
  const lines = useLastLines(props, LOG_GROUP, stream, LAST_LINES, running);
  return (
    <Loadable
      live={metrics}
      trans={trans}
      what={trans.__('The metrics cannot be read.')}
    >
      {() => (
        <>
          {other.problem && (
            <p className="jp-BottegaStale" role="alert">
              {trans.__('%1 cannot be compared: %2', compare, other.problem)}
            </p>
          )}
          {families.length === 0 ? (
            <Empty
              sentence={
                running
                  ? trans.__('No metric has been written to the log yet.')
                  : trans.__('The job wrote no metric to its log.')
              }
            />
          ) : (
            <div className="jp-BottegaGrid jp-BottegaCharts">
              {families.map(family => (
                <MetricChart
                  key={family.name}
                  family={family}
                  other={other.families.find(
                    found => found.name === family.name
                  )}
                  otherName={compare}
                  smoothing={props.smoothing}
                  range={range}
                  onRange={setRange}
                  trans={trans}
                />
              ))}
            </div>
          )}
          {range && (
            <button
              type="button"
              className="jp-BottegaButton jp-mod-small jp-BottegaReset"
              onClick={() => setRange(null)}
            >
              {trans.__('Show all steps')}
            </button>
          )}
          <LastLines
            live={lines}
            growing={running}
            trans={trans}
            onOpen={props.onLogs}
          />
        </>
      )}
    </Loadable>
  );
}

/** The curves of the job that is compared with; none when there is none. */
function useOther(
  props: IJobViewProps,
  name: string
): { families: IMetricFamily[]; problem: string } {
  const live = useLive<IGetTrainingJobMetricsResponse>(
    props,
    signal =>
      name
        ? props.client.call(
            'bottega:GetTrainingJobMetrics',
            { TrainingJobName: name },
            signal
          )
        : Promise.resolve({ Metrics: [] }),
    [name],
    {
      concerns: event => event.Kind === 'TrainingJob' && event.Name === name
    }
  );
  const answer = live.state === 'ready' ? live.value : null;
  const families = useMemo(
    () =>
      answer
        ? metricFamilies(answer.Metrics, answer.ObjectiveMetric)
        : NO_FAMILIES,
    [answer]
  );
  return {
    families,
    problem: live.state === 'error' ? live.error.message : ''
  };
}
