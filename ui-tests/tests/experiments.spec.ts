import { expect, test } from '../fixtures/studio';
import { EndpointPage } from '../pages/endpoint';
import { TablePage } from '../pages/table';

test('two runs are compared, and the best one is registered and deployed', async ({
  page,
  studio
}) => {
  const endpoint = new EndpointPage(studio);
  const runs = new TablePage(studio, 'Runs');
  for (const [name, rounds] of [
    ['shallow', '2'],
    ['deep', '30']
  ] as const) {
    await studio.startTraining(
      name,
      { num_round: rounds },
      { experiment: 'tumours' }
    );
    await studio.awaitJob(name, 'Completed');
  }
  const experiment = await studio.awaitExperiment('tumours', 2);
  await studio.open(`experiments/${experiment}`);
  await expect(runs.grid.locator('[role="row"][data-key]')).toHaveCount(2);
  for (const box of await runs.grid.getByRole('checkbox').all()) {
    await box.check();
  }
  await studio.screen.getByRole('tab', { name: 'Diff' }).click();
  const different = studio.screen.locator(
    '[data-section="parameters"] [data-differs="true"]'
  );
  await expect(different.filter({ hasText: 'num_round' })).toContainText('30');

  const best = studio.screen.getByRole('group', { name: 'Best run' });
  await expect(best).toContainText('deep');
  await best.getByRole('button', { name: /^Register/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name of the model').fill('tumours');
  await dialog.getByRole('button', { name: 'Register', exact: true }).click();
  await expect(page.getByText(/version 1/i).first()).toBeVisible();

  await best.getByRole('button', { name: /^Deploy/ }).click();
  await dialog.getByLabel('Endpoint name').fill('best-run');
  await dialog.getByRole('button', { name: 'Deploy', exact: true }).click();
  await expect(endpoint.status).toHaveText(/InService/, { timeout: 60_000 });
});
