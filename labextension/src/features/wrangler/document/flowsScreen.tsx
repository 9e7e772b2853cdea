import { PathExt } from '@jupyterlab/coreutils';
import { useEffect, useReducer } from 'react';

import { Button } from '../../../shared/components/controls';
import { Empty, Loadable } from '../../../shared/components/states';
import { ago } from '../../../shared/format';
import { useLive } from '../../../shared/hooks/useLive';
import type { IScreenProps } from '../../../tokens';
import type { KnownFlows } from './knownFlows';

/** All flows that were opened here. */
export function FlowsScreen(
  props: IScreenProps & { flows: KnownFlows; open: (path: string) => void }
): JSX.Element {
  const { flows, open, studio, trans } = props;
  const [count, again] = useReducer((number: number) => number + 1, 0);
  useEffect(() => {
    flows.changed.connect(again);
    return () => {
      flows.changed.disconnect(again);
    };
  }, [flows]);
  const live = useLive(props, () => flows.list(), [flows, count]);
  const create = (): void => void studio.execute('bottega:prepare-data');
  const now = Date.now() / 1000;
  return (
    <>
      <header className="jp-BottegaHeader">
        <h1>{trans.__('Data')}</h1>
        <div className="jp-BottegaHeader-actions">
          <Button kind="primary" onClick={create}>
            {trans.__('Prepare data')}
          </Button>
        </div>
      </header>
      <Loadable
        live={live}
        trans={trans}
        what={trans.__('The flows cannot be listed.')}
      >
        {found =>
          found.length === 0 ? (
            <Empty
              sentence={trans.__('No data has been prepared here yet.')}
              action={{ label: trans.__('Prepare data'), run: create }}
            />
          ) : (
            <table className="jp-BottegaWrangler-flows">
              <thead>
                <tr>
                  <th scope="col">{trans.__('Flow')}</th>
                  <th scope="col">{trans.__('Folder')}</th>
                  <th scope="col">{trans.__('Sources')}</th>
                  <th scope="col">{trans.__('Changed')}</th>
                </tr>
              </thead>
              <tbody>
                {found.map(flow => (
                  <tr key={flow.path}>
                    <td>
                      <button
                        type="button"
                        className="jp-BottegaWrangler-link"
                        onClick={() => open(flow.path)}
                      >
                        {PathExt.basename(flow.path)}
                      </button>
                    </td>
                    <td>{PathExt.dirname(flow.path) || '/'}</td>
                    <td>{flow.sources.toLocaleString()}</td>
                    <td>{ago(flow.time, now, trans)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Loadable>
    </>
  );
}
