import type { ITranslator } from '@jupyterlab/translation';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import type { ComponentType } from 'react';
import { useEffect, useState } from 'react';

import { Failure, Skeleton } from '../components/states';

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
  const [error, setError] = useState<Error | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let ended = false;
    setError(null);
    if (!fetched) {
      import('./rjsfForm').then(
        module => {
          fetched = module.RjsfForm;
          if (!ended) {
            setForm(() => fetched);
          }
        },
        (reason: unknown) => {
          if (!ended) {
            setError(
              reason instanceof Error ? reason : new Error(String(reason))
            );
          }
        }
      );
    }
    return () => {
      ended = true;
    };
  }, [attempt]);
  if (Form) {
    return <Form {...props} />;
  }
  const trans = props.translator.load('bottega');
  return error ? (
    <Failure
      error={error}
      trans={trans}
      what={trans.__('The form cannot be loaded.')}
      retry={() => setAttempt(attempt + 1)}
    />
  ) : (
    <Skeleton trans={trans} rows={4} />
  );
}
