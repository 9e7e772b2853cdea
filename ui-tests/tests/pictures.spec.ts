import { copyFileSync } from 'fs';
import { join } from 'path';

import type { Page, TestInfo } from '@playwright/test';

import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import type { Studio } from '../pages/studio';
import { EndpointPage } from '../pages/endpoint';
import { WranglerPage } from '../pages/wrangler';

const THEMES = ['JupyterLab Light', 'JupyterLab Dark'];
/** The wide ones are for who looks at them; they take as long again. */
const WIDTHS = process.env['BOTTEGA_PICTURES'] ? [1280, 1920] : [1280];

/** The pictures of README and guides; `jlpm pictures` makes them anew. */
const DOCUMENTED = [
  'jobs-light-1280',
  'job-light-1280',
  'train-light-1280',
  'experiment-dark-1280',
  'endpoint-dark-1280',
  'prepare-light-1280',
  'prepare-dark-1280'
];

/** A hook, two rules of which one finds something, and the profiler. */
function watched(output: string): object {
  return {
    DebugHookConfig: {
      S3OutputPath: output,
      CollectionConfigurations: ['metrics', 'feature_importance'].map(
        CollectionName => ({
          CollectionName,
          CollectionParameters: { save_interval: '1' }
        })
      )
    },
    DebugRuleConfigurations: ['LossNotDecreasing', 'Overfit'].map(name => ({
      RuleConfigurationName: name,
      RuleEvaluatorImage: 'sagemaker-debugger-rules:latest',
      RuleParameters: { rule_to_invoke: name }
    })),
    ProfilerConfig: {
      S3OutputPath: output,
      ProfilingIntervalInMilliseconds: 100
    }
  };
}

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
      { num_round: rounds, eta, eval_metric: 'logloss,auc' },
      { experiment: 'tumour-grading', request: watched }
    );
  }
  await studio.startScript('scan-notes', "raise KeyError('stage')\n");
  for (const [name] of jobs) {
    await studio.awaitJob(name, 'Completed');
  }
  await studio.awaitJob('scan-notes', 'Failed');
  await studio.startSearch('scan-depths', 'scan-notes');
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
    ['job-debugger', 'jobs/tumours-0412?tab=debugger'],
    ['job-profiler', 'jobs/tumours-0412?tab=profiler'],
    ['job-failed', 'jobs/scan-notes'],
    ['tuning-failed', 'tuning/scan-depths'],
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

const CITIES = [
  ['Ulm', 'Swabia', 128],
  ['Bonn', 'Rhineland', 336],
  ['Jena', 'Thuringia', 111],
  ['Kiel', 'Holstein', 247],
  ['Trier', 'Moselle', 112]
] as const;

/** A table of customers as they come: some values missing, the cities written as people like. */
function customers(rows: number): string {
  const lines = ['city,age,plan,monthly,since,churned'];
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  for (let row = 0; row < rows; row += 1) {
    const [city] = CITIES[Math.floor(random() ** 1.6 * CITIES.length)]!;
    const age = Math.round(22 + 30 * (random() + random() * random()));
    const plan = ['basic', 'plus', 'pro'][Math.floor(random() ** 1.5 * 3)]!;
    const monthly = (8 + 9 * plan.length * random()).toFixed(2);
    const since = `20${16 + Math.floor(10 * random() ** 0.5)}-0${1 + Math.floor(9 * random())}-1${Math.floor(10 * random())}`;
    lines.push(
      [
        random() < 0.5
          ? city
          : random() < 0.5
            ? city.toUpperCase()
            : ` ${city}`,
        random() < 0.18 ? '' : age,
        random() < 0.06 ? '' : plan,
        monthly,
        since,
        random() < 0.27
      ].join(',')
    );
  }
  return `${lines.join('\n')}\n`;
}

test('a flow in which a step is being added', async ({
  page,
  studio
}, info) => {
  const wrangler = new WranglerPage(studio);
  const path = await studio.write('customers.csv', customers(20_000));
  await studio.write(
    'cities.csv',
    ['city,region,inhabitants', ...CITIES.map(city => city.join(','))].join(
      '\n'
    )
  );
  await wrangler.prepare(path);
  await page.evaluate(() =>
    (
      window.jupyterapp.shell as unknown as { collapseLeft(): void }
    ).collapseLeft()
  );
  await wrangler.addStep('Strip left and right', [
    { kind: 'columns', label: 'Input columns', values: ['city'] }
  ]);
  await wrangler.addStep('Capitalize', [
    { kind: 'columns', label: 'Input columns', values: ['city'] }
  ]);
  await wrangler.openDialog('Add data');
  await wrangler.dialog.getByText('cities.csv').click();
  await expect(wrangler.dialog.getByText('Swabia')).toBeVisible();
  await wrangler.accept('Add data');
  await wrangler.select('2 steps');
  await wrangler.openDialog('Join');
  await wrangler.dialog
    .getByRole('combobox', { name: 'Right table' })
    .selectOption({ label: 'cities.csv' });
  await expect(wrangler.dialog.getByText(/20,000 rows/)).toBeVisible();
  await wrangler.accept('Join');
  const form = await wrangler.startStep('Impute');
  // The headers are drawn: nothing on the page says that they are those of the preview.
  const profiled = page.waitForResponse(
    answer =>
      answer.url().includes('/ProfileFlow') &&
      (answer.request().postData() ?? '').includes('handle_missing') &&
      answer.ok()
  );
  await wrangler.setAll(form, [
    { kind: 'columns', label: 'Input columns', values: ['age'] }
  ]);
  await expect(form).toHaveAttribute('data-pending', 'false');
  await profiled;
  await expect(wrangler.view.locator('.react-flow__edge')).toHaveCount(3);
  for (const theme of THEMES) {
    await page.theme.setTheme(theme);
    await page.mouse.move(0, 0);
    const shade = theme.endsWith('Dark') ? 'dark' : 'light';
    await take(page, info, `prepare-${shade}-1280`);
    await expectAccessible(page, `prepare ${shade}`, ['.jp-BottegaWrangler']);
  }
});
