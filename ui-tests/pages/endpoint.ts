import type { Locator } from '@playwright/test';

import type { Studio } from './studio';

/** The screen of one endpoint. */
export class EndpointPage {
  constructor(private readonly _studio: Studio) {}

  get status(): Locator {
    return this._studio.screen.locator('.jp-BottegaHeader .jp-BottegaStatus');
  }

  get body(): Locator {
    return this._studio.screen.getByRole('textbox', {
      name: 'Body of the request'
    });
  }

  get answer(): Locator {
    return this._studio.screen.locator('[data-answer="answered"]');
  }

  figure(id: string): Locator {
    return this._studio.screen.locator(`[data-figure="${id}"]`);
  }

  async show(tab: string): Promise<void> {
    await this._studio.screen.getByRole('tab', { name: tab }).click();
  }

  async send(): Promise<void> {
    await this._studio.screen
      .getByRole('button', { name: 'Send', exact: true })
      .click();
  }
}
