import { execFileSync } from 'child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

import { expectAccessible } from '../fixtures/accessible';
import { expect, test } from '../fixtures/studio';
import type { Setting } from '../pages/wrangler';
import { WranglerPage } from '../pages/wrangler';

/** Where the data sets lie that are not ours to give away. */
const DATA =
  process.env.BOTTEGA_TEST_DATA ?? join(__dirname, '../../../shared/data');
const BEERS = join(DATA, 'messy-beers-books');

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
        return math.isclose(float(one), float(other), abs_tol=5e-4)
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
