import { copyFileSync } from 'fs';
import { join } from 'path';

import type { Page, TestInfo } from '@playwright/test';

import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import type { Studio } from '../pages/studio';
import { EndpointPage } from '../pages/endpoint';

const THEMES = ['JupyterLab Light', 'JupyterLab Dark'];
const WIDTHS = [1280, 1920];

/** The pictures of README and guides; `jlpm pictures` makes them anew. */
const DOCUMENTED = [
  'jobs-light-1280',
  'job-light-1280',
  'train-light-1280',
  'experiment-dark-1280',
  'endpoint-dark-1280'
];

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
  return { experiment: await studio.awaitExperiment('tumour-grading', 3) };
}

async function settle(page: Page): Promise<void> {
  await expect(
    page.locator('.jp-BottegaScreen [aria-busy="true"]')
  ).toHaveCount(0);
  for (const plot of await page
    .locator('.jp-BottegaScreen:not(.lm-mod-hidden) .jp-BottegaPlot')
    .all()) {
    await expect(plot).toHaveAttribute('data-ready', 'true');
  }
}

async function take(page: Page, info: TestInfo, name: string): Promise<void> {
  const path = info.outputPath('pictures', `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  const folder = process.env['BOTTEGA_PICTURES'];
  if (folder && DOCUMENTED.includes(name)) {
    copyFileSync(path, join(folder, `${name}.png`));
  }
}

/** Requests that come while the pictures are taken, now and then a wrong one. */
class Traffic {
  private _ended = false;

  constructor(
    private readonly _page: Page,
    private readonly _url: string
  ) {}

  async run(body: string): Promise<void> {
    for (let count = 0; !this._ended; count += 1) {
      await this._page.request.post(this._url, {
        headers: { 'Content-Type': 'text/csv' },
        data: count % 40 === 39 ? 'not a number' : body
      });
    }
  }

  end(): void {
    this._ended = true;
  }
}

test('every screen in every theme and width', async ({
  page,
  studio
}, info) => {
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
  const body = await endpoint.body.inputValue();
  const traffic = new Traffic(page, '/bottega/endpoints/tumours/invocations');
  void traffic.run(body);
  await studio.showSidebar();
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('apputils:dismiss-notification');
  });
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
      await page.setViewportSize({
        width,
        height: width === 1280 ? 800 : 1080
      });
      for (const [name, path] of screens) {
        await studio.open(path);
        await settle(page);
        const shade = theme.endsWith('Dark') ? 'dark' : 'light';
        await take(page, info, `${name}-${shade}-${width}`);
        if (width === 1280) {
          await expectAccessible(page, `${name} ${shade}`, [
            '.jp-BottegaScreen:not(.lm-mod-hidden)',
            '.jp-BottegaSidebar'
          ]);
        }
      }
    }
  }
  traffic.end();
});
