import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IFlowEdit,
  IPreviewFlowResponse
} from '../../../api/types/wrangler';
import { Loadable } from '../../../shared/components/states';
import type { Live } from '../../../shared/hooks/useLive';
import type { IPanelProps } from '../model/types';
import { DataTable } from './dataTable';
import { useLoaded } from './useLoaded';

const ROWS = 12;
const SETTLED_MS = 250;

/** The first rows of what an edit would give; nothing while there is no edit. */
export function useEditPreview(
  props: Pick<IPanelProps, 'model' | 'client'>,
  edit: IFlowEdit | null
): Live<IPreviewFlowResponse> & { pending: boolean } {
  const { model, client } = props;
  return useLoaded(
    edit &&
      (async signal => {
        const request = model.request();
        const edited = await client.call(
          'bottega:EditFlow',
          { ...request, Edit: edit },
          signal
        );
        return client.call(
          'bottega:PreviewFlow',
          { ...request, Flow: edited.Flow, NodeId: edited.NodeId, Limit: ROWS },
          signal
        );
      }),
    [client, model, model.text, JSON.stringify(edit)],
    SETTLED_MS
  );
}

/** First rows that are being asked for. */
export function TablePreview(props: {
  preview: Live<IPreviewFlowResponse> & { pending: boolean };
  /** What could not be done. */
  what: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { preview, trans } = props;
  return (
    <div aria-busy={preview.pending} data-state={preview.state}>
      {preview.state === 'ready' && preview.problem ? (
        <p role="alert" className="jp-BottegaPanel-problem">
          {preview.problem.message}
        </p>
      ) : (
        <Loadable live={preview} trans={trans} what={props.what} rows={4}>
          {page => (
            <>
              <p className="jp-BottegaPanel-hint" role="status">
                {page.TotalRows === undefined
                  ? trans.__('%1 columns', page.Columns.length)
                  : page.Scope === 'whole'
                    ? trans.__(
                        '%1 rows × %2',
                        page.TotalRows.toLocaleString(),
                        page.Columns.length
                      )
                    : trans.__(
                        '%1 rows × %2 of a sample',
                        page.TotalRows.toLocaleString(),
                        page.Columns.length
                      )}
              </p>
              <DataTable
                label={trans.__('First rows')}
                heads={page.Columns.map(column => column.Name)}
                rows={page.Rows}
                trans={trans}
              />
            </>
          )}
        </Loadable>
      )}
    </div>
  );
}
