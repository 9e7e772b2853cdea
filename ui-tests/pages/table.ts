import type { Locator } from '@playwright/test';

import type { Studio } from './studio';

/** A table of a screen, by its name. */
export class TablePage {
  constructor(
    private readonly _studio: Studio,
    private readonly _name: string
  ) {}

  get grid(): Locator {
    return this._studio.screen.getByRole('grid', { name: this._name });
  }

  row(key: string): Locator {
    return this.grid.locator(`[data-key="${key}"]`);
  }

  status(key: string): Locator {
    return this.row(key).locator('.jp-BottegaStatus');
  }
}
