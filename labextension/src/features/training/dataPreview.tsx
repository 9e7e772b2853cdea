import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPreviewDataResponse } from '../../api/types/training';
import { bytes } from '../../shared/format';

const SHOWN_ROWS = 6;
const SHOWN_COLUMNS = 60;

/** The first rows of the data; a click on a heading makes its column the label. */
export function DataPreview(props: {
  data: IPreviewDataResponse;
  /** The label column. */
  target: string | null;
  /** Absent where no label can be chosen. */
  onTarget?: ((column: string) => void) | undefined;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { data, target, onTarget, trans } = props;
  const facts = [
    data.Format,
    trans._n('%1 column', '%1 columns', data.Columns.length),
    ...(data.Objects > 1
      ? [trans._n('%1 object', '%1 objects', data.Objects)]
      : []),
    bytes(data.TotalBytes)
  ].join(' · ');
  if (data.Columns.length === 0) {
    return <p className="jp-BottegaTraining-hint">{facts}</p>;
  }
  const columns = data.Columns.slice(0, SHOWN_COLUMNS);
  const hidden = data.Columns.length - columns.length;
  return (
    <figure className="jp-BottegaTraining-preview">
      <div
        role="region"
        aria-label={props.label}
        tabIndex={0}
        className="jp-BottegaTraining-rows"
      >
        <table>
          <thead>
            <tr>
              {columns.map(column => (
                <th
                  key={column.Name}
                  scope="col"
                  className={column.Name === target ? 'jp-mod-target' : ''}
                >
                  {onTarget ? (
                    <button
                      type="button"
                      aria-pressed={column.Name === target}
                      title={trans.__('Predict %1', column.Name)}
                      onClick={() => onTarget(column.Name)}
                    >
                      {column.Name}
                    </button>
                  ) : (
                    <span>{column.Name}</span>
                  )}
                  <small>
                    {column.Name === target
                      ? trans.__('%1 · label', column.Type)
                      : column.Type}
                    {column.Missing
                      ? ` · ${trans.__('%1 missing', column.Missing)}`
                      : ''}
                  </small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.Rows.slice(0, SHOWN_ROWS).map((row, index) => (
              <tr key={index}>
                {columns.map((column, at) => (
                  <td
                    key={column.Name}
                    className={column.Name === target ? 'jp-mod-target' : ''}
                  >
                    {row[at]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <figcaption className="jp-BottegaTraining-hint">
        {facts}
        {hidden > 0 &&
          ` · ${trans.__('the first %1 columns are shown', columns.length)}`}
      </figcaption>
    </figure>
  );
}
