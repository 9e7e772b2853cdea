import { useMemo, useState } from 'react';

import type { FlowSourceKind } from '../../../api/types/wrangler';
import { Loadable } from '../../../shared/components/states';
import type { IDialogProps } from '../model/types';
import { FlowFiles } from './flowFiles';
import { FormField } from './form/field';
import { Modal } from './modal';
import { DatabasePlace, FilePlace, StorePlace } from './source/places';
import { Reading } from './source/readingOptions';
import type { ISourceDraft } from './source/sourceDraft';
import { draftOf, emptyDraft, sourceOf } from './source/sourceDraft';
import { useLoaded } from './useLoaded';

const TYPING_MS = 300;

/** Adds a source to the flow, or changes how one is read: where it is, and what was detected. */
export function SourceDialog(
  props: IDialogProps<'source'> & { files?: FlowFiles }
): JSX.Element {
  const { model, client, request, trans } = props;
  const { directory, folder } = model.store;
  const given = props.files;
  const files = useMemo(() => given ?? new FlowFiles(), [given]);
  const node =
    request.nodeId === undefined ? undefined : model.node(request.nodeId);
  const [draft, setDraft] = useState<ISourceDraft>(() =>
    node ? draftOf(node, directory) : emptyDraft(request.origin ?? 'file')
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const source = sourceOf(draft, directory);
  // What it is called does not change what it holds.
  const looked = JSON.stringify(source && { ...source, Name: undefined });
  const detected = useLoaded(
    source &&
      (signal =>
        client.call(
          'bottega:DetectSource',
          { Source: source, Folder: folder, Trusted: model.request().Trusted },
          signal
        )),
    [client, folder, looked],
    TYPING_MS
  );
  const isRead =
    detected.state === 'ready' && !detected.problem && !detected.pending;
  const change = (part: Partial<ISourceDraft>): void => {
    setProblem(null);
    setDraft(present => ({ ...present, ...part }));
  };
  const accept = async (): Promise<void> => {
    if (!source) {
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      const added = await model.edit({
        Kind: node ? 'change_source' : 'add_source',
        ...(node ? { NodeId: node.NodeId } : {}),
        Source: source
      });
      model.closeDialog();
      model.select(added);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      title={node ? trans.__('How the data is read') : trans.__('Add data')}
      trans={trans}
      accept={{
        label: node ? trans.__('Save') : trans.__('Add data'),
        run: () => void accept(),
        disabled: !source || !isRead || busy
      }}
      onClose={() => model.closeDialog()}
      status={
        problem && <span className="jp-BottegaPanel-problem">{problem}</span>
      }
    >
      <div className="jp-BottegaSource">
        <Kinds
          {...props}
          kind={draft.kind}
          onChange={kind => change({ ...emptyDraft(kind) })}
        />
        {draft.kind === 'file' && (
          <FilePlace
            {...props}
            draft={draft}
            files={files}
            directory={directory}
            onChange={change}
          />
        )}
        {draft.kind === 's3' && (
          <StorePlace {...props} draft={draft} onChange={change} />
        )}
        {draft.kind === 'sql' && (
          <DatabasePlace {...props} draft={draft} onChange={change} />
        )}
        <FormField
          name="Name"
          label={trans.__('Name')}
          sentence={trans.__(
            'What the table is called in the flow and in the code; the file’s name when empty.'
          )}
        >
          {attributes => (
            <input
              {...attributes}
              className="jp-BottegaInput"
              value={draft.name}
              spellCheck={false}
              onChange={event => change({ name: event.target.value })}
            />
          )}
        </FormField>
        {source && (
          <div
            className="jp-BottegaSource-detected"
            aria-busy={detected.pending}
            data-state={detected.state}
          >
            <Loadable
              live={detected}
              trans={trans}
              rows={5}
              what={trans.__('The data cannot be read.')}
            >
              {answer => (
                <Reading
                  detected={answer}
                  options={draft.options}
                  trans={trans}
                  onChange={options => change({ options })}
                />
              )}
            </Loadable>
          </div>
        )}
      </div>
    </Modal>
  );
}

function Kinds(
  props: Pick<IDialogProps<'source'>, 'trans'> & {
    kind: FlowSourceKind;
    onChange: (kind: FlowSourceKind) => void;
  }
): JSX.Element {
  const { trans } = props;
  const kinds: Array<[FlowSourceKind, string]> = [
    ['file', trans.__('File')],
    ['s3', trans.__('S3')],
    ['sql', trans.__('Database')]
  ];
  return (
    <div
      role="radiogroup"
      aria-label={trans.__('Where the data is')}
      className="jp-BottegaPanel-kinds"
    >
      {kinds.map(([kind, label]) => (
        <label key={kind}>
          <input
            type="radio"
            name="bottega-source-kind"
            checked={kind === props.kind}
            onChange={() => props.onChange(kind)}
          />
          <span>{label}</span>
        </label>
      ))}
    </div>
  );
}
