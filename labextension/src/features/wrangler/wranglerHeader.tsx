import type { TranslationBundle } from '@jupyterlab/translation';

import { Button } from '../../shared/components/controls';
import type { IPanelProps, ITableSize } from './model/types';
import { TrainOnThis } from './trainOnThis';

/** What the flow is, whether it is kept, and what can be done with all of it. */
export function WranglerHeader(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  const { size, selected } = model;
  return (
    <header className="jp-BottegaHeader">
      <h1>{model.store.title}</h1>
      {size && (
        <span className="jp-BottegaStatus jp-mod-ended" role="status">
          {sizeText(size, trans)}
        </span>
      )}
      <SaveNote {...props} />
      <div className="jp-BottegaHeader-actions">
        <Button
          label={trans.__('Undo')}
          title={trans.__('Undo')}
          disabled={!model.canUndo}
          onClick={() => void model.undo()}
        >
          <span aria-hidden="true">↶</span>
        </Button>
        <Button
          label={trans.__('Redo')}
          title={trans.__('Redo')}
          disabled={!model.canRedo}
          onClick={() => void model.redo()}
        >
          <span aria-hidden="true">↷</span>
        </Button>
        <Button
          disabled={!selected}
          onClick={() => model.chooseTab('insights')}
        >
          {trans.__('Insights report')}
        </Button>
        <Button disabled={!selected} onClick={() => model.chooseTab('export')}>
          {trans.__('Export')}
        </Button>
        <TrainOnThis {...props} />
      </div>
    </header>
  );
}

/** `7,021 rows × 21 · whole data`. */
export function sizeText(size: ITableSize, trans: TranslationBundle): string {
  const columns = size.columns.toLocaleString();
  const shape =
    size.rows === null
      ? trans._n('%2 column', '%2 columns', size.columns, columns)
      : trans._n(
          '%2 row × %3',
          '%2 rows × %3',
          size.rows,
          size.rows.toLocaleString(),
          columns
        );
  return size.sampleRows === null
    ? trans.__('%1 · whole data', shape)
    : trans.__('%1 · first %2 rows', shape, size.sampleRows.toLocaleString());
}

function SaveNote(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  const { saveState } = model;
  if (saveState.state === 'failed') {
    return (
      <span className="jp-BottegaWrangler-unsaved" role="alert">
        {trans.__('could not be saved: %1', saveState.error.message)}
        <Button onClick={() => void model.retrySave()}>
          {trans.__('Try again')}
        </Button>
      </span>
    );
  }
  return (
    <span className="jp-BottegaHeader-facts" role="status">
      {saveState.state === 'saving' ? trans.__('saving…') : trans.__('saved')}
    </span>
  );
}
