import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

/** The dialog that says which bottega stands behind this JupyterLab. */
export class AboutDialog {
  constructor(readonly page: IJupyterLabPageFixture) {}

  get dialog(): Locator {
    return this.page.getByRole('dialog').filter({ hasText: 'About Bottega' });
  }

  get version(): Locator {
    return this.dialog.locator('[data-fact="version"]');
  }

  get home(): Locator {
    return this.dialog.locator('[data-fact="home"]');
  }

  async open(): Promise<void> {
    await this.page.menu.clickMenuItem('Help>About Bottega');
    await this.dialog.waitFor();
  }

  async close(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Close' }).click();
  }
}
