import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useRef, useState } from 'react';

/** A button with a list of what can be shown; Escape, or a click elsewhere, closes it. */
export function ColumnsMenu(props: {
  columns: ReadonlyArray<{ id: string; label: string; shown: boolean }>;
  onToggle: (id: string) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const node = useRef<HTMLDivElement>(null);
  const list = useId();
  const { trans } = props;
  useEffect(() => {
    if (!open) {
      return;
    }
    const onPointer = (event: Event): void => {
      if (!node.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);
  return (
    <div
      className="jp-BottegaMenu"
      ref={node}
      onKeyDown={event => {
        if (event.key === 'Escape' && open) {
          event.stopPropagation();
          setOpen(false);
          node.current?.querySelector('button')?.focus();
        }
      }}
    >
      <button
        type="button"
        className="jp-BottegaButton"
        aria-expanded={open}
        aria-controls={open ? list : undefined}
        onClick={() => setOpen(!open)}
      >
        {trans.__('Columns')}
      </button>
      {open && (
        <fieldset id={list} className="jp-BottegaMenu-list">
          <legend>{trans.__('Columns that are shown')}</legend>
          {props.columns.map(column => (
            <label key={column.id}>
              <input
                type="checkbox"
                checked={column.shown}
                onChange={() => props.onToggle(column.id)}
              />
              {column.label}
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}
