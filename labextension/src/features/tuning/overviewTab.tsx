import { useMemo } from 'react';

import { ImportanceTable } from '../../shared/charts/importance';
import { Plot } from '../../shared/charts/plot';
import { useChartTheme } from '../../shared/charts/theme';
import { Card } from '../../shared/components/card';
import { Button, Facts } from '../../shared/components/controls';
import { measured } from '../../shared/format';
import { bestTraces } from './bestTraces';
import {
  directionText,
  noObjectiveText,
  objectiveOf,
  valueText
} from './facts';
import type { ITuningViewProps } from './tuningView';

const CHART_HEIGHT = 300;

/** The course of the best, the best trial, and how much each parameter matters. */
export function OverviewTab(props: ITuningViewProps): JSX.Element {
  const { trans } = props;
  return (
    <div className="jp-BottegaGrid jp-BottegaTuning-overview">
      <Card title={trans.__('Best so far')} isWide>
        <BestSoFar {...props} />
      </Card>
      <Card title={trans.__('Best trial')}>
        <BestTrial {...props} />
      </Card>
      <Card title={trans.__('Importance')}>
        <Importance {...props} />
      </Card>
    </div>
  );
}

function BestSoFar(props: ITuningViewProps): JSX.Element {
  const { frame, parameters, progress, trans } = props;
  const theme = useChartTheme();
  const axis = parameters['over'] === 'time' ? 'time' : 'trials';
  const objective = objectiveOf(progress);
  const course = progress.Best;
  const { CreationTime: begin } = progress;
  const data = useMemo(
    () => bestTraces(course, { axis, begin, theme, trans }),
    [course, axis, begin, theme, trans]
  );
  const layout = useMemo(
    () => ({
      hovermode: 'closest',
      xaxis: {
        title: {
          text:
            axis === 'time'
              ? trans.__('seconds since the start')
              : trans.__('trials that have ended')
        },
        rangemode: 'tozero'
      },
      yaxis: { title: { text: objective.MetricName.replace(/[<>&]/g, ' ') } }
    }),
    [axis, objective.MetricName, trans]
  );
  if (course.Numbers.length === 0) {
    return <p>{noObjectiveText(progress.Status, trans)}</p>;
  }
  return (
    <>
      <div className="jp-BottegaTuning-controls">
        <label>
          {trans.__('Over')}{' '}
          <select
            className="jp-BottegaInput"
            value={axis}
            onChange={event =>
              frame.setParameters({ over: event.target.value })
            }
          >
            <option value="trials">{trans.__('trials')}</option>
            <option value="time">{trans.__('time')}</option>
          </select>
        </label>
        <span className="jp-BottegaTuning-note">
          {directionText(objective.Type, trans)}
        </span>
      </div>
      <Plot
        data={data}
        layout={layout}
        height={CHART_HEIGHT}
        label={trans.__(
          'The best %1 over %2 trials: from %3 to %4',
          objective.MetricName,
          course.Numbers.length,
          measured(course.Best[0] ?? NaN),
          measured(course.Best[course.Best.length - 1] ?? NaN)
        )}
        trans={trans}
      />
    </>
  );
}

function BestTrial(props: ITuningViewProps): JSX.Element {
  const { progress, studio, trans } = props;
  const { BestTrial: best } = progress;
  if (!best) {
    return <p>{noObjectiveText(progress.Status, trans)}</p>;
  }
  const { NotImproving: since = 0 } = progress;
  const names = Object.keys(best.Parameters).sort();
  return (
    <>
      <p className="jp-BottegaTuning-value">
        <strong>{measured(best.Objective ?? NaN)}</strong>{' '}
        {objectiveOf(progress).MetricName}
      </p>
      <Facts
        facts={[
          [trans.__('Trial'), best.Number] as const,
          ...(best.DefinitionName
            ? [[trans.__('Definition'), best.DefinitionName] as const]
            : []),
          ...names.map(
            name =>
              [
                name,
                <span key={name} title={best.Parameters[name]}>
                  {valueText(best.Parameters[name])}
                </span>
              ] as const
          ),
          [trans.__('Trials since without a better one'), since] as const
        ]}
      />
      {!best.Deleted && (
        <Button
          onClick={() =>
            studio.open(`jobs/${encodeURIComponent(best.TrainingJobName)}`)
          }
        >
          {trans.__('Open its training job')}
        </Button>
      )}
    </>
  );
}

function Importance(props: ITuningViewProps): JSX.Element {
  const { progress, trans } = props;
  const several = progress.Objectives.length > 1;
  const known = progress.Parameters.flatMap(item =>
    item.Importance === undefined
      ? []
      : [
          {
            name: several ? `${item.DefinitionName} · ${item.Name}` : item.Name,
            share: item.Importance
          }
        ]
  ).sort((a, b) => b.share - a.share);
  return known.length === 0 ? (
    <p>
      {trans.__(
        'Too few trials have ended to say which parameter matters how much.'
      )}
    </p>
  ) : (
    <ImportanceTable
      caption={trans.__(
        'Share in what differs between the objectives of %1 trials',
        progress.Trials.Succeeded.toLocaleString()
      )}
      importances={known}
      trans={trans}
    />
  );
}
