import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactNode } from 'react';
import { useEffect, useId, useRef } from 'react';

import { Button } from '../../../shared/components/controls';

const FOCUSABLE =
  'button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea, [contenteditable="true"], [tabindex="0"]';

/** A dialog over the screen that it belongs to; it keeps the focus until it is closed. */
export function Modal(props: {
  title: string;
  trans: TranslationBundle;
  /** The button that does it. */
  accept: { label: string; run: () => void; disabled: boolean };
  onClose: () => void;
  /** Said beside the buttons. */
  status?: ReactNode;
  children: ReactNode;
}): JSX.Element {
  const { trans, accept, onClose } = props;
  const title = useId();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    (
      box.current?.querySelector<HTMLElement>('[data-autofocus]') ?? box.current
    )?.focus();
    return () => {
      if (before instanceof HTMLElement) {
        before.focus();
      }
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && !event.defaultPrevented) {
      event.stopPropagation();
      onClose();
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!accept.disabled) {
        accept.run();
      }
    } else if (event.key === 'Tab' && box.current) {
      const stops = [...box.current.querySelectorAll<HTMLElement>(FOCUSABLE)];
      const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
      const other = event.shiftKey ? stops[stops.length - 1] : stops[0];
      if (document.activeElement === edge) {
        event.preventDefault();
        other?.focus();
      }
    }
  };
  return (
    <div className="jp-BottegaModal">
      <div
        ref={box}
        role="dialog"
        aria-modal="true"
        aria-labelledby={title}
        tabIndex={-1}
        className="jp-BottegaModal-box"
        onKeyDown={onKeyDown}
      >
        <h2 id={title}>{props.title}</h2>
        <div className="jp-BottegaModal-content">{props.children}</div>
        <div className="jp-BottegaModal-actions">
          <div role="status" className="jp-BottegaModal-status">
            {props.status}
          </div>
          <Button onClick={onClose}>{trans.__('Cancel')}</Button>
          <Button
            kind="primary"
            disabled={accept.disabled}
            onClick={accept.run}
          >
            {accept.label}
          </Button>
        </div>
      </div>
    </div>
  );
}
