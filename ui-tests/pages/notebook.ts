import type { Locator } from '@playwright/test';
import { expect } from '@playwright/test';

import type { Studio } from './studio';

/** A cell of code, and its tags. */
export interface ICodeCell {
  source: string;
  tags?: string[];
}

/** The notebook in front. */
export class NotebookPage {
  constructor(private readonly _studio: Studio) {}

  get panel(): Locator {
    return this._studio.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden)');
  }

  cell(index: number): Locator {
    return this.panel.locator('.jp-Notebook .jp-Cell').nth(index);
  }

  output(index: number): Locator {
    return this.cell(index).locator('.jp-OutputArea-output');
  }

  /** A live widget, by what it is about: `Training job churn`, `Endpoint churn`. */
  widget(name: string): Locator {
    return this.panel.getByRole('region', { name, exact: true });
  }

  /** What a monitor becomes when its job has ended. */
  snapshot(index: number): Locator {
    return this.output(index).locator('.bottega-snapshot');
  }

  /** Write a notebook into this test's folder, open it, and wait for its kernel. */
  async create(name: string, cells: readonly ICodeCell[]): Promise<void> {
    const path = await this._studio.write(
      `${name}.ipynb`,
      JSON.stringify({
        cells: cells.map(({ source, tags = [] }, index) => ({
          cell_type: 'code',
          execution_count: null,
          id: `cell-${index}`,
          metadata: { tags },
          outputs: [],
          source
        })),
        metadata: {
          kernelspec: { name: 'python3', display_name: 'Python 3' }
        },
        nbformat: 4,
        nbformat_minor: 5
      })
    );
    await this._execute('docmanager:open', { path });
    await this.awaitKernel();
  }

  async awaitKernel(): Promise<void> {
    // The notebook's own sign says idle, too, before there is a kernel.
    await expect(this._studio.page.locator('#jp-main-statusbar')).toContainText(
      '| Idle',
      { timeout: 60_000 }
    );
  }

  /** Start a cell. */
  async start(index: number): Promise<void> {
    const editor = this.cell(index).getByRole('textbox').first();
    await editor.click();
    await editor.press('Control+Enter');
  }

  /** Wait for a cell's end, which must be a good one. */
  async finish(index: number): Promise<void> {
    await expect(this.cell(index).locator('.jp-InputPrompt')).toHaveText(
      /^\[\d+\]:$/,
      { timeout: 60_000 }
    );
    const failures = this.output(index).and(
      this.panel.locator('[data-mime-type="application/vnd.jupyter.error"]')
    );
    expect(await failures.allTextContents()).toEqual([]);
  }

  async run(index: number): Promise<void> {
    await this.start(index);
    await this.finish(index);
  }

  async save(): Promise<void> {
    await this._execute('docmanager:save');
  }

  async restartKernel(): Promise<void> {
    await this.press('Restart the kernel');
    await this._studio.page
      .getByRole('dialog')
      .getByRole('button', { name: 'Confirm Kernel Restart' })
      .click();
  }

  /** Reload the page, which comes back with the notebook. */
  async reload(): Promise<void> {
    // Galata would wait for the Launcher, which is not what comes back.
    await this._studio.reload();
    await this.panel.waitFor();
  }

  async press(button: string): Promise<void> {
    await this.panel.getByRole('button', { name: button, exact: true }).click();
  }

  /** Make the window so wide that a cell's output has so many pixels. */
  async resizeOutput(index: number, width: number): Promise<void> {
    const { page } = this._studio;
    const size = page.viewportSize() ?? { width: 0, height: 0 };
    const now = await this.output(index).first().boundingBox();
    await page.setViewportSize({
      width: Math.round(size.width - (now?.width ?? 0) + width),
      height: size.height
    });
    await expect
      .poll(async () => (await this.output(index).first().boundingBox())?.width)
      .toBeCloseTo(width, 0);
  }

  /** What of a cell's outputs sticks out of them at the right. */
  async overflow(index: number): Promise<string[]> {
    return this.output(index).evaluateAll(outputs =>
      outputs.flatMap(output => {
        const edge = output.getBoundingClientRect().right + 1;
        return [...output.querySelectorAll('*')]
          .filter(node => node.getBoundingClientRect().right > edge)
          .map(node => node.outerHTML.slice(0, 120));
      })
    );
  }

  private async _execute(command: string, args: object = {}): Promise<void> {
    await this._studio.page.evaluate(
      async ([id, given]) => {
        await window.jupyterapp.commands.execute(id, given as never);
      },
      [command, args] as const
    );
  }
}
