import { expect, test } from '@jupyterlab/galata';

import { AboutDialog } from '../pages/about';

test('the about dialog shows what the server says', async ({ page }) => {
  const about = new AboutDialog(page);
  await about.open();
  await expect(about.version).toHaveText(/^\d+\.\d+\.\d+/);
  await expect(about.home).toHaveText(/bottega-ui-/);
  await about.close();
  await expect(about.dialog).toHaveCount(0);
});
