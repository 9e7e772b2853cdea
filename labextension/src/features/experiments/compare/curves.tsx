import { useMemo, useState } from 'react';

import type { IRunOverview } from '../../../api/types/experiments';
import { Plot } from '../../../shared/charts/plot';
import type { IChartTheme } from '../../../shared/charts/theme';
import { seriesColour, useChartTheme } from '../../../shared/charts/theme';
import { Empty, Loadable } from '../../../shared/components/states';
import { measured } from '../../../shared/format';
import { useLive } from '../../../shared/hooks/useLive';
import { Choice } from '../choice';
import { followRuns } from '../model/runs';
import type { CurveAxis } from '../model/traces';
import { curveTraces, seriesDash } from '../model/traces';
import type { IComparedProps } from './comparison';
import { Smoothing, useSmoothing } from './smoothing';

/** So many of the grid's runs are drawn while none is chosen. */
const FIRST_RUNS = 10;

/** One metric of several runs over steps or time. */
export function Curves(props: IComparedProps): JSX.Element {
  const { columns, objective, parameters, frame, trans } = props;
  const isChosen = props.chosen.length > 0;
  const runs = useMemo(
    () => (isChosen ? props.runs : props.runs.slice(0, FIRST_RUNS)),
    [isChosen, props.runs]
  );
  const metric = parameters['curve'] || objective.metric;
  const axis: CurveAxis = parameters['x'] === 'time' ? 'time' : 'step';
  if (!metric) {
    return (
      <Empty
        sentence={trans.__('The runs of this experiment have no metrics yet.')}
      />
    );
  }
  return (
    <>
      <div className="jp-BottegaComparison-controls">
        <Choice
          label={trans.__('Metric')}
          value={metric}
          options={columns.Metrics.map(name => [name, name] as const)}
          onChange={curve => frame.setParameters({ curve })}
        />
        <Choice
          label={trans.__('Over')}
          value={axis}
          options={[
            ['step', trans.__('step')],
            ['time', trans.__('time')]
          ]}
          onChange={x => frame.setParameters({ x })}
        />
        <Smoothing {...props} />
        {!isChosen && (
          <p className="jp-BottegaComparison-note">
            {trans._n(
              'No run is chosen: this is the first run of the grid.',
              'No run is chosen: these are the first %1 runs of the grid.',
              runs.length
            )}
          </p>
        )}
      </div>
      <Drawn {...props} runs={runs} metric={metric} axis={axis} />
    </>
  );
}

function Drawn(
  props: IComparedProps & { metric: string; axis: CurveAxis }
): JSX.Element {
  const { axis, client, metric, query, runs, trans } = props;
  const theme = useChartTheme();
  const smoothing = useSmoothing(props);
  const [highlighted, setHighlighted] = useState<string | null>(null);
  const ids = runs.map(run => run.RunId);
  const live = useLive(
    props,
    async signal =>
      ids.length === 0
        ? []
        : (
            await client.call(
              'bottega:GetRunMetrics',
              { RunIds: ids, Metrics: [metric] },
              signal
            )
          ).Courses,
    [ids.join(','), metric],
    followRuns(query.experiment)
  );
  const courses = live.state === 'ready' ? live.value : null;
  const data = useMemo(
    () =>
      curveTraces(courses ?? [], runs, { axis, smoothing, highlighted, theme }),
    [courses, runs, axis, smoothing, highlighted, theme]
  );
  const layout = useMemo(
    () => ({
      hovermode: 'closest',
      xaxis: {
        title: {
          text:
            axis === 'step'
              ? trans.__('step')
              : trans.__('seconds since the first value')
        }
      }
    }),
    [axis, trans]
  );
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={6}
      what={trans.__('The curves cannot be read.')}
    >
      {() =>
        data.length === 0 ? (
          <Empty sentence={trans.__('None of these runs has %1.', metric)} />
        ) : (
          <>
            <Plot
              data={data}
              layout={layout}
              height={props.chartHeight}
              label={trans._n(
                '%2 of one run',
                '%2 of %1 runs',
                data.length,
                metric
              )}
              trans={trans}
            />
            <Legend
              runs={runs}
              metric={metric}
              highlighted={highlighted}
              onHighlight={setHighlighted}
              theme={theme}
              open={path => props.studio.open(path)}
            />
          </>
        )
      }
    </Loadable>
  );
}

/** The runs with their colours and last values; the one that is pointed at stands out. */
function Legend(props: {
  runs: readonly IRunOverview[];
  metric: string;
  highlighted: string | null;
  onHighlight: (id: string | null) => void;
  theme: IChartTheme;
  open: (path: string) => void;
}): JSX.Element {
  const { highlighted, metric, onHighlight, theme } = props;
  return (
    <ul className="jp-BottegaLegend">
      {props.runs.map((run, index) => {
        const value = run.Metrics[metric];
        return (
          value !== undefined && (
            <li key={run.RunId}>
              <button
                type="button"
                className="jp-BottegaLegend-run"
                data-highlighted={highlighted === run.RunId}
                onMouseEnter={() => onHighlight(run.RunId)}
                onMouseLeave={() => onHighlight(null)}
                onFocus={() => onHighlight(run.RunId)}
                onBlur={() => onHighlight(null)}
                onClick={() => props.open(`runs/${run.RunId}`)}
              >
                <span
                  aria-hidden="true"
                  className="jp-BottegaLegend-sign"
                  data-dash={seriesDash(theme, index)}
                  style={{ borderTopColor: seriesColour(theme, index) }}
                />
                {run.RunName} <strong>{measured(Number(value))}</strong>
              </button>
            </li>
          )
        );
      })}
    </ul>
  );
}
