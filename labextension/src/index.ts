import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { about } from './features/about/plugin';
import { endpoints } from './features/endpoints/plugin';
import {
  client,
  notifications,
  sidebar,
  statusItem,
  studio
} from './features/shell/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  about,
  client,
  studio,
  sidebar,
  statusItem,
  notifications,
  endpoints
];

export default plugins;
