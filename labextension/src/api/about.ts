import type { ServerConnection } from '@jupyterlab/services';

import { requestAPI } from './request';

/** What runs behind this JupyterLab. */
export interface IAbout {
  /** The version of the installed bottega. */
  version: string;
  /** The folder of the server's machine that holds all of bottega's state. */
  home: string;
}

/** Which bottega the Jupyter server has. */
export function fetchAbout(
  settings: ServerConnection.ISettings
): Promise<IAbout> {
  return requestAPI<IAbout>('about', settings);
}
