import { useMemo, useState } from 'react';

import type { ITuningTrial } from '../../api/types/tuning';
import { AxesMenu } from '../../shared/charts/axesMenu';
import { hasWebGl, parallelAxes } from '../../shared/charts/parallel';
import { Plot } from '../../shared/charts/plot';
import { useChartTheme } from '../../shared/charts/theme';
import { Empty, Loadable } from '../../shared/components/states';
import { useLive } from '../../shared/hooks/useLive';
import {
  concernsTuning,
  finalObjective,
  noObjectiveText,
  objectiveOf,
  parameterNames,
  unquoted
} from './facts';
import type { ITuningViewProps } from './tuningView';

/** More lines than this say nothing. */
const MOST_LINES = 2000;
const FIRST_AXES = 8;
const CHART_HEIGHT = 440;
const FOLD_MS = 1000;
const LAYOUT = { margin: { l: 60, r: 60, t: 48, b: 20 } };

/** Each trial as a line over its parameters and its objective, which colours it. */
export function ParallelTab(props: ITuningViewProps): JSX.Element {
  const { client, frame, name, progress, trans } = props;
  const [canDraw] = useState(hasWebGl);
  const { Type: better } = objectiveOf(progress);
  const live = useLive(
    props,
    signal =>
      client.call(
        'bottega:ListTuningTrials',
        {
          TuningJobName: name,
          Filter: 'objective:Succeeded',
          SortBy: 'Objective',
          SortOrder: better === 'Maximize' ? 'Descending' : 'Ascending',
          MaxResults: MOST_LINES,
          CoursePoints: 0
        },
        signal
      ),
    [name, better],
    { concerns: event => concernsTuning(event, name), fold: FOLD_MS }
  );
  if (!canDraw) {
    return (
      <Empty
        sentence={trans.__(
          'Parallel coordinates are drawn with WebGL, which this browser does not offer. The table of trials says the same without it.'
        )}
        action={{
          label: trans.__('Show the trials'),
          run: () => frame.setParameters({ tab: 'trials' })
        }}
      />
    );
  }
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={6}
      what={trans.__('The trials cannot be read.')}
    >
      {answer =>
        answer.Trials.length === 0 ? (
          <Empty sentence={noObjectiveText(progress.Status, trans)} />
        ) : (
          <Lines {...props} trials={answer.Trials} total={answer.Total} />
        )
      }
    </Loadable>
  );
}

function Lines(
  props: ITuningViewProps & { trials: readonly ITuningTrial[]; total: number }
): JSX.Element {
  const { frame, parameters, progress, total, trans, trials } = props;
  const theme = useChartTheme();
  const objective = objectiveOf(progress);
  const all = useMemo(() => {
    const weights = new Map(
      progress.Parameters.map(item => [item.Name, item.Importance ?? 0])
    );
    return parameterNames(progress).sort(
      (a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0)
    );
  }, [progress]);
  const kept = parameters['axes'] ?? '';
  const axes = useMemo(
    () =>
      kept
        ? kept.split(',').filter(axis => all.includes(axis))
        : all.slice(0, FIRST_AXES),
    [kept, all]
  );
  const logarithmic = useMemo(
    () =>
      new Set(
        progress.Parameters.filter(
          item => item.ScalingType === 'Logarithmic'
        ).map(item => item.Name)
      ),
    [progress]
  );
  const drawn = useMemo(
    () =>
      parallelAxes(
        [
          ...axes.map(axis => ({
            label: axis,
            values: trials.map(trial => {
              const value = trial.Parameters[axis];
              return value === undefined ? null : unquoted(value);
            }),
            isLogarithmic: logarithmic.has(axis)
          })),
          {
            label: objective.MetricName,
            values: trials.map(finalObjective)
          }
        ],
        theme,
        objective.Type === 'Minimize'
      ),
    [axes, trials, logarithmic, objective.MetricName, objective.Type, theme]
  );
  const toggle = (id: string): void => {
    const next = axes.includes(id)
      ? axes.filter(other => other !== id)
      : [...axes, id];
    frame.setParameters({ axes: next.join(',') });
  };
  const count = trials.length - drawn.left;
  return (
    <>
      <div className="jp-BottegaTuning-controls">
        <AxesMenu
          all={all.map(id => ({ id, label: id, note: '' }))}
          chosen={axes}
          least={1}
          onToggle={toggle}
          trans={trans}
        />
        <p className="jp-BottegaTuning-note">
          {total > trials.length
            ? trans.__(
                'The best %1 of %2 trials. The last axis colours the lines.',
                trials.length.toLocaleString(),
                total.toLocaleString()
              )
            : trans.__(
                '%1 trials. The last axis colours the lines.',
                total.toLocaleString()
              )}{' '}
          {drawn.left > 0 &&
            trans._n(
              '%1 trial lacks a value and is not drawn.',
              '%1 trials lack a value and are not drawn.',
              drawn.left
            )}
        </p>
      </div>
      {drawn.data.length === 0 ? (
        <Empty
          sentence={trans.__(
            'No trial has a value on all of these axes. Choose fewer of them.'
          )}
        />
      ) : (
        <Plot
          data={drawn.data}
          layout={LAYOUT}
          height={CHART_HEIGHT}
          label={trans.__(
            'Parallel coordinates of %1 trials over %2',
            count,
            [...axes, objective.MetricName].join(', ')
          )}
          trans={trans}
        />
      )}
    </>
  );
}
