import type { Locator } from '@playwright/test';

import type { Studio } from './studio';

/** The screen of one job. */
export class JobPage {
  constructor(private readonly _studio: Studio) {}

  get status(): Locator {
    return this._studio.screen.locator('.jp-BottegaHeader .jp-BottegaStatus');
  }

  get timeline(): Locator {
    return this._studio.screen.getByRole('list', { name: 'Status timeline' });
  }

  /** Why the job failed: what stands first on the screen of a failed job. */
  get failure(): Locator {
    return this._studio.screen.getByRole('region', {
      name: 'Why the job failed'
    });
  }

  get logLines(): Locator {
    return this._studio.screen.locator('[data-line]');
  }

  async open(name: string, tab = ''): Promise<void> {
    await this._studio.open(`jobs/${name}${tab && `?tab=${tab}`}`);
    await this.status.waitFor();
  }

  async press(action: string): Promise<void> {
    await this._studio.screen
      .getByRole('button', { name: action, exact: true })
      .click();
  }

  async show(tab: string): Promise<void> {
    await this._studio.screen.getByRole('tab', { name: tab }).click();
  }

  /** Answer the question before a destructive act. */
  async confirm(label: string): Promise<void> {
    await this._studio.page
      .getByRole('dialog')
      .getByRole('button', { name: label, exact: true })
      .click();
  }
}
