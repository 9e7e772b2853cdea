import { execFileSync } from 'child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import { NotebookPage } from '../pages/notebook';
import type { Setting } from '../pages/wrangler';
import { WranglerPage } from '../pages/wrangler';

/** Where the data sets lie that are not ours to give away. */
const DATA =
  process.env.BOTTEGA_TEST_DATA ?? join(__dirname, '../../../shared/data');
const BEERS = join(DATA, 'messy-beers-books');
const TELCO = join(DATA, 'telco-churn', 'Telco-Customer-Churn.csv');

/** What makes the dirty table the clean one. */
const RECIPE: ReadonlyArray<readonly [string, Setting[]]> = [
  [
    'Extract using regex',
    [
      { kind: 'columns', label: 'Input columns', values: ['ounces'] },
      { kind: 'text', label: 'Pattern', value: '[0-9.]+' }
    ]
  ],
  [
    'Parse value as type',
    [
      { kind: 'choice', label: 'Column', value: 'ounces' },
      { kind: 'choice', label: 'Data type', value: 'float' }
    ]
  ],
  [
    'Find and replace substring',
    [
      { kind: 'columns', label: 'Input columns', values: ['abv'] },
      { kind: 'text', label: 'Pattern', value: '%' }
    ]
  ],
  [
    'Parse value as type',
    [
      { kind: 'choice', label: 'Column', value: 'abv' },
      { kind: 'choice', label: 'Data type', value: 'float' }
    ]
  ],
  [
    'Custom formula',
    [
      {
        kind: 'formula',
        label: 'Formula',
        value: "coalesce(state, regexp_extract(city, ' ([A-Z]{2})$', 1))"
      },
      { kind: 'text', label: 'Output column', value: 'state' }
    ]
  ],
  [
    'Find and replace substring',
    [
      { kind: 'columns', label: 'Input columns', values: ['city'] },
      { kind: 'text', label: 'Pattern', value: ' [A-Z]{2}$' }
    ]
  ]
];

/** Runs the exported module and counts the cells that are not as the clean table has them. */
const COMPARISON = `
import importlib.util, json, math, sys
import pandas as pd

spec = importlib.util.spec_from_file_location("exported", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
loads = [value for name, value in vars(module).items() if name.startswith(("load", "read"))]
result = module.beers_dirty(*[load() for load in loads])
clean = pd.read_csv("beers_clean.csv")


def same(one, other):
    if pd.isna(one) or pd.isna(other):
        return pd.isna(one) and pd.isna(other)
    if isinstance(other, float) or isinstance(one, float):
        return math.isclose(float(one), float(other), abs_tol=1e-9)
    return str(one) == str(other)


assert list(result.columns) == list(clean.columns), list(result.columns)
assert len(result) == len(clean), len(result)
wrong = sum(
    not same(one, other)
    for column in clean
    for one, other in zip(result[column], clean[column], strict=True)
)
print(json.dumps(wrong / clean.size))
`;

/** Makes a database with a period of notice for every contract. */
const NOTICE = `
import sqlite3, sys

with sqlite3.connect(sys.argv[1]) as database:
    database.execute("CREATE TABLE notice (Contract TEXT, Months INTEGER)")
    rows = [("Month-to-month", 1), ("One year", 3), ("Two year", 6)]
    database.executemany("INSERT INTO notice VALUES (?, ?)", rows)
`;

/** Kill the processes in which a studio prepares data, as running out of memory would. */
function killWorkers(home: string): void {
  const found = execFileSync('ps', ['-eo', 'pid=,args='], {
    encoding: 'utf-8'
  })
    .split('\n')
    .filter(
      line => line.includes('bottega.wrangler.worker') && line.includes(home)
    )
    .map(line => parseInt(line, 10));
  expect(found).not.toEqual([]);
  for (const pid of found) {
    process.kill(pid, 'SIGKILL');
  }
}

test.describe('the wrangler', () => {
  test.skip(!existsSync(BEERS), `There is no data at ${BEERS}.`);

  test('makes the clean table of the dirty one, and pandas that does the same', async ({
    studio
  }, info) => {
    test.setTimeout(240_000);
    const wrangler = new WranglerPage(studio);
    const dirty = readFileSync(join(BEERS, 'beers_dirty.csv'), 'utf-8');
    const path = await studio.write('beers_dirty.csv', dirty);
    await wrangler.prepare(path);
    await expect(wrangler.view.getByText(/2,410 rows/).first()).toBeVisible();

    for (const [name, settings] of RECIPE) {
      await wrangler.addStep(name, settings);
    }
    await expect(wrangler.view.getByText('saved')).toBeVisible();
    await expectAccessible(studio.page, 'steps', ['.jp-BottegaWrangler']);

    // Undo and redo give the same flow again.
    const flow = path.replace('.csv', '.flow');
    const text = (): Promise<string> => studio.read(flow);
    const before = await text();
    await wrangler.view.getByRole('button', { name: /^Undo/ }).click();
    await expect(wrangler.steps).toHaveCount(RECIPE.length);
    await expect.poll(text).not.toBe(before);
    await wrangler.view.getByRole('button', { name: /^Redo/ }).click();
    await expect(wrangler.steps).toHaveCount(RECIPE.length + 1);
    await expect.poll(text).toBe(before);

    await wrangler.chooseTab('Code');
    await expect(
      wrangler.view.getByRole('textbox', { name: /^Code of/ })
    ).toContainText('import pandas as pd');
    await wrangler.chooseTab('Export');
    await wrangler.view
      .getByRole('button', { name: 'Python module: create the file' })
      .click();
    // The file that was written is in front now.
    const written = studio.page
      .locator('.jp-BottegaWrangler')
      .getByText(/^Written to /);
    await expect(written).toBeAttached();
    const said = (await written.textContent()) ?? '';
    const module = await studio.read(said.replace(/^Written to (.*)\.$/, '$1'));

    for (const name of ['beers_dirty.csv', 'beers_clean.csv']) {
      copyFileSync(join(BEERS, name), info.outputPath(name));
    }
    writeFileSync(info.outputPath('exported.py'), module);
    writeFileSync(info.outputPath('compare.py'), COMPARISON);
    const rate = execFileSync('python', ['compare.py', 'exported.py'], {
      cwd: info.outputPath(),
      encoding: 'utf-8'
    });
    expect(Number(rate)).toBeLessThan(0.01);
  });
});

test('a table of a database is joined to a file, and a killed worker costs no step', async ({
  page,
  studio
}, info) => {
  test.skip(!existsSync(TELCO), `There is no data at ${TELCO}.`);
  const wrangler = new WranglerPage(studio);
  const database = info.outputPath('notice.db');
  execFileSync('python', ['-c', NOTICE, database]);
  const path = await studio.write('telco.csv', readFileSync(TELCO, 'utf-8'));
  await wrangler.prepare(path);
  await expect(
    wrangler.view.getByText(/7,043 rows × 21/).first()
  ).toBeVisible();

  const { dialog } = wrangler;
  await wrangler.openDialog('Add data');
  await dialog.getByRole('radio', { name: 'Database' }).check({ force: true });
  await dialog
    .getByRole('textbox', { name: 'Database URL' })
    .fill(`sqlite:///${database}`);
  await dialog
    .getByRole('textbox', { name: 'Query' })
    .fill('SELECT * FROM notice');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('notice');
  await expect(dialog.getByText('Two year')).toBeVisible();
  await wrangler.accept('Add data');
  await expect(wrangler.view.getByText(/3 rows × 2/).first()).toBeVisible();

  await wrangler.select('telco.csv');
  await wrangler.openDialog('Join');
  await dialog
    .getByRole('combobox', { name: 'Join type' })
    .selectOption('leftouter');
  // The only column that both have is suggested.
  await expect(
    dialog.getByRole('combobox', { name: 'Key 1 of the right table' })
  ).toHaveValue('Contract');
  await expect(dialog.getByText(/7,043 rows/)).toBeVisible();
  await wrangler.accept('Join');
  await expect(
    wrangler.view.getByText(/7,043 rows × 23/).first()
  ).toBeVisible();

  const form = await wrangler.startStep('Drop column');
  await wrangler.setAll(form, [
    { kind: 'columns', label: 'Columns to drop', values: ['Contract_1'] }
  ]);
  const about = await (await page.request.get('/bottega/about')).json();
  killWorkers(String(about.home));
  await wrangler.apply(form);
  await expect(
    wrangler.view.getByText(/7,043 rows × 22/).first()
  ).toBeVisible();
  await expect(wrangler.view.getByText('saved')).toBeVisible();
  const flow = JSON.parse(await studio.read(path.replace('.csv', '.flow')));
  expect(flow.nodes).toHaveLength(4);
});

test('a frame of a notebook is prepared in its cell, and the code put into the next', async ({
  studio
}) => {
  const notebook = new NotebookPage(studio);
  const wrangler = new WranglerPage(studio);
  await notebook.create('people', [
    {
      source: `
import bottega, pandas as pd
df = pd.DataFrame({"age": [30.0, None, 50.0], "city": ["Bonn", "Ulm", None]})
wrangler = bottega.show(df, "people")
print("shown")`
    },
    {
      source: `
pd.testing.assert_frame_equal(people_prepared, wrangler.result())
print(len(df), len(people_prepared), "and the same")`
    }
  ]);
  await notebook.run(0);
  await expect(notebook.cell(0).getByText('3 rows × 2')).toBeVisible();
  await wrangler.addStep('Drop missing', []);
  await expect(notebook.cell(0).getByText('1 row × 2')).toBeVisible();
  await notebook.press('Insert code');
  await expect(notebook.cell(0)).toContainText(
    'The code is in the cell below.'
  );
  await notebook.run(1);
  await expect(notebook.output(1)).toContainText('Bonn');
  await notebook.run(2);
  await expect(notebook.output(2)).toHaveText('3 1 and the same');

  // What is kept does not hang on the kernel, nor on the page.
  await notebook.restartKernel();
  await expect(wrangler.steps).toHaveCount(2);
  await notebook.save();
  await notebook.reload();
  await expect(wrangler.steps).toHaveCount(2);
  await notebook.press('Open in a tab');
  await expect(studio.screen.locator('[data-node].jp-BottegaStep')).toHaveCount(
    2
  );
  await expect(studio.screen.getByText('1 row × 2').first()).toBeVisible();
});
