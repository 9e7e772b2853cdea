import { useState } from 'react';

import { Empty, Loadable } from '../../../shared/components/states';
import { measured, percent } from '../../../shared/format';
import { useLive } from '../../../shared/hooks/useLive';
import { Choice } from '../choice';
import { Link } from '../link';
import type { IRunGroup } from '../model/groups';
import { groupRuns } from '../model/groups';
import { followRuns } from '../model/runs';
import type { IComparisonProps } from './comparison';

const GROUPS_AT_ONCE = 20;

/** The order of people, 3 before 10; the runs without the parameter last. */
function inOrder(groups: readonly IRunGroup[]): IRunGroup[] {
  return [...groups].sort(
    (a, b) =>
      Number(a.value === null) - Number(b.value === null) ||
      (a.value ?? '').localeCompare(b.value ?? '', undefined, { numeric: true })
  );
}

/** The runs that match the filter, by the values of a parameter: how many, and the best of each. */
export function Groups(props: IComparisonProps): JSX.Element {
  const { client, columns, frame, objective, query, studio, trans } = props;
  const param = props.parameters['group'] || (columns.Params[0] ?? '');
  const { metric, direction } = objective;
  const [most, setMost] = useState(GROUPS_AT_ONCE);
  const live = useLive(
    props,
    async signal =>
      param
        ? await groupRuns(
            client,
            {
              experiment: query.experiment,
              filter: query.filter,
              param,
              metric,
              direction
            },
            most,
            signal
          )
        : null,
    [query.experiment, query.filter, param, metric, direction, most],
    followRuns(query.experiment)
  );
  if (!param || !metric) {
    return (
      <Empty
        sentence={trans.__(
          'Groups need a parameter and a metric, which the runs of this experiment do not have.'
        )}
      />
    );
  }
  return (
    <>
      <div className="jp-BottegaComparison-controls">
        <Choice
          label={trans.__('Group by')}
          value={param}
          options={columns.Params.map(name => [name, name] as const)}
          onChange={group => frame.setParameters({ group })}
        />
        <p className="jp-BottegaComparison-note">
          {trans.__('Over all runs that match the filter.')}
        </p>
      </div>
      <Loadable
        live={live}
        trans={trans}
        rows={6}
        what={trans.__('The runs cannot be grouped.')}
      >
        {found =>
          !found || found.groups.length === 0 ? (
            <Empty sentence={trans.__('No run matches the filter.')} />
          ) : (
            <>
              <table className="jp-BottegaExperiment-figures">
                <thead>
                  <tr>
                    <th scope="col">{param}</th>
                    <th scope="col" className="jp-mod-end">
                      {trans.__('Runs')}
                    </th>
                    <th scope="col" className="jp-mod-end">
                      {trans.__('Best %1', metric)}
                    </th>
                    <th scope="col">{trans.__('Best run')}</th>
                    <th scope="col">{trans.__('Show')}</th>
                  </tr>
                </thead>
                <tbody>
                  {inOrder(found.groups).map(group => (
                    <tr key={group.filter}>
                      <th scope="row">
                        {group.value ?? <em>{trans.__('not set')}</em>}
                      </th>
                      <td
                        className="jp-mod-end"
                        title={percent(group.runs / found.total)}
                      >
                        {group.runs.toLocaleString()}
                      </td>
                      <td className="jp-mod-end">
                        {group.best
                          ? measured(Number(group.best.Metrics[metric]))
                          : ''}
                      </td>
                      <td>
                        {group.best && (
                          <Link
                            path={`runs/${group.best.RunId}`}
                            open={path => studio.open(path)}
                          >
                            {group.best.RunName}
                          </Link>
                        )}
                      </td>
                      <td>
                        <button
                          type="button"
                          className="jp-BottegaButton jp-mod-small"
                          title={group.filter}
                          aria-label={trans.__(
                            'Show only the runs with %1',
                            `${param} ${group.value ?? trans.__('not set')}`
                          )}
                          onClick={() => props.onFilter(group.filter)}
                        >
                          {trans.__('Only these')}
                        </button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {found.covered < found.total && (
                <p className="jp-BottegaComparison-note">
                  {trans._n(
                    'One run has another value.',
                    '%2 runs have other values.',
                    found.total - found.covered,
                    (found.total - found.covered).toLocaleString()
                  )}{' '}
                  <button
                    type="button"
                    className="jp-BottegaButton jp-mod-small"
                    onClick={() => setMost(most + GROUPS_AT_ONCE)}
                  >
                    {trans.__('More groups')}
                  </button>
                </p>
              )}
            </>
          )
        }
      </Loadable>
    </>
  );
}
