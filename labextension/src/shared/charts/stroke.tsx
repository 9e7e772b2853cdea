/** A piece of a curve's line, beside its name in a legend. */
export function Stroke(props: {
  /** That of texts when absent. */
  colour?: string;
  isDashed?: boolean;
}): JSX.Element {
  return (
    <span
      aria-hidden="true"
      className={`jp-BottegaChart-stroke${props.isDashed ? ' jp-mod-dashed' : ''}`}
      style={{ borderTopColor: props.colour }}
    />
  );
}
