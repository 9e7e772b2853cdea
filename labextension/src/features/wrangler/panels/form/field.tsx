import type { ReactNode } from 'react';
import { useId } from 'react';

/** What ties an input to its field. */
export interface IFieldAttributes {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
  'aria-required': boolean;
}

/** A field with its label, the sentence under it, and what is wrong with its value. */
export function FormField(props: {
  /** The parameter's name, by which a refusal is led to it. */
  name: string;
  label: string;
  sentence?: ReactNode;
  required?: boolean;
  problem?: string | null | undefined;
  /** Several inputs that the label names together. */
  group?: boolean;
  children: (attributes: IFieldAttributes) => ReactNode;
}): JSX.Element {
  const id = useId();
  const described = [
    props.sentence ? `${id}-sentence` : '',
    props.problem ? `${id}-problem` : ''
  ]
    .filter(Boolean)
    .join(' ');
  const label = (
    <>
      {props.label}
      {props.required && (
        <span aria-hidden="true" className="jp-BottegaPanel-star">
          {' *'}
        </span>
      )}
    </>
  );
  return (
    <div
      className="jp-BottegaPanel-field"
      data-parameter={props.name}
      {...(props.group
        ? {
            role: 'group',
            'aria-labelledby': `${id}-label`,
            'aria-describedby': described || undefined
          }
        : {})}
    >
      {props.group ? (
        <span id={`${id}-label`} className="jp-BottegaPanel-label">
          {label}
        </span>
      ) : (
        <label htmlFor={id} className="jp-BottegaPanel-label">
          {label}
        </label>
      )}
      {props.children({
        id,
        'aria-invalid': Boolean(props.problem),
        'aria-describedby': described || undefined,
        'aria-required': props.required ?? false
      })}
      {props.problem && (
        <p
          id={`${id}-problem`}
          role="alert"
          className="jp-BottegaPanel-problem"
        >
          {props.problem}
        </p>
      )}
      {props.sentence && (
        <p id={`${id}-sentence`} className="jp-BottegaPanel-hint">
          {props.sentence}
        </p>
      )}
    </div>
  );
}
