import { useId } from 'react';

/** A number of a dialog's form; what is not within its bounds keeps the dialog from being accepted. */
export function NumberField(props: {
  label: string;
  least: number;
  most?: number;
  /** `any` where it need not be whole. */
  step?: number | 'any';
  value: number;
  onChange: (value: number) => void;
}): JSX.Element {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        className="jp-BottegaInput"
        type="number"
        required
        min={props.least}
        max={props.most}
        step={props.step ?? 1}
        value={Number.isNaN(props.value) ? '' : props.value}
        onChange={event => props.onChange(event.target.valueAsNumber)}
      />
    </>
  );
}
