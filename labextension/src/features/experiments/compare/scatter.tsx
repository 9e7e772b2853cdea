import { useMemo } from 'react';

import { Plot } from '../../../shared/charts/plot';
import { useChartTheme } from '../../../shared/charts/theme';
import { Empty } from '../../../shared/components/states';
import { Choice } from '../choice';
import { columnLabel, kindLabel } from '../columns';
import { runValue } from '../model/runs';
import { scatterTraces, varying } from '../model/traces';
import type { IComparedProps } from './comparison';
import { Note } from './parallel';

/** The runs as points over any two columns, coloured by a third. */
export function Scatter(props: IComparedProps): JSX.Element {
  const { columns, frame, objective, parameters, runs, studio, trans } = props;
  const theme = useChartTheme();
  const params = useMemo(
    () => columns.Params.map(name => `params.${name}`),
    [columns]
  );
  const all = useMemo(
    () => [
      ...params,
      ...columns.Metrics.map(name => `metrics.${name}`),
      'attributes.duration'
    ],
    [params, columns]
  );
  const differing = useMemo(() => varying(runs, params), [runs, params]);
  const x =
    parameters['across'] || differing[0] || params[0] || 'attributes.duration';
  const y =
    parameters['up'] ||
    (objective.metric ? `metrics.${objective.metric}` : 'attributes.duration');
  const colour = parameters['colour'] ?? '';

  const data = useMemo(
    () => scatterTraces(runs, { x, y, colour }, theme),
    [runs, x, y, colour, theme]
  );
  const layout = useMemo(
    () => ({
      hovermode: 'closest',
      showlegend: data.length > 1,
      legend: { orientation: 'h', y: -0.25 },
      xaxis: {
        title: { text: columnLabel(x, trans) },
        categoryorder: 'category ascending'
      },
      yaxis: {
        title: { text: columnLabel(y, trans) },
        categoryorder: 'category ascending'
      }
    }),
    [data, x, y, trans]
  );
  const left = runs.filter(
    run => runValue(run, x) === null || runValue(run, y) === null
  ).length;
  const options = all.map(
    id => [id, `${columnLabel(id, trans)} (${kindLabel(id, trans)})`] as const
  );
  return (
    <>
      <div className="jp-BottegaComparison-controls">
        <Choice
          label={trans.__('Across')}
          value={x}
          options={options}
          onChange={across => frame.setParameters({ across })}
        />
        <Choice
          label={trans.__('Up')}
          value={y}
          options={options}
          onChange={up => frame.setParameters({ up })}
        />
        <Choice
          label={trans.__('Colour')}
          value={colour}
          options={[['', trans.__('none')], ...options]}
          onChange={chosen => frame.setParameters({ colour: chosen })}
        />
        <Note {...props} left={left} />
      </div>
      {left === runs.length ? (
        <Empty sentence={trans.__('No run has both of these columns.')} />
      ) : (
        <Plot
          data={data}
          layout={layout}
          height={props.chartHeight}
          label={trans.__(
            '%1 over %2 of %3 runs',
            columnLabel(y, trans),
            columnLabel(x, trans),
            runs.length - left
          )}
          trans={trans}
          onClick={event => {
            const id = clickedRun(event);
            if (id !== null) {
              studio.open(`runs/${id}`);
            }
          }}
        />
      )}
    </>
  );
}

/** The run of the point that was clicked, in Plotly's event. */
export function clickedRun(event: unknown): string | null {
  const { points } = event as { points?: Array<{ customdata?: unknown }> };
  const id = points?.[0]?.customdata;
  return typeof id === 'string' ? id : null;
}
