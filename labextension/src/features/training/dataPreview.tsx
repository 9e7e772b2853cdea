import type { TranslationBundle } from '@jupyterlab/translation';

import { bytes } from '../../shared/format';
import type { Preview } from './findings';

const SHOWN_ROWS = 6;
const SHOWN_COLUMNS = 60;

/** A preview that there is something to show of. */
type Shown = Extract<Preview, { state: 'ready' | 'folder' }>;

/**
 * The first rows of the data; a click on a heading makes its column the label.
 *
 * Of what has no rows it says how much there is.
 */
export function DataPreview(props: {
  preview: Shown;
  /** The label column. */
  target: string | null;
  /** Absent where no label can be chosen. */
  onTarget?: ((column: string) => void) | undefined;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { preview, target, onTarget, trans } = props;
  const facts = factsOf(preview, trans).join(' · ');
  if (preview.state === 'folder' || preview.data.Columns.length === 0) {
    return <p className="jp-BottegaTraining-hint">{facts}</p>;
  }
  const { data } = preview;
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

/** What the data is, and how much of it there is. */
function factsOf(preview: Shown, trans: TranslationBundle): string[] {
  if (preview.state === 'folder') {
    const { files, folders, bytes: size } = preview.folder;
    return [
      trans.__('folder'),
      ...(folders > 0
        ? [trans._n('%1 folder in it', '%1 folders in it', folders)]
        : []),
      ...(files > 0
        ? [trans._n('%1 file', '%1 files', files), bytes(size)]
        : [])
    ];
  }
  const { data } = preview;
  const columns = data.Columns.length;
  return [
    ...(columns > 0
      ? [data.Format, trans._n('%1 column', '%1 columns', columns)]
      : []),
    ...(data.Objects > 1 || columns === 0
      ? [trans._n('%1 object', '%1 objects', data.Objects)]
      : []),
    bytes(data.TotalBytes)
  ];
}
