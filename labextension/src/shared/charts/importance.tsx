import type { TranslationBundle } from '@jupyterlab/translation';

import { percent } from '../format';

/** A parameter, and its share in what differs; from 0 to 1. */
export interface IImportance {
  name: string;
  share: number;
}

/** How much each parameter matters, as bars with their numbers. */
export function ImportanceTable(props: {
  caption: string;
  importances: readonly IImportance[];
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  return (
    <table className="jp-BottegaImportance">
      <caption>{props.caption}</caption>
      <thead className="jp-Bottega-hidden">
        <tr>
          <th scope="col">{trans.__('Parameter')}</th>
          <th scope="col">{trans.__('Bar')}</th>
          <th scope="col">{trans.__('Importance')}</th>
        </tr>
      </thead>
      <tbody>
        {props.importances.map(item => (
          <tr key={item.name}>
            <th scope="row">{item.name}</th>
            <td className="jp-BottegaImportance-bar">
              <span style={{ width: `${item.share * 100}%` }} />
            </td>
            <td>{percent(item.share)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
