import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import { Button } from '../../shared/components/controls';
import type { Source } from './draft';
import { sourceLabel } from './draft';
import { Field, PathInput } from './fields';
import type { FileKind, IFiles } from './files';

type Kind = 'file' | 's3' | 'upload';

/** Where the data of a channel comes from: a file, the store, this computer, or a cloned job. */
export function SourceField(props: {
  label: string;
  /** As findings name it. */
  field: string;
  /** What belongs there. */
  hint?: string | undefined;
  source: Source | null;
  /** Which files are offered. */
  kind: FileKind;
  /** A path, as an example. */
  placeholder: string;
  problem?: string | undefined;
  /** The file that is on its way into the store. */
  uploading: string | null;
  files: IFiles;
  trans: TranslationBundle;
  onChange: (source: Source | null) => void;
  onUpload: (file: File) => void;
}): JSX.Element {
  const { source, trans, onChange } = props;
  const [kind, setKind] = useState<Kind>('file');
  useEffect(() => {
    if (source && source.kind !== 'kept') {
      setKind(source.kind);
    }
  }, [source]);
  if (source?.kind === 'kept') {
    return (
      <div className="jp-BottegaTraining-field" data-field={props.field}>
        <span className="jp-BottegaTraining-label">{props.label}</span>
        <span className="jp-BottegaTraining-kept">
          <code>{sourceLabel(source)}</code>
          <Button
            label={trans.__('Change: %1', props.label)}
            onClick={() => onChange(null)}
          >
            {trans.__('Change')}
          </Button>
        </span>
        {props.hint && <p className="jp-BottegaTraining-hint">{props.hint}</p>}
        <p className="jp-BottegaTraining-hint">
          {trans.__('As the cloned job had it; it is sent as it is.')}
        </p>
        {props.problem && (
          <p className="jp-BottegaTraining-problem">{props.problem}</p>
        )}
      </div>
    );
  }
  const choose = (next: Kind): void => {
    setKind(next);
    if (source) {
      onChange(null);
    }
  };
  const { uploading } = props;
  // What was said of the content stays while its place is being typed.
  const said = source?.contentType && { contentType: source.contentType };
  const told = uploading
    ? trans.__('Sending %1…', uploading)
    : trans.__('It is put into the default bucket.');
  const hint = (
    <>
      {props.hint}
      {props.hint && kind === 'upload' && ' '}
      {kind === 'upload' && <span role="status">{told}</span>}
    </>
  );
  return (
    <Field {...props} hint={props.hint || kind === 'upload' ? hint : undefined}>
      {attributes => (
        <>
          <Kinds
            kind={kind}
            label={props.label}
            trans={trans}
            onChange={choose}
          />
          {kind === 'file' && (
            <PathInput
              attributes={attributes}
              value={source?.kind === 'file' ? source.path : ''}
              kind={props.kind}
              title={props.label}
              placeholder={props.placeholder}
              files={props.files}
              trans={trans}
              onChange={path =>
                onChange(path ? { ...said, kind: 'file', path } : null)
              }
            />
          )}
          {kind === 's3' && (
            <input
              {...attributes}
              className="jp-BottegaInput"
              value={source?.kind === 's3' ? source.uri : ''}
              placeholder={trans.__('s3://bucket/prefix/')}
              spellCheck={false}
              onChange={({ target }) =>
                onChange(
                  target.value
                    ? { ...said, kind: 's3', uri: target.value }
                    : null
                )
              }
            />
          )}
          {kind === 'upload' && (
            <input
              {...attributes}
              type="file"
              disabled={uploading !== null}
              onChange={event => {
                const file = event.target.files?.[0];
                if (file) {
                  props.onUpload(file);
                }
              }}
            />
          )}
        </>
      )}
    </Field>
  );
}

function Kinds(props: {
  kind: Kind;
  label: string;
  trans: TranslationBundle;
  onChange: (kind: Kind) => void;
}): JSX.Element {
  const { trans } = props;
  const name = useId();
  const kinds: Array<[Kind, string]> = [
    ['file', trans.__('File')],
    ['s3', trans.__('S3 URI')],
    ['upload', trans.__('This computer')]
  ];
  return (
    <div
      role="radiogroup"
      aria-label={trans.__('%1: where from', props.label)}
      className="jp-BottegaTraining-kinds"
    >
      {kinds.map(([kind, label]) => (
        <label key={kind}>
          <input
            type="radio"
            name={name}
            checked={kind === props.kind}
            onChange={() => props.onChange(kind)}
          />
          <span>{label}</span>
        </label>
      ))}
    </div>
  );
}
