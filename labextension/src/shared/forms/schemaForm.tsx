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
  /** What the ids of its fields begin with: `eta` is `<prefix>_eta`; `root` when absent. */
  idPrefix?: string;
}

/** The form itself, once it has been fetched. */
let fetched: ComponentType<ISchemaFormProps> | null = null;

/**
 * A form made from a JSON schema, in JupyterLab's own form components.
 *
 * The form library is fetched when the first form is shown.
 */
export function SchemaForm(props: ISchemaFormProps): JSX.Element {
  const [Form, setForm] = useState(() => fetched);
  useEffect(() => {
    let ended = false;
    if (!fetched) {
      void import('./rjsfForm').then(module => {
        fetched = module.RjsfForm;
        if (!ended) {
          setForm(() => fetched);
        }
      });
    }
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
