import type { IJupyterLabPageFixture } from '@jupyterlab/galata';

import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import { JobPage } from '../pages/job';
import { NotebookPage } from '../pages/notebook';
import { TablePage } from '../pages/table';

/** The widgets of these cells keep nobody out in any theme, and fit into a narrow notebook. */
async function expectPresentable(
  page: IJupyterLabPageFixture,
  notebook: NotebookPage,
  cells: readonly number[]
): Promise<void> {
  for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
    await page.theme.setTheme(theme);
    for (const index of cells) {
      // What is scrolled away is not looked at.
      await notebook.output(index).last().scrollIntoViewIfNeeded();
      await expectAccessible(page, `cell ${index}, ${theme}`, [
        `.jp-Cell[data-windowed-list-index="${index}"] .jp-OutputArea-output`
      ]);
    }
  }
  const size = page.viewportSize() ?? { width: 1280, height: 800 };
  for (const index of cells) {
    await notebook.resizeOutput(index, 600);
    expect(await notebook.overflow(index)).toEqual([]);
  }
  await page.setViewportSize(size);
}

test('a notebook reaches the studio without configuration, and logs a run', async ({
  studio
}) => {
  const notebook = new NotebookPage(studio);
  const runs = new TablePage(studio, 'Runs');
  await notebook.create('first', [
    {
      source: `
import boto3
found = boto3.client("sagemaker").list_training_jobs(NameContains="of-no-job")
print(len(found["TrainingJobSummaries"]), "jobs")`
    },
    { source: '%load_ext bottega' },
    {
      source: `%%experiment readings --run steady
import mlflow
mlflow.log_param("depth", 3)
mlflow.log_metric("auc", 0.875)`
    }
  ]);
  await notebook.run(0);
  await expect(notebook.output(0)).toHaveText('0 jobs');
  await notebook.run(1);
  await notebook.run(2);
  await expect(notebook.cell(2).getByRole('table')).toContainText('0.875');

  const experiment = await studio.awaitExperiment('readings', 1);
  await studio.open(`experiments/${experiment}`);
  await expect(runs.grid.getByText('steady')).toBeVisible();
  await expect(runs.grid.getByText('0.875')).toBeVisible();
});

test('a model is trained, deployed and asked by magics', async ({ studio }) => {
  const notebook = new NotebookPage(studio);
  await notebook.create('magics', [
    {
      source: `
%load_ext bottega
import pandas as pd
tumours = pd.read_csv("../tumours.csv")
features = tumours.drop(columns="benign")`
    },
    {
      source: `%%train xgboost --name by-magic --target benign --data tumours
objective: binary:logistic
num_round: 3000`
    },
    { source: '%deploy --name magic' },
    { source: 'predicted = %predict magic features[:3]\nprint(*predicted)' },
    { source: '%jobs --name by-magic' }
  ]);
  await notebook.run(0);
  await notebook.start(1);
  const monitor = notebook.widget('Training job by-magic');
  await expect(monitor.getByRole('progressbar')).toBeVisible();
  await notebook.finish(1);
  await expect(notebook.snapshot(1)).toContainText('by-magic: Completed after');
  await expect(notebook.snapshot(1).getByRole('img').first()).toBeVisible();

  await notebook.run(2);
  await expect(notebook.cell(2)).toContainText('Endpoint magic: InService');
  await expect(notebook.widget('Endpoint magic')).toBeVisible();
  await notebook.run(3);
  await expect(notebook.output(3)).toHaveText(/^(0\.\d+(e-\d+)?\s*){3}$/);
  await notebook.run(4);
  const row = notebook.cell(4).getByRole('row', { name: /by-magic/ });
  await expect(row).toContainText('Completed');
});

test('a monitor survives reloads and the end of its kernel', async ({
  page,
  studio
}) => {
  const notebook = new NotebookPage(studio);
  await notebook.create('monitor', [
    { source: '%load_ext bottega' },
    {
      source: `%%train --script --name watched --no-wait --metric loss "loss=([0-9.]+)"
import time
for step in range(1, 100000):
    print(f"step {step} loss={1 / step}", flush=True)
    time.sleep(0.2)`
    }
  ]);
  await notebook.run(0);
  await notebook.run(1);
  const monitor = notebook.widget('Training job watched');
  const log = monitor.getByLabel('Last lines of the log');
  const step = async (): Promise<number> =>
    Number(/step (\d+) [^\n]*$/.exec((await log.textContent()) ?? '')?.[1]);
  const expectLive = async (): Promise<void> => {
    await expect(log).toContainText('step ');
    const before = await step();
    await expect.poll(step).toBeGreaterThan(before);
  };
  const fromServer = monitor.getByText('this comes from the Jupyter server');
  await expectLive();
  await expect(monitor.getByRole('img', { name: /^loss/ })).toBeVisible();
  await expectPresentable(page, notebook, [1]);

  await notebook.save();
  await notebook.reload();
  await expectLive();
  await expect(fromServer).toBeHidden();

  await notebook.restartKernel();
  await expect(fromServer).toBeVisible();
  await expectLive();

  await notebook.save();
  await notebook.reload();
  await expect(fromServer).toBeVisible();
  await expectLive();
  await monitor.getByRole('button', { name: 'Stop' }).click();
  await expect(monitor).toContainText('Stopped');
});

test('widgets send a request and train, in every theme and width', async ({
  page,
  studio
}) => {
  const notebook = new NotebookPage(studio);
  await studio.startTraining('shown', { num_round: '20' });
  await studio.awaitJob('shown', 'Completed');
  const deployed = await page.request.post('/bottega/deployments', {
    data: { job: 'shown', name: 'shown' }
  });
  expect(deployed.ok(), await deployed.text()).toBe(true);
  await notebook.create('widgets', [
    {
      source: `
import pandas as pd
from bottega import EndpointTester, JobMonitor, TrainingLauncher
tumours = pd.read_csv("../tumours.csv")`
    },
    { source: 'EndpointTester("shown")' },
    { source: 'TrainingLauncher()' },
    { source: 'JobMonitor("shown")' }
  ]);
  await notebook.run(0);
  await notebook.run(1);
  await notebook.run(2);
  await notebook.run(3);
  const tester = notebook.widget('Endpoint shown');
  await tester.getByRole('button', { name: 'Send' }).click();
  await expect(tester.getByLabel('Answer')).toHaveText(/0\.\d+/);

  const launcher = notebook.widget('Train a model');
  await launcher.getByText('More hyperparameters').click();
  await expectPresentable(page, notebook, [1, 2, 3]);

  await launcher.getByLabel('Target column').fill('benign');
  await launcher.getByLabel('Job name').fill('launched');
  await launcher.getByLabel('num_round').fill('20');
  await launcher.getByRole('button', { name: 'Train', exact: true }).click();
  await expect(notebook.snapshot(2)).toContainText('launched: Completed after');
});

test('a notebook runs as a job with parameters, and comes back executed', async ({
  page,
  studio
}) => {
  const notebook = new NotebookPage(studio);
  const job = new JobPage(studio);
  await notebook.create('report', [
    { source: 'rounds = 5', tags: ['parameters'] },
    { source: 'print("counted to", rounds)' }
  ]);
  await notebook.press('Run as a job');
  const dialog = page.getByRole('dialog');
  const value = dialog.getByLabel('parameter rounds: value');
  await expect(value).toHaveValue('5');
  await value.fill('80');
  await dialog.getByRole('button', { name: 'Run as a job' }).click();
  await expect(job.status).toHaveText(/Completed/, { timeout: 60_000 });

  await page.getByRole('button', { name: 'Open executed notebook' }).click();
  await expect(notebook.panel.getByText('rounds = 80')).toBeVisible();
  await expect(notebook.panel.getByText('counted to 80')).toBeVisible();
});
