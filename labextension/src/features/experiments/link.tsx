import type { ReactNode } from 'react';

/** A way to another screen. */
export function Link(props: {
  path: string;
  open: (path: string) => void;
  children: ReactNode;
}): JSX.Element {
  return (
    <a
      className="jp-BottegaExperiment-link"
      href={`?bottega=${props.path}`}
      onClick={event => {
        // The row below opens something else; with a modifier the browser opens its own tab.
        event.stopPropagation();
        if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
          event.preventDefault();
          props.open(props.path);
        }
      }}
      onKeyDown={event => event.stopPropagation()}
    >
      {props.children}
    </a>
  );
}
