import type { FieldTemplateProps, RJSFSchema } from '@rjsf/utils';

import type { FormValues } from './schemaForm';

/**
 * A field of a form with its label, its sentence and its errors, tied to the input by their ids.
 *
 * JupyterLab's own template shows the label beside the input, but does not tie the two together.
 */
export function LabelledField(
  props: FieldTemplateProps<FormValues, RJSFSchema>
): JSX.Element {
  const { id, schema, rawErrors = [], required } = props;
  if (props.hidden) {
    return <div hidden>{props.children}</div>;
  }
  if (schema.type === 'object' || schema.type === 'array') {
    return <>{props.children}</>;
  }
  return (
    <div
      className={`jp-BottegaForm-field${rawErrors.length > 0 ? ' jp-mod-error' : ''}`}
    >
      <label htmlFor={id}>
        {props.label}
        {required && <span aria-hidden="true"> *</span>}
      </label>
      {props.children}
      {props.rawDescription && (
        <p id={`${id}__description`} className="jp-BottegaForm-description">
          {props.rawDescription}
        </p>
      )}
      {rawErrors.length > 0 && (
        <ul id={`${id}__error`} className="jp-BottegaForm-errors">
          {rawErrors.map(error => (
            <li key={error}>{error}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
