import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import { JobPage } from '../pages/job';
import { NotebookPage } from '../pages/notebook';
import { TablePage } from '../pages/table';
import { TrainPage } from '../pages/train';

test('a model is tuned from the form, watched, and its best is opened', async ({
  page,
  studio
}, info) => {
  test.slow(); // pictures of each tab, and axe over all of them, in both themes
  const train = new TrainPage(studio);
  const { screen } = studio;

  await studio.open('tuning');
  await screen.getByRole('button', { name: 'Tune a model' }).last().click();
  await expect(
    screen.getByRole('heading', { name: 'Tune a model' })
  ).toBeVisible();
  await train.chooseData('tumours.csv');
  await train.chooseLabel('benign');
  await screen.getByRole('button', { name: 'Add validation data' }).click();
  await train.chooseData('tumours-validation.csv', 'Validation data');
  await train.set('objective', 'binary:logistic');
  await screen
    .getByLabel('Objective metric')
    .selectOption('validation:logloss');
  await screen.getByLabel('num_round: lowest').fill('200');
  await screen.getByLabel('num_round: highest').fill('20');
  await expect(
    screen.getByText(/lowest value of num_round, 200/).first()
  ).toBeVisible();
  await screen.getByLabel('num_round: lowest').fill('5');
  await screen.getByLabel('Trials', { exact: true }).fill('6');
  await train.name('tumour-search');
  for (const shade of ['Light', 'Dark']) {
    await page.theme.setTheme(`JupyterLab ${shade}`);
    const path = info.outputPath('pictures', `tune-${shade}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    await expectAccessible(page, `tune ${shade}`, [
      '.jp-BottegaScreen:not(.lm-mod-hidden)'
    ]);
  }
  const start = screen.getByRole('button', { name: 'Tune', exact: true });
  await expect(start).toBeEnabled();
  await start.click();

  await expect(
    screen.getByRole('heading', { name: 'tumour-search' })
  ).toBeVisible();
  await expect(screen.locator('.jp-BottegaStatus').first()).toHaveText(
    /Completed/,
    { timeout: 100_000 }
  );
  await expect(screen).toContainText('6 / 6 trials ended · 6 completed');
  await expect(
    screen.getByRole('img', { name: /The best validation:logloss over 6/ })
  ).toBeVisible();
  await expect(screen.locator('.jp-BottegaPlot')).toHaveAttribute(
    'data-ready',
    'true'
  );

  for (const tab of [
    'Overview',
    'Trials',
    'Parallel coordinates',
    'Configuration'
  ]) {
    await screen.getByRole('tab', { name: new RegExp(`^${tab}`) }).click();
    if (tab === 'Parallel coordinates') {
      await expect(
        screen.getByRole('img', { name: /Parallel coordinates of 6 trials/ })
      ).toBeVisible();
      await expect(screen.locator('.jp-BottegaPlot')).toHaveAttribute(
        'data-ready',
        'true'
      );
    }
    for (const shade of ['Light', 'Dark']) {
      await page.theme.setTheme(`JupyterLab ${shade}`);
      const name = tab.toLowerCase().replace(/ /g, '-');
      const path = info.outputPath('pictures', `${name}-${shade}.png`);
      await page.screenshot({ path, animations: 'disabled' });
      await expectAccessible(page, `${tab} ${shade}`, [
        '.jp-BottegaScreen:not(.lm-mod-hidden)'
      ]);
    }
  }

  await screen.getByRole('tab', { name: /^Trials/ }).click();
  const trials = new TablePage(studio, 'Trials');
  await trials.grid
    .getByRole('button', { name: /^validation:logloss/ })
    .click();
  await expect(trials.grid.locator('[data-key]')).toHaveCount(6);
  await trials.grid.locator('[data-key]', { hasText: 'best' }).focus();
  await page.keyboard.press('Enter');
  await expect(new JobPage(studio).status).toHaveText(/Completed/);

  await studio.showSidebar();
  await expect(
    studio.sidebar.getByRole('button', {
      name: /^Completed tumour-search [\d.]+$/
    })
  ).toBeVisible();
  await studio.open('tuning');
  await expect(
    new TablePage(studio, 'Tuning jobs').row('tumour-search')
  ).toContainText('6 / 6');
  const path = info.outputPath('pictures', 'tunings.png');
  await page.screenshot({ path, animations: 'disabled' });
});

test('a search is stopped while it runs', async ({ page, studio }) => {
  const facts = await studio.call<{ DefaultBucket: string; RoleArn: string }>(
    'bottega',
    'DescribeStudio',
    {}
  );
  const job = 'patient-script';
  await studio.startScript(
    job,
    'import time\nprint("loss=1.5;")\ntime.sleep(600)\n'
  );
  const described = await studio.call<{
    HyperParameters: Record<string, string>;
  }>('sagemaker', 'DescribeTrainingJob', { TrainingJobName: job });
  await studio.call('sagemaker', 'StopTrainingJob', { TrainingJobName: job });
  await studio.awaitJob(job, 'Stopped');
  await studio.call('sagemaker', 'CreateHyperParameterTuningJob', {
    HyperParameterTuningJobName: 'patient-search',
    HyperParameterTuningJobConfig: {
      Strategy: 'Random',
      HyperParameterTuningJobObjective: {
        Type: 'Minimize',
        MetricName: 'loss'
      },
      ResourceLimits: {
        MaxNumberOfTrainingJobs: 9,
        MaxParallelTrainingJobs: 1
      },
      ParameterRanges: {
        ContinuousParameterRanges: [
          {
            Name: 'rate',
            MinValue: '0.1',
            MaxValue: '0.9',
            ScalingType: 'Auto'
          }
        ]
      }
    },
    TrainingJobDefinition: {
      StaticHyperParameters: described.HyperParameters,
      AlgorithmSpecification: {
        TrainingImage: 'python',
        TrainingInputMode: 'File',
        MetricDefinitions: [{ Name: 'loss', Regex: 'loss=([0-9.]+);' }]
      },
      RoleArn: facts.RoleArn,
      OutputDataConfig: { S3OutputPath: `s3://${facts.DefaultBucket}/` },
      ResourceConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 30
      },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 }
    }
  });

  await studio.open('tuning/patient-search?tab=trials');
  const trials = new TablePage(studio, 'Trials');
  await expect(trials.grid.locator('[data-key]')).toHaveCount(1);
  // The objective of a trial that runs comes with its metrics.
  await expect(trials.grid).toContainText('1.5');
  await studio.screen.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Stop tuning' }).click();
  await expect(studio.screen.locator('.jp-BottegaStatus').first()).toHaveText(
    /Stopped/
  );
  await expect(trials.grid.locator('.jp-BottegaStatus')).toHaveText(/Stopped/);
});

test('a cell searches, and its monitor survives the end of the kernel', async ({
  page,
  studio
}, info) => {
  const notebook = new NotebookPage(studio);
  await notebook.create('search', [
    { source: '%load_ext bottega' },
    {
      source: `%%tune --script --image python --name cell-search --metric loss "loss=([0-9.]+);" --objective loss --minimize --range rate 0.1..0.9 --trials 60 --parallel 1 --no-wait
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
time.sleep(1)
print(f"loss={parser.parse_args().rate};")`
    }
  ]);
  await notebook.run(0);
  await notebook.run(1);
  const widget = notebook.widget('Tuning job cell-search');
  await expect(widget).toContainText(/[2-9] of 60 trials ended/);
  await expect(
    widget.getByRole('img', { name: /The best loss over/ })
  ).toBeVisible();
  await widget.getByText('The best trials', { exact: true }).click();
  await expect(widget.getByRole('table')).toContainText('rate');
  for (const shade of ['Light', 'Dark']) {
    await page.theme.setTheme(`JupyterLab ${shade}`);
    const path = info.outputPath('pictures', `monitor-${shade}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    await expectAccessible(page, `monitor ${shade}`, ['.bottega-widget']);
  }

  await page.evaluate(async () => {
    const { sessions } = window.jupyterapp.serviceManager;
    await sessions.shutdownAll();
  });
  await expect(widget).toContainText(
    'The kernel is silent; this comes from the Jupyter server.'
  );
  await widget.getByRole('button', { name: 'Stop' }).click();
  await expect(widget).toContainText('■ Stopped');
});
