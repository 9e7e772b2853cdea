import type { TranslationBundle } from '@jupyterlab/translation';

/** A column that can be an axis. */
export interface IAxisChoice {
  id: string;
  label: string;
  /** What kind of column it is, in a word; may be empty. */
  note: string;
}

/** Chooses the axes of parallel coordinates. */
export function AxesMenu(props: {
  all: readonly IAxisChoice[];
  chosen: readonly string[];
  /** So many stay at least. */
  least: number;
  onToggle: (id: string) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { chosen, least, trans } = props;
  return (
    <details className="jp-BottegaAxes">
      <summary className="jp-BottegaButton">
        {trans.__('Axes: %1', chosen.length)}
      </summary>
      <ul className="jp-BottegaAxes-list">
        {props.all.map(({ id, label, note }) => (
          <li key={id}>
            <label className="jp-BottegaChooser-name">
              <input
                type="checkbox"
                checked={chosen.includes(id)}
                disabled={chosen.includes(id) && chosen.length <= least}
                onChange={() => props.onToggle(id)}
              />
              <span>{label}</span>
              {note && <small>{note}</small>}
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
