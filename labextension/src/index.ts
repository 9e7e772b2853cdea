import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { about } from './features/about/plugin';
import { endpoints } from './features/endpoints/plugin';
import { experiments } from './features/experiments/plugin';
import { replays } from './features/jobs/failurePlugin';
import { jobs } from './features/jobs/plugin';
import {
  client,
  notifications,
  sidebar,
  statusItem,
  studio
} from './features/shell/plugin';
import { models } from './features/models/plugin';
import { notebookJobs } from './features/training/notebookPlugin';
import { training } from './features/training/plugin';
import { tuning } from './features/tuning/plugin';
import { wranglerOutputs } from './features/wrangler/notebook/plugin';
import { wrangler } from './features/wrangler/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  about,
  client,
  studio,
  sidebar,
  statusItem,
  notifications,
  jobs,
  replays,
  experiments,
  models,
  endpoints,
  training,
  tuning,
  notebookJobs,
  wrangler,
  wranglerOutputs
];

export default plugins;
