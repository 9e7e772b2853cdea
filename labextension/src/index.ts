import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { about } from './features/about/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [about];

export default plugins;
