import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { TestInfo } from '@playwright/test';

import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import { JobPage } from '../pages/job';
import type { Studio } from '../pages/studio';

const JOB = 'registered-model';
const SCREEN = '.jp-BottegaScreen:not(.lm-mod-hidden)';

/** A trained model's image and archive; the tests of this file share one. */
async function trained(
  studio: Studio
): Promise<{ Image: string; ModelDataUrl: string }> {
  const { TrainingJobSummaries: found } = await studio.call<{
    TrainingJobSummaries: Array<{ TrainingJobName: string }>;
  }>('sagemaker', 'ListTrainingJobs', { NameContains: JOB });
  if (found.length === 0) {
    await studio.startTraining(JOB, { num_round: '10' });
  }
  await studio.awaitJob(JOB, 'Completed');
  const job = await studio.call<{
    AlgorithmSpecification: { TrainingImage: string };
    ModelArtifacts: { S3ModelArtifacts: string };
  }>('sagemaker', 'DescribeTrainingJob', { TrainingJobName: JOB });
  return {
    Image: job.AlgorithmSpecification.TrainingImage,
    ModelDataUrl: job.ModelArtifacts.S3ModelArtifacts
  };
}

/** Register each container as the next version of a group. */
async function register(
  studio: Studio,
  group: string,
  containers: object[],
  approval: string
): Promise<void> {
  for (const container of containers) {
    await studio.call('sagemaker', 'CreateModelPackage', {
      ModelPackageGroupName: group,
      ModelApprovalStatus: approval,
      InferenceSpecification: { Containers: [container] }
    });
  }
}

/** What is being worked with, in both themes where not said otherwise. */
async function look(
  page: IJupyterLabPageFixture,
  info: TestInfo,
  name: string,
  place = SCREEN,
  shades: readonly string[] = ['Light', 'Dark']
): Promise<void> {
  for (const shade of shades) {
    await page.theme.setTheme(`JupyterLab ${shade}`);
    const path = info.outputPath('pictures', `${name}-${shade}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    await expectAccessible(page, `${name} ${shade}`, [place]);
  }
}

test('a job is registered, approved and deployed in one step, and found in the lineage', async ({
  page,
  studio
}, info) => {
  test.slow();
  await trained(studio);
  const job = new JobPage(studio);
  const dialog = page.getByRole('dialog');
  await job.open(JOB);
  await job.press('Register');
  await expect(dialog.getByLabel('Group')).toHaveValue(JOB);
  await dialog.getByLabel('Group').fill('Churn');
  await expect(dialog).toContainText('The group is made');
  await dialog.getByLabel(/^Description/).fill('with the new tariffs');
  await look(page, info, 'register', '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  const version = studio.screen.getByRole('button', { name: 'Churn/1' });
  await expect(version).toBeVisible();
  await look(page, info, 'registered', SCREEN, ['Dark']);
  await version.click();

  await expect(
    studio.screen.getByRole('heading', { name: 'Version 1' })
  ).toBeVisible();
  const deploy = studio.screen.getByRole('button', {
    name: 'Approve and deploy'
  });
  await expect(deploy).toBeEnabled();
  await deploy.click();
  await expect(dialog).toContainText('Nothing wrong can be seen of the model.');
  await dialog.getByLabel('Endpoint name').fill('churn-live');
  await dialog.getByLabel(/^Why it is approved/).fill('it is better');
  await look(page, info, 'approve-and-deploy', '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Approve and deploy' }).click();
  await expect(studio.screen).toContainText('InService', { timeout: 60_000 });

  await studio.open('models/Churn');
  await expect(
    studio.screen.locator('[data-approval="Approved"]')
  ).toContainText('it is better');
  await expect(
    studio.screen.getByRole('button', { name: /churn-live/ })
  ).toBeVisible();
  await look(page, info, 'lineage');
  // What the keyboard leads to comes into sight.
  const graph = studio.screen.getByRole('group', { name: 'Lineage' });
  await graph.getByRole('button', { name: /^Version/ }).focus();
  for (const kind of ['Training job', 'Endpoint', 'Run']) {
    await page.keyboard.press('Tab');
    const reached = graph.locator('button:focus');
    await expect(reached).toContainText(kind);
    await expect(reached).toBeInViewport({ ratio: 0.99 });
  }
  await look(page, info, 'lineage-moved', SCREEN, ['Light']);
});

test('versions are filtered, refused, rejected and deleted', async ({
  page,
  studio
}, info) => {
  test.slow();
  const container = await trained(studio);
  const dialog = page.getByRole('dialog');
  await studio.call('sagemaker', 'CreateModelPackageGroup', {
    ModelPackageGroupName: 'Houses'
  });
  await register(
    studio,
    'Houses',
    // The second has nothing that the image could serve.
    [container, { ...container, Image: 'python' }],
    'Approved'
  );
  await register(
    studio,
    'Houses',
    [{ ...container, ModelDataUrl: 's3://nowhere/model.tar.gz' }],
    'PendingManualApproval'
  );
  await studio.open('models/Houses');
  // The newest one is not valid; it can be rejected like others.
  await expect(studio.screen.getByRole('alert')).toContainText(
    'The version is not valid.'
  );
  await expect(
    studio.screen.getByRole('button', { name: 'Approve and deploy' })
  ).toBeDisabled();
  await look(page, info, 'failed');
  await studio.screen.getByRole('button', { name: 'Reject' }).press('Enter');
  await dialog.getByRole('textbox').fill('its data is gone');
  await dialog.getByRole('textbox').press('Enter');
  await expect(
    studio.screen.locator('[data-approval="Rejected"]')
  ).toContainText('its data is gone');

  const box = studio.screen.getByRole('searchbox', { name: 'Filter versions' });
  await box.fill('approval:Approved');
  await expect(
    studio.screen.getByRole('heading', { name: 'Version 2' })
  ).toBeVisible();
  await studio.screen
    .getByRole('button', { name: 'Deploy', exact: true })
    .click();
  await expect(dialog.getByRole('alert')).toContainText('cannot be served');
  await expect(
    dialog.getByRole('button', { name: 'Deploy', exact: true })
  ).toBeDisabled();
  await look(page, info, 'findings', '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).press('Enter');
  await expect(dialog).toBeHidden();

  await box.fill('none like this');
  await expect(
    studio.screen.getByText('No version matches the filter.')
  ).toBeVisible();
  await look(page, info, 'no-match', SCREEN, ['Dark']);
  await studio.screen
    .getByRole('button', { name: 'Clear the filter' })
    .press('Enter');

  for (const number of [3, 2, 1]) {
    await studio.screen
      .getByRole('button', { name: `Delete version ${number}` })
      .click();
    await expect(dialog).toContainText('No endpoint serves it.');
    if (number === 3) {
      await look(page, info, 'delete', '.jp-Dialog', ['Dark']);
    }
    await dialog.getByRole('button', { name: 'Delete version' }).click();
    await expect(
      studio.screen.getByRole('heading', { name: `Version ${number}` })
    ).toBeHidden();
  }
  await expect(studio.screen).toContainText('The group has no version.');
  await look(page, info, 'empty-group', SCREEN, ['Dark']);
  await studio.screen.getByRole('button', { name: 'Delete group' }).click();
  await dialog.getByRole('button', { name: 'Delete group' }).click();
  await expect(
    studio.screen.getByRole('heading', { name: 'Models', exact: true })
  ).toBeVisible();
  await expect(studio.screen.locator('[data-key="Houses"]')).toHaveCount(0);
});
