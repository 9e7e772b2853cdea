import { useMemo, useState } from 'react';

import { AxesMenu } from '../../../shared/charts/axesMenu';
import { hasWebGl } from '../../../shared/charts/parallel';
import { Plot } from '../../../shared/charts/plot';
import { useChartTheme } from '../../../shared/charts/theme';
import { Empty } from '../../../shared/components/states';
import { columnLabel, kindLabel } from '../columns';
import { parallelTraces, varying } from '../model/traces';
import type { IComparedProps } from './comparison';

const FIRST_AXES = 6;
const LAYOUT = { margin: { l: 60, r: 60, t: 48, b: 20 } };

/** Each run as a line over some parameters and metrics; the last one colours it. */
export function Parallel(props: IComparedProps): JSX.Element {
  const { columns, frame, objective, parameters, runs, trans } = props;
  const theme = useChartTheme();
  const [canDraw] = useState(hasWebGl);
  const all = useMemo(
    () => [
      ...columns.Params.map(name => `params.${name}`),
      ...columns.Metrics.map(name => `metrics.${name}`)
    ],
    [columns]
  );
  const kept = parameters['axes'] ?? '';
  const axes = useMemo(() => {
    const last = `metrics.${objective.metric}`;
    return kept
      ? kept.split(',')
      : [
          ...varying(
            runs,
            columns.Params.map(name => `params.${name}`)
          ).slice(0, FIRST_AXES),
          ...(objective.metric ? [last] : [])
        ];
  }, [kept, runs, columns, objective.metric]);
  const drawn = useMemo(
    () => parallelTraces(runs, axes, theme),
    [runs, axes, theme]
  );
  if (!canDraw) {
    return (
      <Empty
        sentence={trans.__(
          'Parallel coordinates are drawn with WebGL, which this browser does not offer. Scatter shows any two columns without it.'
        )}
        action={{
          label: trans.__('Show the scatter'),
          run: () => frame.setParameters({ tab: 'scatter' })
        }}
      />
    );
  }
  const toggle = (id: string): void => {
    const next = axes.includes(id)
      ? axes.filter(other => other !== id)
      : [...axes.slice(0, -1), id, ...axes.slice(-1)];
    frame.setParameters({ axes: next.join(',') });
  };
  return (
    <>
      <div className="jp-BottegaComparison-controls">
        <AxesMenu
          all={all.map(id => ({
            id,
            label: columnLabel(id, trans),
            note: kindLabel(id, trans)
          }))}
          chosen={axes}
          least={2}
          onToggle={toggle}
          trans={trans}
        />
        <Note {...props} left={drawn.left} />
      </div>
      {drawn.data.length === 0 || axes.length < 2 ? (
        <Empty
          sentence={trans.__(
            'No run has a value on all of these axes. Choose fewer of them.'
          )}
        />
      ) : (
        <Plot
          data={drawn.data}
          layout={LAYOUT}
          height={props.chartHeight}
          label={trans.__(
            'Parallel coordinates of %1 runs over %2',
            runs.length - drawn.left,
            axes.map(id => columnLabel(id, trans)).join(', ')
          )}
          trans={trans}
        />
      )}
    </>
  );
}

/** Which runs a plot is of, and how many of them it does not show. */
export function Note(props: IComparedProps & { left: number }): JSX.Element {
  const { chosen, left, runs, trans } = props;
  return (
    <p className="jp-BottegaComparison-note">
      {chosen.length === 0 &&
        trans._n(
          'No run is chosen: this is the first run of the grid.',
          'No run is chosen: these are the first %1 runs of the grid.',
          runs.length
        )}{' '}
      {left > 0 &&
        trans._n(
          '%1 run lacks a value and is not drawn.',
          '%1 runs lack a value and are not drawn.',
          left
        )}
    </p>
  );
}
