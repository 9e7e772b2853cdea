import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

/** One act of a menu. */
export interface IMenuItem {
  id: string;
  label: string;
  run: () => void;
  disabled?: boolean;
}

/** The acts of a step: arrows move, Escape or a click elsewhere closes. */
export function StepMenu(props: {
  items: readonly IMenuItem[];
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const node = useRef<HTMLDivElement>(null);
  const list = useId();
  useEffect(() => {
    if (!open) {
      return;
    }
    node.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
    const onPointer = (event: Event): void => {
      if (!node.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);
  const close = (): void => {
    setOpen(false);
    node.current?.querySelector('button')?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) {
      return;
    }
    // The list of steps has keys of its own.
    event.stopPropagation();
    const items = [
      ...(node.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ??
        [])
    ];
    const present = items.indexOf(document.activeElement as HTMLElement);
    const next = {
      ArrowDown: (present + 1) % items.length,
      ArrowUp: (present + items.length - 1) % items.length,
      Home: 0,
      End: items.length - 1
    }[event.key];
    if (event.key === 'Escape') {
      event.preventDefault();
      close();
    } else if (event.key === 'Tab') {
      setOpen(false);
    } else if (next !== undefined) {
      event.preventDefault();
      items[next]?.focus();
    }
  };
  return (
    <div className="jp-BottegaSteps-menu" ref={node} onKeyDown={onKeyDown}>
      <button
        type="button"
        className="jp-BottegaSteps-more"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? list : undefined}
        aria-label={props.label}
        title={props.trans.__('More')}
        onClick={() => setOpen(!open)}
      >
        <span aria-hidden="true">⋮</span>
      </button>
      {open && (
        <div
          id={list}
          role="menu"
          aria-label={props.label}
          className="jp-BottegaSteps-acts"
        >
          {props.items.map(item => (
            <button
              key={item.id}
              type="button"
              role="menuitem"
              tabIndex={-1}
              data-act={item.id}
              aria-disabled={item.disabled ?? false}
              onClick={() => {
                if (!item.disabled) {
                  close();
                  item.run();
                }
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
