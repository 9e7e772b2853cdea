import type {
  ILabShell,
  IRouter,
  JupyterFrontEnd
} from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IBottega } from '../../tokens';
import { ScreenWidget } from './screenWidget';

export const OPEN_COMMAND = 'bottega:open';

const QUERY = 'bottega';
const PATTERN = /[?&]bottega=/;
const ROUTE_COMMAND = 'bottega:open-from-url';

/** Open the screen that the address names: `/lab?bottega=jobs/churn-0412`. */
export function openFromUrl(
  app: JupyterFrontEnd,
  studio: IBottega,
  router: IRouter,
  trans: TranslationBundle
): void {
  app.commands.addCommand(ROUTE_COMMAND, {
    describedBy: {
      args: {
        type: 'object',
        properties: {
          search: { type: 'string', description: 'The query of the address' }
        }
      }
    },
    execute: async args => {
      const path = new URLSearchParams(String(args['search'] ?? '')).get(QUERY);
      if (path) {
        await app.restored;
        try {
          studio.open(path);
        } catch (error) {
          // Whoever follows a link that leads nowhere wants to know it.
          await showErrorMessage(
            trans.__('The address cannot be opened'),
            error instanceof Error ? error.message : String(error)
          );
        }
      }
    }
  });
  router.register({ command: ROUTE_COMMAND, pattern: PATTERN, rank: 100 });
}

/** Keep the address that of the screen in front, so that it can be copied and reloaded. */
export function showPathInUrl(shell: ILabShell, router: IRouter): void {
  let shown: ScreenWidget | null = null;
  const update = (isMoved: boolean): void => {
    const url = new URL(window.location.href);
    if (shown) {
      url.searchParams.set(QUERY, shown.path);
    } else {
      url.searchParams.delete(QUERY);
    }
    // A path reads better with its slash as it is, which a query may hold.
    const search = url.search.replace(/%2F/gi, '/');
    if (search === window.location.search) {
      return;
    }
    const address = `${url.pathname}${search}${url.hash}`;
    if (isMoved) {
      router.navigate(address, { skipRouting: true });
    } else {
      // A slider that is drawn is not a hundred places to go back to.
      window.history.replaceState(window.history.state, '', address);
    }
  };
  const onPath = (): void => update(false);
  shell.currentChanged.connect((_, change) => {
    shown?.pathChanged.disconnect(onPath);
    shown = change.newValue instanceof ScreenWidget ? change.newValue : null;
    shown?.pathChanged.connect(onPath);
    update(true);
  });
}
