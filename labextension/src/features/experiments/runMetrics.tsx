import { useMemo, useState } from 'react';

import type {
  IRunMetricCourse,
  IRunOverview
} from '../../api/types/experiments';
import type { SharedRange } from '../../shared/charts/plot';
import { Plot } from '../../shared/charts/plot';
import { useChartTheme } from '../../shared/charts/theme';
import { FilterBox } from '../../shared/components/controls';
import { Empty, Loadable } from '../../shared/components/states';
import { measured } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import type { IScreenProps } from '../../tokens';
import { Choice } from './choice';
import { Smoothing, useSmoothing } from './compare/smoothing';
import { followRuns } from './model/runs';
import type { CurveAxis } from './model/traces';
import { curveTraces } from './model/traces';

/** Charts at once: each one costs the browser something. */
const CHARTS_AT_ONCE = 12;
const HEIGHT = 180;

interface IMetricsProps extends IScreenProps {
  run: IRunOverview;
}

/** The metrics of a run, one chart for each, with a shared zoom. */
export function RunMetrics(props: IMetricsProps): JSX.Element {
  const { frame, parameters, run, trans } = props;
  const [search, setSearch] = useState('');
  const [most, setMost] = useState(CHARTS_AT_ONCE);
  const [range, setRange] = useState<SharedRange>(null);
  const axis: CurveAxis = parameters['x'] === 'time' ? 'time' : 'step';
  const names = Object.keys(run.Metrics)
    .filter(name => name.toLowerCase().includes(search.trim().toLowerCase()))
    .sort();
  if (Object.keys(run.Metrics).length === 0) {
    return <Empty sentence={trans.__('The run has no metrics yet.')} />;
  }
  return (
    <>
      <div className="jp-BottegaComparison-controls">
        <FilterBox
          value={search}
          onChange={setSearch}
          placeholder={trans.__('Search metrics')}
          label={trans.__('Search metrics')}
        />
        <Choice
          label={trans.__('Over')}
          value={axis}
          options={[
            ['step', trans.__('step')],
            ['time', trans.__('time')]
          ]}
          onChange={x => {
            setRange(null);
            frame.setParameters({ x });
          }}
        />
        <Smoothing {...props} />
      </div>
      {names.length === 0 ? (
        <Empty sentence={trans.__('No metric matches.')} />
      ) : (
        <Charts
          {...props}
          names={names.slice(0, most)}
          axis={axis}
          range={range}
          onRange={setRange}
        />
      )}
      {names.length > most && (
        <button
          type="button"
          className="jp-BottegaButton"
          onClick={() => setMost(most + CHARTS_AT_ONCE)}
        >
          {trans.__('Show more of the %1 metrics', names.length)}
        </button>
      )}
    </>
  );
}

interface IChartsProps extends IMetricsProps {
  axis: CurveAxis;
  range: SharedRange;
  onRange: (range: SharedRange) => void;
}

function Charts(props: IChartsProps & { names: string[] }): JSX.Element {
  const { client, names, run, trans } = props;
  const live = useLive(
    props,
    async signal =>
      (
        await client.call(
          'bottega:GetRunMetrics',
          { RunIds: [run.RunId], Metrics: names },
          signal
        )
      ).Courses,
    [run.RunId, names.join('\n')],
    followRuns(run.ExperimentId)
  );
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={6}
      what={trans.__('The metrics cannot be read.')}
    >
      {courses => (
        <div className="jp-BottegaGrid">
          {courses.map(course => (
            <Chart key={course.Name} {...props} course={course} />
          ))}
        </div>
      )}
    </Loadable>
  );
}

function Chart(
  props: IChartsProps & { course: IRunMetricCourse }
): JSX.Element {
  const { axis, course, onRange, range, run, trans } = props;
  const theme = useChartTheme();
  const smoothing = useSmoothing(props);
  const data = useMemo(
    () =>
      curveTraces([course], [run], {
        axis,
        smoothing,
        highlighted: null,
        theme
      }),
    [course, run, axis, smoothing, theme]
  );
  const value = run.Metrics[course.Name];
  return (
    <section className="jp-BottegaCard" data-metric={course.Name}>
      <h2 className="jp-BottegaRun-metric">
        {course.Name}
        <span>{value === undefined ? '' : measured(Number(value))}</span>
      </h2>
      {course.Values.some(point => Number.isFinite(Number(point))) ? (
        <Plot
          data={data}
          height={HEIGHT}
          label={trans.__('%1 of %2', course.Name, run.RunName)}
          trans={trans}
          range={range}
          onRange={onRange}
        />
      ) : (
        <p className="jp-BottegaComparison-note">
          {trans.__('None of its values is a finite number.')}
        </p>
      )}
    </section>
  );
}
