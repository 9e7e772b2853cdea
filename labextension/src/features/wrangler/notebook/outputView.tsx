import { useState } from 'react';

import { Button } from '../../../shared/components/controls';
import { useSignal } from '../../../shared/hooks/useSignal';
import type { IPanelProps } from '../model/types';
import { WranglerView } from '../wranglerView';
import type { IWranglerBundle } from './bundle';
import { cellCode, namesOf } from './cellCode';

/** The wrangler in the output of a cell: grid, steps and palette, and the ways out of it. */
export function OutputView(
  props: IPanelProps & {
    bundle: IWranglerBundle;
    /** Puts code into a cell below; null where the output is in no notebook. */
    insert: ((code: string) => void) | null;
    /** Shows the same flow in a tab. */
    open: () => void;
  }
): JSX.Element {
  const { bundle, insert, open, ...panel } = props;
  const { model, client, trans } = panel;
  useSignal(model.changed);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ text: string; isProblem: boolean } | null>(
    null
  );
  const { selected, size } = model;
  const insertCode = async (): Promise<void> => {
    if (!selected || !insert) {
      return;
    }
    setBusy(true);
    setSaid(null);
    try {
      const code = await client.call('bottega:ExportFlow', {
        ...model.request(),
        NodeId: selected.nodeId,
        OutputName: selected.outputName,
        Form: 'pandas',
        Name: namesOf(bundle.title).prepare
      });
      const text = cellCode(code.Text, bundle);
      insert(text);
      // How the table itself is read from the store does not matter where it is there already.
      const notes = text.includes('s3://')
        ? code.Notes
        : code.Notes.filter(note => !note.includes('s3://'));
      setSaid({
        text: [trans.__('The code is in the cell below.'), ...notes].join(' '),
        isProblem: false
      });
    } catch (error) {
      setSaid({
        text: error instanceof Error ? error.message : String(error),
        isProblem: true
      });
    }
    setBusy(false);
  };
  const rows = size?.rows ?? bundle.rows;
  return (
    <div className="jp-BottegaWranglerOutput">
      <div className="jp-BottegaWranglerOutput-bar">
        <span className="jp-BottegaWranglerOutput-title">{bundle.title}</span>
        <span className="jp-BottegaPanel-hint">
          {trans._n(
            '%2 row × %3',
            '%2 rows × %3',
            rows,
            rows.toLocaleString(),
            (size?.columns ?? bundle.columns).toLocaleString()
          )}
        </span>
        {model.saveState.state === 'failed' && (
          <>
            <span role="alert" className="jp-BottegaPanel-problem">
              {trans.__(
                'could not be saved: %1',
                model.saveState.error.message
              )}
            </span>
            <Button onClick={() => void model.retrySave()}>
              {trans.__('Try again')}
            </Button>
          </>
        )}
        <Button
          label={trans.__('Undo')}
          disabled={!model.canUndo}
          onClick={() => void model.undo()}
        >
          ↶
        </Button>
        <Button
          label={trans.__('Redo')}
          disabled={!model.canRedo}
          onClick={() => void model.redo()}
        >
          ↷
        </Button>
        {insert && (
          <Button
            kind="primary"
            disabled={busy || !selected}
            title={trans.__('Puts the flow as pandas into a new cell below')}
            onClick={() => void insertCode()}
          >
            {trans.__('Insert code')}
          </Button>
        )}
        <Button onClick={open}>{trans.__('Open in a tab')}</Button>
      </div>
      {said && (
        <p
          role={said.isProblem ? 'alert' : 'status'}
          className={`jp-BottegaWranglerOutput-said ${
            said.isProblem ? 'jp-BottegaPanel-problem' : 'jp-BottegaPanel-hint'
          }`}
        >
          {said.text}
        </p>
      )}
      <div className="jp-BottegaWranglerOutput-view">
        <WranglerView {...panel} compact />
      </div>
    </div>
  );
}
