import { useState } from 'react';

import { Button } from '../../../shared/components/controls';
import { useSignal } from '../../../shared/hooks/useSignal';
import type { IPanelProps } from '../model/types';
import { WranglerView } from '../wranglerView';
import type { IWranglerBundle } from './bundle';

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
        Name: model.store.name
      });
      insert(withoutMain(code.Text));
      setSaid({
        text: [trans.__('The code is in the cell below.'), ...code.Notes].join(
          ' '
        ),
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
          {trans.__(
            '%1 rows × %2',
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
        <span
          role={said?.isProblem ? 'alert' : 'status'}
          className={
            said?.isProblem ? 'jp-BottegaPanel-problem' : 'jp-BottegaPanel-hint'
          }
        >
          {said?.text}
        </span>
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
      <div className="jp-BottegaWranglerOutput-view">
        <WranglerView {...panel} compact />
      </div>
    </div>
  );
}

/**
 * The code without what it does when it is run as a program: in a notebook everything is run, and
 * the table is there already.
 */
export function withoutMain(module: string): string {
  const main = module.search(/^if __name__ == ["']__main__["']:/m);
  return main < 0 ? module : `${module.slice(0, main).trimEnd()}\n`;
}
