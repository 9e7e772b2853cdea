import type { Locator } from '@playwright/test';
import { expect } from '@playwright/test';

import type { Studio } from './studio';

/** A parameter of a step: its label, and what is put there. */
export type Setting =
  | { kind: 'text'; label: string; value: string }
  | { kind: 'choice'; label: string; value: string }
  | { kind: 'columns'; label: string; values: string[] }
  | { kind: 'formula'; label: string; value: string };

/** A flow in its tab. */
export class WranglerPage {
  constructor(private readonly _studio: Studio) {}

  /** The tab of the flow. */
  get view(): Locator {
    return this._studio.page.locator('.jp-BottegaWrangler:visible');
  }

  /** The form of the step that is being added or edited. */
  form(name: string): Locator {
    return this.view.getByRole('form', { name, exact: true });
  }

  /** The cards of the steps, the source among them. */
  get steps(): Locator {
    return this.view.locator('[data-node].jp-BottegaStep');
  }

  /** Open the flow of a file as its context menu does. */
  async prepare(path: string): Promise<void> {
    await this._studio.page.evaluate(async file => {
      await window.jupyterapp.commands.execute('bottega:prepare-data', {
        file
      });
    }, path);
    await expect(this.view).toBeVisible();
  }

  /** The dialog of a source, a join or a concatenation. */
  get dialog(): Locator {
    return this._studio.page.getByRole('dialog');
  }

  /** Press a button of the graph, which opens a dialog. */
  async openDialog(button: 'Add data' | 'Join' | 'Concatenate'): Promise<void> {
    await this.view.getByRole('button', { name: button, exact: true }).click();
    await expect(this.dialog).toBeVisible();
  }

  /** Accept a dialog, once what it would do has been shown. */
  async accept(button: string): Promise<void> {
    await this.dialog
      .getByRole('button', { name: button, exact: true })
      .click();
    await expect(this.dialog).toHaveCount(0);
  }

  /** Go to a table by its node of the graph. */
  async select(title: string): Promise<void> {
    const node = this.view.locator('.react-flow__node', { hasText: title });
    await node.first().click();
  }

  async chooseTab(name: string): Promise<void> {
    await this.view.getByRole('tab', { name }).click();
  }

  /** Find a transform in the palette, and open its form. */
  async startStep(name: string): Promise<Locator> {
    const search = this.view.getByRole('combobox', { name: 'Add step' });
    await search.fill(name);
    await this.view
      .getByRole('listbox', { name: 'Transforms' })
      .locator(`[data-transform="${name}"]`)
      .click();
    const form = this.form(name);
    await expect(form).toBeVisible();
    return form;
  }

  /** Fill in a form. */
  async setAll(form: Locator, settings: readonly Setting[]): Promise<void> {
    for (const setting of settings) {
      switch (setting.kind) {
        case 'text':
          await form
            .getByRole('textbox', { name: setting.label })
            .fill(setting.value);
          break;
        case 'choice':
          await form
            .getByRole('combobox', { name: setting.label })
            .selectOption(setting.value);
          break;
        case 'columns':
          for (const column of setting.values) {
            await form
              .getByRole('checkbox', { name: column, exact: false })
              .check();
          }
          break;
        case 'formula':
          await form
            .getByRole('textbox', { name: setting.label, exact: true })
            .fill(setting.value);
          break;
      }
    }
  }

  /** Add a step from the palette to the end of the steps. */
  async addStep(name: string, settings: readonly Setting[]): Promise<void> {
    const before = await this.steps.count();
    const form = await this.startStep(name);
    await this.setAll(form, settings);
    await this.apply(form);
    await expect(this.steps).toHaveCount(before + 1);
  }

  /** Apply a form as soon as its preview is there. */
  async apply(form: Locator): Promise<void> {
    await expect(form).toHaveAttribute('data-pending', 'false');
    await expect(form.getByRole('alert')).toHaveCount(0);
    await form.getByRole('button', { name: 'Apply' }).click();
    await expect(form).toHaveCount(0);
  }
}
