import type { ITranslator } from '@jupyterlab/translation';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import type { ComponentType } from 'react';
import { useEffect, useState } from 'react';

import { Skeleton } from '../components/states';

/** The values of a form. */
export type FormValues = ReadonlyJSONObject;

interface ISchemaFormProps {
  schema: RJSFSchema;
  uiSchema?: UiSchema<FormValues>;
  values: FormValues;
  onChange: (values: FormValues, valid: boolean) => void;
  translator: ITranslator;
  /** Errors that the server found, by the field they are about. */
  extraErrors?: Readonly<Record<string, string>>;
}

/**
 * A form made from a JSON schema, in JupyterLab's own form components.
 *
 * The form library is fetched when the first form is shown.
 */
export function SchemaForm(props: ISchemaFormProps): JSX.Element {
  const [Form, setForm] = useState<ComponentType<ISchemaFormProps> | null>(
    null
  );
  useEffect(() => {
    let ended = false;
    void import('./rjsfForm').then(module => {
      if (!ended) {
        setForm(() => module.RjsfForm);
      }
    });
    return () => {
      ended = true;
    };
  }, []);
  return Form ? (
    <Form {...props} />
  ) : (
    <Skeleton trans={props.translator.load('bottega')} rows={4} />
  );
}
