import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useRef, useState } from 'react';

import { columnLabel, kindLabel } from './columns';
import type { IColumnLayout } from './model/layout';
import { movedTo, pinToggled, toggled } from './model/layout';

/** So many hidden columns are listed; the search finds the others. */
const MOST_HIDDEN = 100;

/** The type of what is dragged: no other list's lines fit here. */
const DRAGGED = 'application/x-bottega-column';

interface IChooserProps {
  layout: IColumnLayout;
  /** The ids of all columns there are. */
  columns: readonly string[];
  onChange: (layout: IColumnLayout) => void;
  /** Go back to what is shown until something is chosen. */
  onReset: () => void;
  trans: TranslationBundle;
}

/** A button with the list of columns: what is shown, in which order, what is pinned. */
export function ColumnChooser(props: IChooserProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const node = useRef<HTMLSpanElement>(null);
  const panel = useId();
  useEffect(() => {
    if (!isOpen) {
      return;
    }
    const onPress = (event: MouseEvent): void => {
      if (!node.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('mousedown', onPress);
    return () => document.removeEventListener('mousedown', onPress);
  }, [isOpen]);
  return (
    <span
      ref={node}
      className="jp-BottegaChooser"
      onKeyDown={event => {
        if (isOpen && event.key === 'Escape') {
          event.stopPropagation();
          setOpen(false);
          node.current?.querySelector('button')?.focus();
        }
      }}
    >
      <button
        type="button"
        className="jp-BottegaButton"
        aria-expanded={isOpen}
        aria-controls={isOpen ? panel : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {props.trans.__('Columns')}
      </button>
      {isOpen && (
        <div
          id={panel}
          role="dialog"
          aria-label={props.trans.__('Columns')}
          className="jp-BottegaChooser-panel"
        >
          <Panel {...props} />
        </div>
      )}
    </span>
  );
}

function Panel(props: IChooserProps): JSX.Element {
  const { layout, columns, trans } = props;
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const matches = (id: string): boolean =>
    `${id} ${columnLabel(id, trans)}`.toLowerCase().includes(wanted);
  const hidden = columns.filter(
    id => !layout.shown.includes(id) && matches(id)
  );
  return (
    <>
      <input
        type="search"
        autoFocus
        className="jp-BottegaInput"
        value={search}
        placeholder={trans.__('Search columns')}
        aria-label={trans.__('Search columns')}
        onChange={event => setSearch(event.target.value)}
      />
      <h2>{trans.__('Shown')}</h2>
      <ol className="jp-BottegaChooser-list" aria-label={trans.__('Shown')}>
        {layout.shown.map(
          (id, index) =>
            matches(id) && (
              <ShownColumn key={id} id={id} index={index} {...props} />
            )
        )}
      </ol>
      <h2>{trans.__('Hidden')}</h2>
      <ul className="jp-BottegaChooser-list" aria-label={trans.__('Hidden')}>
        {hidden.slice(0, MOST_HIDDEN).map(id => (
          <li key={id} className="jp-BottegaChooser-line">
            <ShowBox id={id} isShown={false} {...props} />
          </li>
        ))}
        {hidden.length === 0 && (
          <li className="jp-BottegaChooser-note">
            {wanted ? trans.__('No column matches.') : trans.__('None.')}
          </li>
        )}
      </ul>
      {hidden.length > MOST_HIDDEN && (
        <p className="jp-BottegaChooser-note">
          {trans.__('%1 more: search for them.', hidden.length - MOST_HIDDEN)}
        </p>
      )}
      <button
        type="button"
        className="jp-BottegaButton jp-mod-small"
        onClick={props.onReset}
      >
        {trans.__('Back to the usual columns')}
      </button>
    </>
  );
}

/** The box that shows or hides a column. */
function ShowBox(
  props: IChooserProps & { id: string; isShown: boolean }
): JSX.Element {
  const { id, trans } = props;
  return (
    <label className="jp-BottegaChooser-name" title={id}>
      <input
        type="checkbox"
        checked={props.isShown}
        disabled={props.isShown && props.layout.shown.length === 1}
        onChange={() => props.onChange(toggled(props.layout, id))}
      />
      <span>{columnLabel(id, trans)}</span>
      <small>{kindLabel(id, trans)}</small>
    </label>
  );
}

/** A line that is dragged to its place, or moved there by its buttons. */
function ShownColumn(
  props: IChooserProps & { id: string; index: number }
): JSX.Element {
  const { id, index, layout, onChange, trans } = props;
  const [isTarget, setTarget] = useState(false);
  const isPinned = index < layout.pinned;
  const label = columnLabel(id, trans);
  return (
    <li
      className={`jp-BottegaChooser-line${isTarget ? ' jp-mod-target' : ''}`}
      data-column={id}
      draggable
      onDragStart={event => {
        event.dataTransfer.setData(DRAGGED, id);
        event.dataTransfer.effectAllowed = 'move';
      }}
      onDragOver={event => {
        if (event.dataTransfer.types.includes(DRAGGED)) {
          event.preventDefault();
          setTarget(true);
        }
      }}
      onDragLeave={() => setTarget(false)}
      onDrop={event => {
        event.preventDefault();
        setTarget(false);
        onChange(movedTo(layout, event.dataTransfer.getData(DRAGGED), index));
      }}
    >
      <span aria-hidden="true" className="jp-BottegaChooser-grip">
        ⠿
      </span>
      <ShowBox {...props} isShown />
      <button
        type="button"
        className="jp-BottegaChooser-act"
        aria-label={trans.__('Move %1 up', label)}
        disabled={index === 0}
        onClick={() => onChange(movedTo(layout, id, index - 1))}
      >
        ↑
      </button>
      <button
        type="button"
        className="jp-BottegaChooser-act"
        aria-label={trans.__('Move %1 down', label)}
        disabled={index === layout.shown.length - 1}
        onClick={() => onChange(movedTo(layout, id, index + 1))}
      >
        ↓
      </button>
      <button
        type="button"
        className="jp-BottegaChooser-act"
        aria-label={trans.__('Pin %1', label)}
        title={
          isPinned
            ? trans.__('Let the column scroll')
            : trans.__('Keep the column in sight')
        }
        aria-pressed={isPinned}
        onClick={() => onChange(pinToggled(layout, id))}
      >
        {isPinned ? '◆' : '◇'}
      </button>
    </li>
  );
}
