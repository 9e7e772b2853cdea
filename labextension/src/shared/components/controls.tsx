import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactNode } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

const COPIED_MS = 1500;
const TYPING_MS = 250;

/** A button of a screen. */
export function Button(props: {
  children: ReactNode;
  onClick: () => void;
  kind?: 'primary' | 'danger' | 'plain';
  disabled?: boolean;
  /** Why it does what it does, or why it cannot. */
  title?: string;
  label?: string;
}): JSX.Element {
  const kind =
    props.kind && props.kind !== 'plain' ? ` jp-mod-${props.kind}` : '';
  return (
    <button
      type="button"
      className={`jp-BottegaButton${kind}`}
      disabled={props.disabled ?? false}
      title={props.title}
      aria-label={props.label}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** Puts a text on the clipboard and says so. */
export function CopyButton(props: {
  text: () => string;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    await putOnClipboard(props.text());
    setCopied(true);
  };
  return (
    <button
      type="button"
      className="jp-BottegaButton"
      onClick={() => void copy()}
    >
      <span aria-live="polite">
        {copied ? props.trans.__('Copied') : props.label}
      </span>
    </button>
  );
}

async function putOnClipboard(text: string): Promise<void> {
  // Browsers have it only for pages that came over TLS, or from the machine itself.
  if ('clipboard' in navigator) {
    await navigator.clipboard.writeText(text);
  } else {
    Clipboard.copyToSystem(text);
  }
}

/** One tab of {@link Tabs}. */
export interface ITab {
  id: string;
  label: string;
  /** A number or sign behind the label. */
  badge?: string;
  render: () => ReactNode;
}

/** Tabs as WAI-ARIA has them: arrows move, only the chosen panel is there. */
export function Tabs(props: {
  tabs: readonly ITab[];
  chosen: string;
  onChoose: (id: string) => void;
  label: string;
  /** Controls at the end of the bar. */
  aside?: ReactNode;
}): JSX.Element {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const { tabs } = props;
  const chosen = tabs.find(tab => tab.id === props.chosen) ?? tabs[0];
  if (!chosen) {
    return <></>;
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const present = tabs.indexOf(chosen);
    const next = {
      ArrowRight: (present + 1) % tabs.length,
      ArrowLeft: (present + tabs.length - 1) % tabs.length,
      Home: 0,
      End: tabs.length - 1
    }[event.key];
    const tab = next === undefined ? undefined : tabs[next];
    if (tab && next !== undefined) {
      event.preventDefault();
      props.onChoose(tab.id);
      list.current
        ?.querySelectorAll<HTMLElement>('[role="tab"]')
        [next]?.focus();
    }
  };
  return (
    <>
      <div className="jp-BottegaTabs">
        <div
          role="tablist"
          aria-label={props.label}
          className="jp-BottegaTabs-list"
          ref={list}
          onKeyDown={onKeyDown}
        >
          {tabs.map(tab => (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`${base}-tab-${tab.id}`}
              aria-selected={tab === chosen}
              aria-controls={`${base}-panel`}
              tabIndex={tab === chosen ? 0 : -1}
              className="jp-BottegaTabs-tab"
              data-tab={tab.id}
              onClick={() => props.onChoose(tab.id)}
            >
              {tab.label}
              {tab.badge && (
                <span className="jp-BottegaTabs-badge">{tab.badge}</span>
              )}
            </button>
          ))}
        </div>
        {props.aside && (
          <div className="jp-BottegaTabs-aside">{props.aside}</div>
        )}
      </div>
      <div
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={`${base}-tab-${chosen.id}`}
        className="jp-BottegaTabs-panel"
        tabIndex={0}
      >
        {chosen.render()}
      </div>
    </>
  );
}

/** A box to filter by; what is typed counts a moment after the last key. */
export function FilterBox(props: {
  value: string;
  onChange: (value: string) => void;
  placeholder: string;
  label: string;
  /** Why the present filter does not work. */
  problem?: string | null;
}): JSX.Element {
  const { value, onChange } = props;
  const [text, setText] = useState(value);
  const problem = useId();
  const told = useRef(value);
  useEffect(() => {
    // One's own words, come back, must not take away what was typed since, be it a blank.
    if (value.trim() !== told.current.trim()) {
      told.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === value) {
      return;
    }
    const timer = setTimeout(() => {
      told.current = text;
      onChange(text);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <span className="jp-BottegaFilter">
      <input
        type="search"
        className="jp-BottegaInput"
        value={text}
        placeholder={props.placeholder}
        aria-label={props.label}
        aria-invalid={Boolean(props.problem)}
        aria-describedby={props.problem ? problem : undefined}
        spellCheck={false}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            told.current = text;
            onChange(text);
          }
        }}
      />
      {props.problem && (
        <span id={problem} role="alert" className="jp-BottegaFilter-problem">
          {props.problem}
        </span>
      )}
    </span>
  );
}

/** Names and values, as a definition list. */
export function Facts(props: {
  facts: ReadonlyArray<readonly [string, ReactNode]>;
}): JSX.Element {
  return (
    <dl className="jp-BottegaFacts">
      {props.facts.map(([name, value]) => (
        <div key={name} className="jp-BottegaFacts-row">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Source code that can be copied. */
export function Code(props: {
  code: string;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  return (
    <div className="jp-BottegaCode">
      <pre tabIndex={0} aria-label={props.label}>
        {props.code}
      </pre>
      <CopyButton
        text={() => props.code}
        label={props.trans.__('Copy')}
        trans={props.trans}
      />
    </div>
  );
}

/** A course of values as small as a word. */
export function Sparkline(props: {
  values: readonly number[];
  label: string;
  kind?: string;
}): JSX.Element {
  const values = props.values.filter(Number.isFinite);
  if (values.length < 2) {
    return <></>;
  }
  const low = Math.min(...values);
  const high = Math.max(...values);
  const points = values
    .map((value, index) => {
      const x = (index / (values.length - 1)) * 70 + 1;
      const y = high === low ? 10 : 18 - ((value - low) / (high - low)) * 16;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
  return (
    <svg
      className={`jp-BottegaSparkline jp-mod-${props.kind ?? 'ended'}`}
      viewBox="0 0 72 20"
      role="img"
      aria-label={props.label}
    >
      <polyline points={points} />
    </svg>
  );
}
