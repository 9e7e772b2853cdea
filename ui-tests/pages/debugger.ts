import type { Locator } from '@playwright/test';

import type { Studio } from './studio';

/** The tabs *Debugger* and *Profiler* of a job. */
export class DebuggerPage {
  constructor(private readonly _studio: Studio) {}

  /** What is said about one rule. */
  rule(name: string): Locator {
    return this._studio.screen.getByRole('region', { name, exact: true });
  }

  status(name: string): Locator {
    return this.rule(name).locator('.jp-BottegaStatus');
  }

  findings(name: string): Locator {
    return this.rule(name).getByRole('list', { name: 'Findings' });
  }

  get tensors(): Locator {
    return this.rule('Tensors');
  }

  /** The tensors that are drawn, with their last values. */
  get drawn(): Locator {
    return this.tensors.getByRole('list', { name: 'Drawn' });
  }

  get timeline(): Locator {
    return this._studio.screen.getByRole('slider', {
      name: 'Moment in the timeline'
    });
  }

  /** What was at the moment that is pointed at. */
  moment(part: string): Locator {
    return this._studio.screen
      .getByRole('region', { name: 'At the moment' })
      .getByRole('list', { name: part });
  }
}
