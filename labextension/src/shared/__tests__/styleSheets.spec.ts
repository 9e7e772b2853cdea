import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';

const FOLDER = join(__dirname, '../../../style');
/** Declares custom properties for what other sheets lay out. */
const VARIABLES = 'variables.css';

/** The blocks (`jp-BottegaGrid`) that a sheet has rules for as they are, without parts or states. */
function blocksOf(css: string): Set<string> {
  const selectors = css
    .replace(/\/\*[^]*?\*\//g, '')
    .split(/[{}]/)
    .flatMap(text => text.split(','));
  return new Set(
    selectors.flatMap(
      selector => /^\s*\.(jp-Bottega\w+)\s*$/.exec(selector)?.[1] ?? []
    )
  );
}

it('no two sheets lay out one block', () => {
  const owners = new Map<string, string[]>();
  for (const sheet of readdirSync(FOLDER)) {
    if (sheet.endsWith('.css') && sheet !== VARIABLES) {
      for (const block of blocksOf(readFileSync(join(FOLDER, sheet), 'utf8'))) {
        owners.set(block, [...(owners.get(block) ?? []), sheet]);
      }
    }
  }
  expect(owners.size).toBeGreaterThan(50);
  expect([...owners].filter(([, sheets]) => sheets.length > 1)).toEqual([]);
});
