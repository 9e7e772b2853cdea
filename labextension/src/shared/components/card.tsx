import type { ReactNode } from 'react';

/** A titled part of a screen, in a grid of them. */
export function Card(props: {
  title: string;
  /** Whether it takes the whole width of the grid. */
  isWide?: boolean;
  children: ReactNode;
}): JSX.Element {
  return (
    <section
      className={`jp-BottegaCard${props.isWide ? ' jp-mod-wide' : ''}`}
      aria-label={props.title}
    >
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}
