import type { IRunOverview } from '../../api/types/experiments';
import type { Live } from '../../shared/hooks/useLive';
import { useLive } from '../../shared/hooks/useLive';
import { Button } from '../../shared/components/controls';
import { measured } from '../../shared/format';
import type { IScreenProps } from '../../tokens';
import { deployRun, registerRun } from './acts';
import { Link } from './link';
import { Choice } from './choice';
import type { Direction } from './model/objective';
import type { IRunQuery } from './model/runs';
import { followRuns, searchRequest } from './model/runs';

/** What runs are judged by. */
export interface IObjective {
  metric: string;
  direction: Direction;
}

/**
 * The best of the runs that match the filter; null when none has the metric.
 *
 * @param isWanted false while something else is more urgent.
 */
export function useBestRun(
  props: Pick<IScreenProps, 'client' | 'frame'>,
  query: Pick<IRunQuery, 'experiment' | 'filter'>,
  objective: IObjective,
  isWanted: boolean
): Live<IRunOverview | null> {
  const { experiment, filter } = query;
  const { metric, direction } = objective;
  return useLive(
    props,
    async signal => {
      if (!isWanted) {
        // Unknown until it is wanted; then it is asked anew.
        return new Promise<null>(() => undefined);
      }
      if (!metric) {
        return null;
      }
      const answer = await props.client.call(
        'bottega:SearchRuns',
        {
          ...searchRequest({
            experiment,
            filter,
            sortBy: `metrics.${metric}`,
            descending: direction === 'higher'
          }),
          MaxResults: 1,
          Metrics: [metric],
          Params: []
        },
        signal
      );
      const [run] = answer.Runs;
      // Runs without the metric come last, and before them those with NaN: as the first, so all.
      return run && !Number.isNaN(Number(run.Metrics[metric])) ? run : null;
    },
    [experiment, filter, metric, direction, isWanted],
    followRuns(experiment)
  );
}

/** The best run with what it is judged by, and the way on: register, deploy. */
export function BestRun(
  props: IScreenProps & {
    best: Live<IRunOverview | null>;
    objective: IObjective;
    metrics: readonly string[];
    /** The filter is refused, which is said where it stands. */
    isFilterWrong: boolean;
    /** What a model of this experiment may be called. */
    modelName: string;
    onObjective: (change: Partial<IObjective>) => void;
  }
): JSX.Element {
  const { best, objective, metrics, studio, trans, onObjective } = props;
  const run = best.state === 'ready' ? best.value : null;
  if (!objective.metric) {
    return <></>;
  }
  return (
    <div
      className="jp-BottegaBest"
      role="group"
      aria-label={trans.__('Best run')}
      data-state={best.state}
    >
      <Choice
        label={trans.__('Best by')}
        value={objective.metric}
        options={metrics.map(name => [name, name] as const)}
        onChange={metric => onObjective({ metric })}
      />
      <Choice
        label={trans.__('Better is')}
        isPlain
        value={objective.direction}
        options={[
          ['higher', `↑ ${trans.__('higher')}`],
          ['lower', `↓ ${trans.__('lower')}`]
        ]}
        onChange={direction =>
          onObjective({ direction: direction as Direction })
        }
      />
      {run && (
        <>
          <span className="jp-BottegaBest-run">
            <span aria-hidden="true">★</span>{' '}
            <Link path={`runs/${run.RunId}`} open={path => studio.open(path)}>
              {run.RunName}
            </Link>{' '}
            <strong>{measured(Number(run.Metrics[objective.metric]))}</strong>
          </span>
          <Button onClick={() => void registerRun(props, run, props.modelName)}>
            {trans.__('Register…')}
          </Button>
          <Button kind="primary" onClick={() => void deployRun(props, run)}>
            {trans.__('Deploy…')}
          </Button>
        </>
      )}
      {best.state === 'ready' && !run && (
        <span className="jp-BottegaBest-none">
          {trans.__('No run of these has it.')}
        </span>
      )}
      {best.state === 'error' && !props.isFilterWrong && (
        <span className="jp-BottegaBest-none">{best.error.message}</span>
      )}
    </div>
  );
}
