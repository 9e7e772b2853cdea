import { useMemo, useState } from 'react';

import type { FlowExportForm } from '../../../api/types/wrangler';
import { Button } from '../../../shared/components/controls';
import { Empty } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import { saveFile } from '../../../shared/logs/download';
import type { IPanelProps, ITableRef } from '../model/types';
import { FlowFiles } from './flowFiles';
import { ProcessingJob } from './processingJob';

/** Where the flow up to the selected table can go: code of several forms, or a processing job. */
export function ExportTab(
  props: IPanelProps & { files?: FlowFiles }
): JSX.Element {
  const { model, trans } = props;
  useSignal(model.changed);
  const given = props.files;
  const files = useMemo(() => given ?? new FlowFiles(), [given]);
  const { selected } = model;
  if (!selected) {
    return (
      <Empty
        sentence={trans.__('There is nothing to export yet. Add data first.')}
      />
    );
  }
  const forms: Array<[FlowExportForm, string, string]> = [
    [
      'notebook',
      trans.__('Notebook'),
      trans.__('The flow as cells of pandas, with its data read in the first.')
    ],
    [
      'pandas',
      trans.__('Python module'),
      trans.__(
        'A function in readable pandas, with what was learnt as named constants.'
      )
    ],
    [
      'sklearn',
      trans.__('scikit-learn transformer'),
      trans.__(
        'A transformer with fit and transform, for a pipeline of scikit-learn.'
      )
    ],
    [
      'sql',
      trans.__('SQL'),
      trans.__('One query, with a common table expression a step.')
    ],
    [
      'processing',
      trans.__('Processing job code'),
      trans.__(
        'Python that starts the processing job below, to be run from anywhere.'
      )
    ],
    [
      'pipeline',
      trans.__('Pipeline'),
      trans.__('A SageMaker pipeline with the flow as its processing step.')
    ],
    [
      'endpoint',
      trans.__('Inference pipeline'),
      trans.__(
        'An endpoint with the flow in front of a model: it takes raw rows.'
      )
    ]
  ];
  return (
    <div className="jp-BottegaExport">
      <div className="jp-BottegaExport-cards">
        {forms.map(([form, title, sentence]) => (
          <CodeCard
            key={form}
            {...props}
            table={selected}
            files={files}
            form={form}
            title={title}
            sentence={sentence}
          />
        ))}
      </div>
      <ProcessingJob {...props} table={selected} />
    </div>
  );
}

function CodeCard(
  props: IPanelProps & {
    table: ITableRef;
    files: FlowFiles;
    form: FlowExportForm;
    title: string;
    sentence: string;
  }
): JSX.Element {
  const { model, client, studio, table, files, form, title, trans } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [notes, setNotes] = useState<readonly string[]>([]);
  const [written, setWritten] = useState<string | null>(null);
  const make = async (keep: 'file' | 'download'): Promise<void> => {
    setBusy(true);
    setProblem(null);
    setWritten(null);
    try {
      const answer = await client.call('bottega:ExportFlow', {
        ...model.request(),
        NodeId: table.nodeId,
        OutputName: table.outputName,
        Form: form,
        Name: model.store.name
      });
      setNotes(answer.Notes);
      if (keep === 'download') {
        saveFile(
          answer.FileName,
          new Blob([answer.Text], { type: answer.MediaType })
        );
      } else {
        const path = await files.saveNew(
          model.store.directory,
          answer.FileName,
          answer.Text
        );
        setWritten(path);
        await studio.execute('docmanager:open', { path });
      }
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <section
      className="jp-BottegaCard"
      aria-label={title}
      aria-busy={busy}
      data-form={form}
    >
      <h3>{title}</h3>
      <p className="jp-BottegaPanel-hint">{props.sentence}</p>
      <div className="jp-BottegaStepForm-actions">
        <Button
          disabled={busy || model.store.readOnly}
          label={trans.__('%1: create the file', title)}
          title={trans.__('Beside the flow')}
          onClick={() => void make('file')}
        >
          {trans.__('Create file')}
        </Button>
        <Button
          disabled={busy}
          label={trans.__('%1: download', title)}
          onClick={() => void make('download')}
        >
          {trans.__('Download')}
        </Button>
      </div>
      {problem && (
        <p role="alert" className="jp-BottegaPanel-problem">
          {problem}
        </p>
      )}
      <div role="status">
        {written && (
          <p className="jp-BottegaPanel-hint">
            {trans.__('Written to %1.', written)}
          </p>
        )}
        {notes.length > 0 && (
          <ul className="jp-BottegaPanel-note">
            {notes.map(note => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
