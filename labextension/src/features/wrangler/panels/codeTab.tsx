import { useState } from 'react';

import type { FlowExportForm } from '../../../api/types/wrangler';
import { Button, CopyButton } from '../../../shared/components/controls';
import { Empty, Loadable } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import type { IPanelProps } from '../model/types';
import type { CodeLanguage } from './form/codeMirror';
import { CodeEditor } from './form/codeEditor';
import { useLoaded } from './useLoaded';

/** Edits that follow each other faster than this are written down together. */
const SETTLED_MS = 200;

/** The flow up to the selected table as code; it follows the selection and the edits. */
export function CodeTab(props: IPanelProps): JSX.Element {
  const { model, client, studio, trans } = props;
  useSignal(model.changed);
  const [form, setForm] = useState<FlowExportForm>('pandas');
  const { table } = model;
  const code = useLoaded(
    table
      ? signal =>
          client.call(
            'bottega:ExportFlow',
            {
              Flow: table.Flow,
              Folder: table.Folder,
              Trusted: table.Trusted,
              NodeId: table.NodeId,
              OutputName: table.OutputName,
              Form: form,
              Name: model.store.name
            },
            signal
          )
      : null,
    [
      client,
      form,
      table?.Flow,
      table?.NodeId,
      table?.OutputName,
      table?.Trusted
    ],
    SETTLED_MS
  );
  if (!table) {
    return (
      <Empty sentence={trans.__('There is no code yet. Add data first.')} />
    );
  }
  const forms: Array<[FlowExportForm, string]> = [
    ['pandas', 'pandas'],
    ['sql', 'SQL'],
    ['sklearn', 'scikit-learn']
  ];
  const language: CodeLanguage = form === 'sql' ? 'sql' : 'python';
  return (
    <div
      className="jp-BottegaCodeTab"
      aria-busy={code.pending}
      data-form={form}
    >
      <div className="jp-BottegaCodeTab-bar">
        <div
          role="radiogroup"
          aria-label={trans.__('Form of the code')}
          className="jp-BottegaPanel-kinds"
        >
          {forms.map(([value, label]) => (
            <label key={value}>
              <input
                type="radio"
                name="bottega-code-form"
                checked={value === form}
                onChange={() => setForm(value)}
              />
              <span>{label}</span>
            </label>
          ))}
        </div>
        {code.state === 'ready' && (
          <>
            <CopyButton
              text={() => code.value.Text}
              label={trans.__('Copy')}
              trans={trans}
            />
            {form !== 'sql' && (
              <Button
                onClick={() =>
                  void studio.openInNotebook(code.value.Text, model.store.name)
                }
              >
                {trans.__('Open in notebook')}
              </Button>
            )}
          </>
        )}
      </div>
      <Loadable
        live={code}
        trans={trans}
        what={trans.__('The code cannot be written.')}
      >
        {answer => (
          <>
            {answer.Notes.length > 0 && (
              <ul className="jp-BottegaPanel-note">
                {answer.Notes.map(note => (
                  <li key={note}>{note}</li>
                ))}
              </ul>
            )}
            <CodeEditor
              value={answer.Text}
              language={language}
              label={trans.__('Code of %1', model.store.title)}
              trans={trans}
            />
          </>
        )}
      </Loadable>
    </div>
  );
}
