import { mkdirSync } from 'fs';
import { join } from 'path';

import AxeBuilder from '@axe-core/playwright';
import type { Page, TestInfo } from '@playwright/test';

import { expect, test } from '../fixtures/studio';
import type { Studio } from '../pages/studio';
import { EndpointPage } from '../pages/endpoint';

const THEMES = ['JupyterLab Light', 'JupyterLab Dark'];
const WIDTHS = [1280, 1920];

/** Jobs, runs and an endpoint with traffic, as somebody who works here would have them. */
async function populate(studio: Studio): Promise<{ experiment: string }> {
  const jobs: Array<[string, string, string]> = [
    ['tumours-0410', '20', '0.3'],
    ['tumours-0411', '60', '0.1'],
    ['tumours-0412', '120', '0.05']
  ];
  for (const [name, rounds, eta] of jobs) {
    await studio.startTraining(
      name,
      { num_round: rounds, eta },
      { experiment: 'tumour-grading' }
    );
  }
  await studio.startScript('scan-notes', "raise KeyError('stage')\n");
  for (const [name] of jobs) {
    await studio.awaitJob(name, 'Completed');
  }
  await studio.awaitJob('scan-notes', 'Failed');
  const { Experiments: experiments } = await studio.call<{
    Experiments: Array<{ ExperimentId: string }>;
  }>('bottega', 'ListTrackedExperiments', { Filter: 'tumour-grading' });
  return { experiment: experiments[0]?.ExperimentId ?? '' };
}

async function settle(page: Page): Promise<void> {
  await expect(page.locator('.jp-BottegaScreen [aria-busy="true"]')).toHaveCount(
    0
  );
  for (const plot of await page
    .locator('.jp-BottegaScreen:not(.lm-mod-hidden) .jp-BottegaPlot')
    .all()) {
    await expect(plot).toHaveAttribute('data-ready', 'true');
  }
}

async function take(page: Page, info: TestInfo, name: string): Promise<void> {
  const folder = process.env['BOTTEGA_PICTURES'] ?? info.outputPath('pictures');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({
    path: join(folder, `${name}.png`),
    animations: 'disabled'
  });
}

/** Nothing on the screen keeps people out: no violation that axe calls serious or critical. */
async function expectAccessible(page: Page, name: string): Promise<void> {
  const found = await new AxeBuilder({ page })
    .include('.jp-BottegaScreen:not(.lm-mod-hidden)')
    .include('.jp-BottegaSidebar')
    .analyze();
  const grave = found.violations.filter(
    ({ impact }) => impact === 'serious' || impact === 'critical'
  );
  expect(
    grave.map(({ id, nodes }) => [
      name,
      id,
      nodes.map(node => node.html).slice(0, 3)
    ])
  ).toEqual([]);
}

test('every screen in every theme and width', async ({ page, studio }, info) => {
  test.setTimeout(420_000);
  const { experiment } = await populate(studio);
  const endpoint = new EndpointPage(studio);
  const deployed = await page.request.post('/bottega/deployments', {
    data: { job: 'tumours-0412', name: 'tumours' }
  });
  expect(deployed.ok(), await deployed.text()).toBe(true);
  await studio.open('endpoints/tumours?tab=test');
  await expect(endpoint.status).toHaveText(/InService/, { timeout: 60_000 });
  await expect(endpoint.body).not.toHaveValue('');
  for (let count = 0; count < 20; count += 1) {
    await endpoint.send();
    await expect(endpoint.answer).toBeVisible();
  }
  await studio.showSidebar();
  const screens: Array<[string, string]> = [
    ['jobs', 'jobs'],
    ['job', 'jobs/tumours-0412'],
    ['job-logs', 'jobs/tumours-0411?tab=logs'],
    ['job-system', 'jobs/tumours-0410?tab=system'],
    ['job-failed', 'jobs/scan-notes'],
    ['train', 'train?file=tumours.csv'],
    ['experiments', 'experiments'],
    ['experiment', `experiments/${experiment}`],
    ['endpoints', 'endpoints'],
    ['endpoint', 'endpoints/tumours?tab=overview'],
    ['endpoint-test', 'endpoints/tumours?tab=test']
  ];
  for (const theme of THEMES) {
    await page.theme.setTheme(theme);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width === 1280 ? 800 : 1080 });
      for (const [name, path] of screens) {
        await studio.open(path);
        await settle(page);
        const shade = theme.endsWith('Dark') ? 'dark' : 'light';
        await take(page, info, `${name}-${shade}-${width}`);
        if (width === 1280) {
          await expectAccessible(page, `${name} ${shade}`);
        }
      }
    }
  }
});
