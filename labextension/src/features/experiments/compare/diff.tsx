import type { TranslationBundle } from '@jupyterlab/translation';

import { Empty, Loadable } from '../../../shared/components/states';
import { useLive } from '../../../shared/hooks/useLive';
import { Choice } from '../choice';
import { Link } from '../link';
import type { IDiffSection } from '../model/diff';
import { diffRuns } from '../model/diff';
import { followRuns } from '../model/runs';
import type { IComparedProps } from './comparison';

/** Two runs side by side. */
export function Diff(props: IComparedProps): JSX.Element {
  const { chosen, frame, parameters, runs, trans } = props;
  const known = (id: string | undefined): string | undefined =>
    runs.some(run => run.RunId === id) ? id : undefined;
  if (chosen.length < 2 || runs.length < 2) {
    return (
      <Empty
        sentence={trans.__(
          'Choose two runs in the grid to see how they differ.'
        )}
      />
    );
  }
  const left = known(parameters['left']) ?? runs[0]?.RunId ?? '';
  const right =
    known(parameters['right']) ??
    runs.find(run => run.RunId !== left)?.RunId ??
    '';
  const options = runs.map(run => [run.RunId, run.RunName] as const);
  const isWhole = parameters['same'] === 'shown';
  return (
    <>
      <div className="jp-BottegaComparison-controls">
        <Choice
          label={trans.__('Left')}
          value={left}
          options={options}
          onChange={id => frame.setParameters({ left: id })}
        />
        <Choice
          label={trans.__('Right')}
          value={right}
          options={options}
          onChange={id => frame.setParameters({ right: id })}
        />
        <label className="jp-BottegaExperiment-choice">
          <input
            type="checkbox"
            checked={isWhole}
            onChange={event =>
              frame.setParameters({ same: event.target.checked ? 'shown' : '' })
            }
          />
          <span>{trans.__('Show what is the same too')}</span>
        </label>
      </div>
      <Sides {...props} left={left} right={right} isWhole={isWhole} />
    </>
  );
}

function Sides(
  props: IComparedProps & { left: string; right: string; isWhole: boolean }
): JSX.Element {
  const { client, isWhole, left, query, right, studio, trans } = props;
  const live = useLive(
    props,
    signal =>
      Promise.all(
        [left, right].map(id =>
          client.call('bottega:DescribeRun', { RunId: id }, signal)
        )
      ),
    [left, right],
    followRuns(query.experiment)
  );
  const open = (path: string): void => studio.open(path);
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={8}
      what={trans.__('The runs cannot be read.')}
    >
      {([first, second]) => {
        if (!first || !second) {
          return <></>;
        }
        const sections = diffRuns(first, second);
        return (
          <table className="jp-BottegaExperiment-figures jp-BottegaDiff">
            <thead>
              <tr>
                <td />
                {[first, second].map(({ Run }, index) => (
                  <th scope="col" key={index}>
                    <Link path={`runs/${Run.RunId}`} open={open}>
                      {Run.RunName}
                    </Link>
                  </th>
                ))}
              </tr>
            </thead>
            {sections.map(section => (
              <Section
                key={section.id}
                section={section}
                isWhole={isWhole}
                trans={trans}
              />
            ))}
          </table>
        );
      }}
    </Loadable>
  );
}

function Section(props: {
  section: IDiffSection;
  isWhole: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { section, isWhole, trans } = props;
  const rows = section.rows.filter(row => isWhole || row.differs);
  const title = {
    parameters: trans.__('Parameters'),
    metrics: trans.__('Metrics'),
    code: trans.__('Code'),
    data: trans.__('Data'),
    environment: trans.__('Environment')
  }[section.id];
  return (
    <tbody data-section={section.id}>
      <tr>
        <th scope="rowgroup" colSpan={3} className="jp-BottegaDiff-title">
          {title}
        </th>
      </tr>
      {rows.map(row => (
        <tr key={row.name} data-differs={row.differs}>
          <th scope="row">{row.name}</th>
          <td>{row.left || <em>{trans.__('none')}</em>}</td>
          <td>{row.right || <em>{trans.__('none')}</em>}</td>
        </tr>
      ))}
      {rows.length === 0 && (
        <tr>
          <td colSpan={3} className="jp-BottegaDiff-note">
            {section.rows.length === 0
              ? trans.__('Nothing was logged.')
              : trans.__('No difference.')}
          </td>
        </tr>
      )}
    </tbody>
  );
}
