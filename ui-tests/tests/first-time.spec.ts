import { expect, test } from '../fixtures/studio';
import { EndpointPage } from '../pages/endpoint';
import { JobPage } from '../pages/job';
import { TrainPage } from '../pages/train';

test('from the Launcher to a first prediction', async ({ page, studio }) => {
  const train = new TrainPage(studio);
  const job = new JobPage(studio);
  const endpoint = new EndpointPage(studio);

  await page
    .locator('.jp-LauncherCard')
    .filter({ hasText: 'Train a model' })
    .click();
  await train.chooseData('tumours.csv');
  await train.chooseLabel('benign');
  await train.set('objective', 'binary:logistic');
  await train.set('num_round', '20');
  await train.name('first-job');
  await expect(train.start).toBeEnabled();
  await train.start.click();

  await expect(job.status).toHaveText(/Completed/, { timeout: 60_000 });
  await expect(job.timeline.locator('[data-step="Training"]')).toBeVisible();
  await expect(
    studio.screen.locator('.jp-BottegaPlot[data-ready="true"]').first()
  ).toBeVisible();

  await job.press('Deploy');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Deploy', exact: true })
    .click();
  await expect(endpoint.status).toHaveText(/InService/, { timeout: 60_000 });

  await endpoint.show('Test');
  await expect(endpoint.body).not.toHaveValue('');
  await endpoint.send();
  await expect(endpoint.answer).toContainText(/0\.\d+/);
  await endpoint.show('Overview');
  await expect(endpoint.figure('p50')).toHaveText(/ms/);
});

test('what would fail is said before the start', async ({ studio }) => {
  const train = new TrainPage(studio);
  await studio.open('train');
  await expect(train.findings.first()).toContainText('Choose the data');
  await expect(train.start).toBeDisabled();
  await train.chooseData('nowhere.csv');
  await expect(studio.screen.getByText(/nowhere\.csv/).first()).toBeVisible();
  await expect(train.start).toBeDisabled();
});

test('a file of the file browser is trained on by its context menu', async ({
  page,
  studio
}) => {
  const train = new TrainPage(studio);
  const path = await studio.write('points.csv', 'x,y\n1,2\n2,4\n3,6\n4,8\n');
  await page.filebrowser.openDirectory(studio.folder);
  await page.filebrowser.refresh();
  await page
    .locator('.jp-DirListing-item')
    .filter({ hasText: 'points.csv' })
    .click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Train on This' }).click();
  await train.chooseLabel('y');
  await expect(
    studio.screen
      .getByText(path)
      .or(studio.screen.locator(`input[value="${path}"]`))
      .first()
  ).toBeVisible();
});
