import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

import { completions, looksWhole } from './model/filter';

const TYPING_MS = 350;

/**
 * The filter of the runs, in MLflow's words, with the known columns as completions.
 *
 * What is typed counts a moment after the last key once it looks finished, and at Enter.
 */
export function FilterInput(props: {
  value: string;
  onChange: (value: string) => void;
  /** The columns there are. */
  columns: readonly string[];
  /** Why the present filter does not work. */
  problem: string | null;
  trans: TranslationBundle;
}): JSX.Element {
  const { value, onChange, columns, trans } = props;
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState<number | null>(null);
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const base = useId();
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value || !looksWhole(text)) {
      return;
    }
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);

  const found =
    caret === null
      ? { start: 0, options: [] }
      : completions(text, caret, columns);
  const isOpen = found.options.length > 0;

  const take = (option: string): void => {
    const next = `${text.slice(0, found.start)}${option} ${text.slice(caret ?? text.length).trimStart()}`;
    const end = found.start + option.length + 1;
    setText(next);
    setCaret(null);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(end, end);
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const count = found.options.length;
    const option = found.options[active];
    if (isOpen && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : count - 1;
      setActive((active + step) % count);
    } else if (
      isOpen &&
      option !== undefined &&
      (event.key === 'Tab' || (event.key === 'Enter' && !looksWhole(text)))
    ) {
      event.preventDefault();
      take(option);
    } else if (isOpen && event.key === 'Escape') {
      event.preventDefault();
      setCaret(null);
    } else if (event.key === 'Enter') {
      setCaret(null);
      onChange(text);
    }
  };

  return (
    <span className="jp-BottegaFilter jp-BottegaExperiment-filter">
      <input
        ref={input}
        type="search"
        role="combobox"
        className="jp-BottegaInput"
        value={text}
        placeholder={trans.__("metrics.auc > 0.8 and params.max_depth = '6'")}
        aria-label={trans.__('Filter runs')}
        aria-expanded={isOpen}
        aria-controls={isOpen ? `${base}-options` : undefined}
        aria-autocomplete="list"
        aria-activedescendant={isOpen ? `${base}-${active}` : undefined}
        aria-invalid={props.problem !== null}
        aria-describedby={props.problem ? `${base}-problem` : undefined}
        autoComplete="off"
        spellCheck={false}
        onChange={event => {
          setText(event.target.value);
          setCaret(event.target.selectionStart ?? event.target.value.length);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setCaret(null)}
      />
      {isOpen && (
        <ul
          id={`${base}-options`}
          role="listbox"
          aria-label={trans.__('Columns')}
          className="jp-BottegaExperiment-options"
        >
          {found.options.map((option, index) => (
            <li
              key={option}
              id={`${base}-${index}`}
              role="option"
              aria-selected={index === active}
              // The box keeps the focus.
              onMouseDown={event => event.preventDefault()}
              onClick={() => take(option)}
            >
              {option}
            </li>
          ))}
        </ul>
      )}
      {props.problem && !isOpen && (
        <span
          id={`${base}-problem`}
          role="alert"
          className="jp-BottegaFilter-problem"
        >
          {props.problem}
        </span>
      )}
    </span>
  );
}
