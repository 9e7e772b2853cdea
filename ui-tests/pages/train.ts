import type { Locator } from '@playwright/test';
import { expect } from '@playwright/test';

import type { Studio } from './studio';

/** The form that starts a training job. */
export class TrainPage {
  constructor(private readonly _studio: Studio) {}

  get start(): Locator {
    return this._studio.screen.getByRole('button', {
      name: 'Train',
      exact: true
    });
  }

  get findings(): Locator {
    return this._studio.screen.locator('[data-severity]');
  }

  get label(): Locator {
    return this._studio.screen.getByLabel('Label column');
  }

  async chooseData(path: string, channel = 'Training data'): Promise<void> {
    const box = this._studio.screen.getByRole('combobox', {
      name: channel,
      exact: true
    });
    await box.fill(path);
    await box.press('Enter');
  }

  async chooseAlgorithm(title: string): Promise<void> {
    await this._studio.screen
      .getByRole('radio', { name: title, exact: true })
      .check({ force: true });
  }

  /** Show the field of a channel that is not there from the start. */
  async addChannel(name: string): Promise<void> {
    const { screen } = this._studio;
    await screen.getByLabel('Channel to add').selectOption(name);
    await screen.getByRole('button', { name: 'Add channel' }).click();
    await expect(
      screen.getByRole('combobox', { name: `Channel ${name}`, exact: true })
    ).toBeFocused();
  }

  async chooseLabel(column: string): Promise<void> {
    await expect(this.label).toBeVisible();
    await this.label.selectOption(column);
  }

  async chooseScript(path: string): Promise<void> {
    await this._studio.screen
      .getByRole('radio', { name: /Your own script/ })
      .click();
    const box = this._studio.screen.getByLabel('Script', { exact: true });
    await box.fill(path);
    await box.press('Enter');
  }

  /** Set a hyperparameter by the name in its label. */
  async set(name: string, value: string): Promise<void> {
    const { screen } = this._studio;
    const field = screen
      .getByRole('spinbutton', { name, exact: true })
      .or(screen.getByRole('combobox', { name, exact: true }))
      .or(screen.getByRole('textbox', { name, exact: true }));
    if ((await field.evaluate(node => node.tagName)) === 'SELECT') {
      await field.selectOption({ label: value });
    } else {
      await field.fill(value);
      await field.blur();
    }
  }

  async name(job: string): Promise<void> {
    const box = this._studio.screen.getByLabel('Job name');
    await box.fill(job);
    await box.blur();
  }
}
