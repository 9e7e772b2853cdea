import { ImportanceTable } from '../../../shared/charts/importance';
import { Empty, Loadable } from '../../../shared/components/states';
import { useLive } from '../../../shared/hooks/useLive';
import { Choice } from '../choice';
import { followRuns } from '../model/runs';
import type { IComparisonProps } from './comparison';

/** How much each parameter explains of a metric, over all runs that match the filter. */
export function Importance(props: IComparisonProps): JSX.Element {
  const { client, columns, frame, objective, parameters, query, trans } = props;
  const metric = parameters['explained'] || objective.metric;
  const filter = query.filter.trim();
  const live = useLive(
    props,
    async signal =>
      metric
        ? await client.call(
            'bottega:GetParameterImportance',
            {
              ExperimentIds: [query.experiment],
              ...(filter ? { Filter: filter } : {}),
              Metric: metric
            },
            signal
          )
        : null,
    [query.experiment, filter, metric],
    followRuns(query.experiment)
  );
  return (
    <>
      <div className="jp-BottegaComparison-controls">
        <Choice
          label={trans.__('Metric')}
          value={metric}
          options={columns.Metrics.map(name => [name, name] as const)}
          onChange={explained => frame.setParameters({ explained })}
        />
      </div>
      <Loadable
        live={live}
        trans={trans}
        rows={6}
        what={trans.__('The importance of the parameters cannot be computed.')}
      >
        {answer =>
          !answer || answer.Importances.length === 0 ? (
            <Empty
              sentence={trans.__(
                'No parameter explains anything: the runs that match have too few different values.'
              )}
            />
          ) : (
            <>
              <ImportanceTable
                caption={trans._n(
                  'Over one run that matches the filter',
                  'Over the %2 runs that match the filter',
                  answer.Runs,
                  answer.Runs.toLocaleString()
                )}
                importances={answer.Importances.map(item => ({
                  name: item.Param,
                  share: item.Importance
                }))}
                trans={trans}
              />
              <p className="jp-BottegaComparison-note">{answer.Method}</p>
            </>
          )
        }
      </Loadable>
    </>
  );
}
