/* eslint-disable jupyter/prefer-lazy-imports -- outputs are rendered by factories that exist from the start on */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { flowIcon } from '../../../shared/icons';
import type { IScreenProps } from '../../../tokens';
import { IBottega, IBottegaClient } from '../../../tokens';
import { PassingTrust, StoredTrust } from '../model/trust';
import { WRANGLER_MIME } from './bundle';
import { DRAFT_SCREEN, WranglerOutput } from './outputWidget';

/** Shows tables that kernels display as the wrangler, and their flows in tabs. */
export const wranglerOutputs: JupyterFrontEndPlugin<void> = {
  id: '@bottega/labextension:wrangler-outputs',
  description: 'Prepares the tables of a notebook, in the output of a cell.',
  autoStart: true,
  requires: [IBottega, IBottegaClient, IRenderMimeRegistry],
  optional: [INotebookTracker, ITranslator, IStateDB],
  activate: (
    _app: JupyterFrontEnd,
    studio: IBottega,
    client: IBottegaClient,
    registry: IRenderMimeRegistry,
    tracker: INotebookTracker | null,
    translator: ITranslator | null,
    state: IStateDB | null
  ) => {
    const trans = (translator ?? nullTranslator).load('bottega');
    const memory = state ? new StoredTrust(state) : new PassingTrust();
    registry.addFactory(
      {
        // A notebook from elsewhere must not name a draft of this user's: it shows its HTML.
        safe: false,
        mimeTypes: [WRANGLER_MIME],
        createRenderer: options =>
          new WranglerOutput(options.mimeType, {
            client,
            studio,
            memory,
            trans,
            tracker
          })
      },
      // Before the HTML of the same output, which is for where there is no bottega.
      0
    );
    studio.addScreen({
      id: DRAFT_SCREEN,
      named: true,
      label: name => name,
      icon: flowIcon,
      load: async () => {
        const [{ DraftScreen }, { createElement }] = await Promise.all([
          import('./draftScreen'),
          import('react')
        ]);
        return (props: IScreenProps) =>
          createElement(DraftScreen, { ...props, memory });
      }
    });
  }
};
