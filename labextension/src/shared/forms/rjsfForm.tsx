/* eslint-disable jupyter/prefer-lazy-imports -- this module is itself fetched on demand */
import type { ITranslator } from '@jupyterlab/translation';
import { FormComponent } from '@jupyterlab/ui-components';
import type { ErrorSchema, RJSFSchema, UiSchema } from '@rjsf/utils';
import { customizeValidator } from '@rjsf/validator-ajv8';

import { LabelledField } from './labelledField';
import type { FormValues } from './schemaForm';

const TEMPLATES = { FieldTemplate: LabelledField };

const validator = customizeValidator<FormValues>();

/** The form itself; `schemaForm` fetches this module when it is needed. */
export function RjsfForm(props: {
  schema: RJSFSchema;
  uiSchema?: UiSchema<FormValues>;
  values: FormValues;
  onChange: (values: FormValues, valid: boolean) => void;
  translator: ITranslator;
  extraErrors?: Readonly<Record<string, string>>;
  idPrefix?: string;
}): JSX.Element {
  const { extraErrors = {} } = props;
  return (
    <div className="jp-BottegaForm">
      <FormComponent
        schema={props.schema}
        uiSchema={props.uiSchema ?? {}}
        formData={props.values}
        validator={validator}
        templates={TEMPLATES}
        liveValidate
        showErrorList={false}
        showModifiedFromDefault={false}
        compact
        idPrefix={props.idPrefix ?? 'root'}
        translator={props.translator}
        extraErrors={asErrors(extraErrors)}
        transformErrors={errors =>
          // That something is missing is said once, and better by who knows what it is for.
          errors.filter(
            ({ name, params }) =>
              name !== 'required' ||
              extraErrors[String(params?.missingProperty)] === undefined
          )
        }
        onChange={change =>
          props.onChange(change.formData ?? {}, change.errors.length === 0)
        }
      />
    </div>
  );
}

function asErrors(
  errors: Readonly<Record<string, string>>
): ErrorSchema<FormValues> {
  return Object.fromEntries(
    Object.entries(errors).map(([field, text]) => [field, { __errors: [text] }])
  ) as ErrorSchema<FormValues>;
}
