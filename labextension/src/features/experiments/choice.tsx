/** A choice of one among some, with its label in front. */
export function Choice(props: {
  label: string;
  /** The options say enough: the label is for screen readers alone. */
  isPlain?: boolean;
  value: string;
  /** Value and text of each. */
  options: ReadonlyArray<readonly [string, string]>;
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <label className="jp-BottegaExperiment-choice">
      {!props.isPlain && <span>{props.label}</span>}
      <select
        className="jp-BottegaInput"
        value={props.value}
        aria-label={props.isPlain ? props.label : undefined}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
