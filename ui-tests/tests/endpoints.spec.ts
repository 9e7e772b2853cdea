import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator, TestInfo } from '@playwright/test';

import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import { EndpointPage } from '../pages/endpoint';
import { JobPage } from '../pages/job';
import type { Studio } from '../pages/studio';

const JOB = 'endpoint-model';

/** A trained model; the tests of this file share one. */
async function model(studio: Studio): Promise<string> {
  const { TrainingJobSummaries: found } = await studio.call<{
    TrainingJobSummaries: Array<{ TrainingJobName: string }>;
  }>('sagemaker', 'ListTrainingJobs', { NameContains: JOB });
  if (found.length === 0) {
    await studio.startTraining(JOB, { num_round: '10' });
  }
  await studio.awaitJob(JOB, 'Completed');
  return JOB;
}

/** Put the model behind an endpoint, and open that. */
async function deploy(
  studio: Studio,
  name: string,
  more: object = {}
): Promise<EndpointPage> {
  const endpoint = new EndpointPage(studio);
  const job = await model(studio);
  const sent = await studio.page.request.post('/bottega/deployments', {
    data: { job, name, ...more }
  });
  expect(sent.ok(), await sent.text()).toBe(true);
  await studio.open(`endpoints/${name}`);
  await expect(endpoint.status).toHaveText(/InService/, { timeout: 60_000 });
  return endpoint;
}

/** The parts that are being worked with, in both themes. */
async function look(
  page: IJupyterLabPageFixture,
  info: TestInfo,
  name: string,
  place = '.jp-BottegaScreen:not(.lm-mod-hidden)'
): Promise<void> {
  for (const shade of ['Light', 'Dark']) {
    await page.theme.setTheme(`JupyterLab ${shade}`);
    const path = info.outputPath('pictures', `${name}-${shade}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    await expectAccessible(page, `${name} ${shade}`, [place]);
  }
}

test('traffic moves between two variants', async ({ page, studio }, info) => {
  const job = await model(studio);
  await deploy(studio, 'shares');
  const { ModelName: name } = await studio.call<{ ModelName: string }>(
    'sagemaker',
    'DescribeModel',
    { ModelName: 'shares' }
  );
  await studio.call('sagemaker', 'CreateEndpointConfig', {
    EndpointConfigName: 'shares-two',
    ProductionVariants: ['blue', 'green'].map(variant => ({
      VariantName: variant,
      ModelName: name,
      InstanceType: 'ml.m5.large',
      InitialInstanceCount: 1,
      InitialVariantWeight: 1
    }))
  });
  await studio.call('sagemaker', 'UpdateEndpoint', {
    EndpointName: 'shares',
    EndpointConfigName: 'shares-two'
  });
  const green = studio.screen.getByRole('slider', { name: 'Traffic of green' });
  const apply = studio.screen.getByRole('button', { name: 'Apply' });
  await expect(green).toBeEnabled({ timeout: 60_000 });
  await expect(apply).toBeDisabled();
  await green.focus();
  for (let press = 0; press < 30; press += 1) {
    await green.press('ArrowLeft');
  }
  await expect(green).toHaveAttribute('aria-valuetext', '20 %');
  await expect(
    studio.screen.getByRole('slider', { name: 'Traffic of blue' })
  ).toHaveAttribute('aria-valuetext', '80 %');
  await look(page, info, 'shares');
  await apply.click();
  await expect(apply).toBeDisabled();
  await expect
    .poll(async () => {
      const found = await studio.call<{
        EndpointStatus: string;
        ProductionVariants: Array<{ CurrentWeight: number }>;
      }>('sagemaker', 'DescribeEndpoint', { EndpointName: 'shares' });
      return found.ProductionVariants.map(variant => variant.CurrentWeight);
    })
    .toEqual([80, 20]);
});

test('a canary is watched, and rolled back', async ({ page, studio }, info) => {
  const endpoint = await deploy(studio, 'canary');
  await endpoint.show('Alarms');
  await studio.screen.getByRole('button', { name: 'New alarm' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Watches').selectOption('errors5xx');
  await look(page, info, 'alarm-form', '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(studio.screen.getByText('canary-errors')).toBeVisible();
  await look(page, info, 'alarms');

  await studio.screen
    .getByRole('button', { name: 'Update', exact: true })
    .click();
  await dialog.getByLabel('Way').selectOption('Canary');
  await dialog.getByLabel('Canary, % of the traffic').fill('20');
  await dialog.getByLabel('Baking after each step, seconds').fill('600');
  await dialog.getByLabel('canary-errors').check();
  await look(page, info, 'update', '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Update', exact: true }).click();

  const banner = studio.screen.getByRole('region', { name: 'Update' });
  await expect(banner).toContainText('baking', { timeout: 60_000 });
  await expect(banner).toContainText('20 % of the traffic');
  await look(page, info, 'rollout');
  await studio.open('endpoints');
  const row = studio.screen.locator('[data-key="canary"]');
  await expect(row).toContainText('Updating · 20 %');
  await look(page, info, 'endpoints');
  await studio.open('endpoints/canary');
  await banner.getByRole('button', { name: 'Roll back now' }).click();
  await expect(endpoint.status).toHaveText(/InService/, { timeout: 60_000 });
  await endpoint.show('Deployments');
  await expect(
    studio.screen.getByRole('cell', { name: 'Rolled back' })
  ).toBeVisible();
  await look(page, info, 'deployments');
});

test('a variant is scaled', async ({ page, studio }, info) => {
  const endpoint = await deploy(studio, 'scaled');
  await endpoint.show('Scaling');
  await studio.screen
    .getByRole('button', { name: 'Scale this variant' })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Instances, at least').fill('2');
  await dialog.getByLabel('At most', { exact: true }).fill('3');
  await look(page, info, 'scaling-form', '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await expect(
    studio.screen.locator('[data-activity="Successful"]').first()
  ).toBeVisible({ timeout: 60_000 });
  await expect(
    studio.screen.locator('[data-policy="AllTraffic-target"]')
  ).toContainText('requests a minute of each instance, target 600');
  await expect(studio.screen.locator('.jp-BottegaHeader')).toContainText(
    '2 instances'
  );
  await look(page, info, 'scaling');
});

test('what was captured is tested again', async ({ page, studio }, info) => {
  const endpoint = new EndpointPage(studio);
  const job = new JobPage(studio);
  await job.open(await model(studio));
  await job.press('Deploy');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Nothing wrong can be seen of the model.');
  await dialog.getByLabel('Endpoint name').fill('captured');
  await dialog.getByLabel('Capture, % of the requests').fill('100');
  await look(page, info, 'deploy', '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Deploy', exact: true }).click();
  await expect(endpoint.status).toHaveText(/InService/, { timeout: 60_000 });
  await endpoint.show('Test');
  await expect(endpoint.body).not.toHaveValue('');
  const body = await endpoint.body.inputValue();
  await studio.screen.getByLabel('Inference id').fill('seven');
  await endpoint.send();
  await expect(endpoint.answer).toContainText(/0\.\d+/);
  await endpoint.body.fill('something else');
  await endpoint.show('Capture');
  await studio.screen
    .getByRole('button', { name: 'Use in test' })
    .first()
    .click({ timeout: 60_000 });
  await expect(endpoint.body).toHaveValue(body);
  await endpoint.send();
  await expect(endpoint.answer).toContainText(/0\.\d+/);
  await look(page, info, 'test');
  await endpoint.show('Overview');
  await expect(endpoint.figure('p50')).toHaveText(/ms/);
  await look(page, info, 'overview');
  await endpoint.show('Capture');
  await look(page, info, 'capture');
});

test('an asynchronous endpoint answers later', async ({
  page,
  studio
}, info) => {
  const endpoint = await deploy(studio, 'later', { asynchronous: true });
  await endpoint.show('Test');
  await expect(endpoint.body).not.toHaveValue('');
  await endpoint.send();
  await expect(studio.screen.locator('[data-answer="stored"]')).toContainText(
    /later\/async\/answers\/.*0\.\d+/s,
    { timeout: 60_000 }
  );
  await look(page, info, 'asynchronous');
});

test('models that share an endpoint are asked, copied and removed', async ({
  page,
  studio
}, info) => {
  const job = await model(studio);
  const trained = await studio.call<{
    AlgorithmSpecification: { TrainingImage: string };
    ModelArtifacts: { S3ModelArtifacts: string };
    RoleArn: string;
  }>('sagemaker', 'DescribeTrainingJob', { TrainingJobName: job });
  await studio.call('sagemaker', 'CreateModel', {
    ModelName: 'together',
    PrimaryContainer: {
      Image: trained.AlgorithmSpecification.TrainingImage,
      ModelDataUrl: trained.ModelArtifacts.S3ModelArtifacts
    }
  });
  await studio.call('sagemaker', 'CreateEndpointConfig', {
    EndpointConfigName: 'together',
    ExecutionRoleArn: trained.RoleArn,
    ProductionVariants: [
      {
        VariantName: 'AllTraffic',
        InstanceType: 'ml.m5.large',
        InitialInstanceCount: 1
      }
    ]
  });
  await studio.call('sagemaker', 'CreateEndpoint', {
    EndpointName: 'together',
    EndpointConfigName: 'together'
  });
  const endpoint = new EndpointPage(studio);
  await studio.open('endpoints/together');
  await expect(endpoint.status).toHaveText(/InService/, { timeout: 60_000 });
  await expect(
    studio.screen.getByText('No model is on this endpoint yet')
  ).toBeVisible();

  for (const name of ['first', 'second']) {
    await studio.call('sagemaker', 'CreateInferenceComponent', {
      InferenceComponentName: name,
      EndpointName: 'together',
      Specification: {
        ModelName: 'together',
        ComputeResourceRequirements: { MinMemoryRequiredInMb: 256 }
      },
      RuntimeConfig: { CopyCount: 1 }
    });
  }
  const row = (name: string): Locator =>
    studio.screen.locator(`[data-component="${name}"]`);
  await expect(row('second')).toContainText('InService', { timeout: 60_000 });
  await endpoint.show('Test');
  await studio.screen.getByLabel('Inference component').selectOption('second');
  await endpoint.body.fill(
    '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30'
  );
  await endpoint.send();
  await expect(endpoint.answer).toBeVisible();
  await look(page, info, 'component-test');
  await endpoint.show('Logs');
  await expect(studio.screen.getByLabel('Inference component')).toHaveValue(
    'first'
  );
  await expect(
    studio.screen.getByRole('group', { name: /^Lines of/ })
  ).toBeVisible();
  await endpoint.show('Overview');
  await studio.screen.getByLabel('Copies of second').fill('2');
  await row('second').getByRole('button', { name: 'Apply' }).click();
  await expect
    .poll(async () => {
      const found = await studio.call<{
        RuntimeConfig: { CurrentCopyCount: number };
      }>('sagemaker', 'DescribeInferenceComponent', {
        InferenceComponentName: 'second'
      });
      return found.RuntimeConfig.CurrentCopyCount;
    })
    .toBe(2);
  await look(page, info, 'components');
  await row('first').getByRole('button', { name: 'Delete' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Delete' })
    .click();
  await expect(row('first')).toHaveCount(0);
});
