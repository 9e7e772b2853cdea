import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';
import { useEffect, useId, useState } from 'react';

import { Button } from '../../shared/components/controls';
import type { FileKind, IFiles } from './files';

/** A field with its label, what it is for, and what is wrong with it. */
export function Field(props: {
  label: string;
  /** As findings name it. */
  field: string;
  hint?: ReactNode;
  problem?: string | undefined;
  /** Renders the input with these attributes. */
  children: (attributes: IFieldAttributes) => ReactNode;
}): JSX.Element {
  const id = useId();
  const described = [
    props.hint ? `${id}-hint` : '',
    props.problem ? `${id}-problem` : ''
  ]
    .filter(Boolean)
    .join(' ');
  return (
    <div className="jp-BottegaTraining-field" data-field={props.field}>
      <label htmlFor={id}>{props.label}</label>
      {props.children({
        id,
        'aria-invalid': Boolean(props.problem),
        'aria-describedby': described || undefined
      })}
      {props.hint && (
        <p id={`${id}-hint`} className="jp-BottegaTraining-hint">
          {props.hint}
        </p>
      )}
      {props.problem && (
        <p id={`${id}-problem`} className="jp-BottegaTraining-problem">
          {props.problem}
        </p>
      )}
    </div>
  );
}

/** What ties an input to its field. */
export interface IFieldAttributes {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
}

/** The path of a file or folder of the file browser, typed with completion or chosen. */
export function PathInput(props: {
  attributes: IFieldAttributes;
  value: string;
  kind: FileKind;
  /** The title of the dialog. */
  title: string;
  placeholder?: string;
  files: IFiles;
  trans: TranslationBundle;
  onChange: (path: string) => void;
}): JSX.Element {
  const { value, kind, files, trans, onChange } = props;
  const list = useId();
  const [known, setKnown] = useState<string[]>([]);
  const [problem, setProblem] = useState('');
  const folder = value.slice(0, value.lastIndexOf('/') + 1);
  useEffect(() => {
    let ended = false;
    files.complete(folder, kind).then(
      found => {
        if (!ended) {
          setKnown(found);
        }
      },
      // A folder that is not there has nothing to offer; the finding for the path says so.
      () => {
        if (!ended) {
          setKnown([]);
        }
      }
    );
    return () => {
      ended = true;
    };
  }, [files, folder, kind]);
  const browse = async (): Promise<void> => {
    setProblem('');
    try {
      const chosen = await files.browse(kind, props.title);
      if (chosen !== null) {
        onChange(chosen);
      }
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <span className="jp-BottegaTraining-path">
        <input
          {...props.attributes}
          className="jp-BottegaInput"
          value={value}
          list={list}
          placeholder={props.placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={event => onChange(event.target.value)}
        />
        <datalist id={list}>
          {known.map(path => (
            <option key={path} value={path} />
          ))}
        </datalist>
        <Button
          onClick={() => void browse()}
          label={trans.__('Browse: %1', props.title)}
        >
          {trans.__('Browse…')}
        </Button>
      </span>
      {problem && (
        <p role="alert" className="jp-BottegaTraining-problem">
          {problem}
        </p>
      )}
    </>
  );
}

/** A text that may be one of some that there are. */
export function SuggestInput(props: {
  attributes: IFieldAttributes;
  value: string;
  suggestions: readonly string[];
  onFocus?: () => void;
  onChange: (value: string) => void;
}): JSX.Element {
  const list = useId();
  return (
    <>
      <input
        {...props.attributes}
        className="jp-BottegaInput"
        value={props.value}
        list={list}
        spellCheck={false}
        onFocus={props.onFocus}
        onChange={event => props.onChange(event.target.value)}
      />
      <datalist id={list}>
        {props.suggestions.map(value => (
          <option key={value} value={value} />
        ))}
      </datalist>
    </>
  );
}
