import { Notification } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import type { IEventBatch, IEventStream } from '../../api/events';
import { BottegaError } from '../../api/request';
import type { IBottegaClient } from '../../tokens';

const STATE_ID = 'bottega:notebook-jobs';
const ENDED = ['Completed', 'Failed', 'Stopped'];

/** Knows which notebooks run as jobs, over reloads too, and tells when one has been executed. */
export class NotebookJobs implements IDisposable {
  constructor(
    private readonly _options: {
      client: IBottegaClient;
      trans: TranslationBundle;
      /** Where the jobs are remembered; without it they are until the next reload. */
      state: IStateDB | null;
      /** Shows a notebook of the file browser. */
      open: (path: string) => Promise<unknown>;
    }
  ) {
    _options.client.events.received.connect(this._onEvents, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._options.client.events.received.disconnect(this._onEvents, this);
  }

  /** Take up the jobs of before the reload; those that have ended meanwhile are told of now. */
  async restore(): Promise<void> {
    const kept = await this._options.state?.fetch(STATE_ID);
    for (const name of Array.isArray(kept) ? kept : []) {
      this._running.add(String(name));
    }
    await Promise.all([...this._running].map(name => this._look(name)));
  }

  /** Follow a job. */
  add(name: string): Promise<void> {
    this._running.add(name);
    return this._remember();
  }

  private _onEvents(_: IEventStream, batch: IEventBatch): void {
    if (batch.reset) {
      void Promise.all([...this._running].map(name => this._look(name)));
      return;
    }
    for (const { Kind: kind, Name: name, Status: status } of batch.events) {
      if (kind === 'TrainingJob' && name && status && this._running.has(name)) {
        void this._settle(name, status);
      }
    }
  }

  private async _look(name: string): Promise<void> {
    try {
      const job = await this._options.client.call(
        'sagemaker:DescribeTrainingJob',
        { TrainingJobName: name }
      );
      await this._settle(name, job.TrainingJobStatus);
    } catch (error) {
      if (error instanceof BottegaError && error.status === 400) {
        // The job has been deleted: nothing is to be told of it any more.
        await this._settle(name, '');
      }
      // Otherwise the studio does not answer, and the stream will say when it does again.
    }
  }

  private async _settle(name: string, status: string): Promise<void> {
    if (status !== '' && !ENDED.includes(status)) {
      return;
    }
    if (!this._running.delete(name)) {
      return;
    }
    if (status !== '') {
      this._tell(name, status);
    }
    await this._remember();
  }

  private _tell(name: string, status: string): void {
    const { trans } = this._options;
    const good = status === 'Completed';
    Notification.emit(
      good
        ? trans.__('The notebook of job %1 has been executed', name)
        : trans.__('The notebook of job %1 came to no end: %2', name, status),
      good ? 'success' : 'warning',
      {
        autoClose: false,
        actions: [
          {
            label: trans.__('Open executed notebook'),
            callback: () => void this._collect(name)
          }
        ]
      }
    );
  }

  private async _collect(name: string): Promise<void> {
    try {
      const { notebook } = await this._options.client.collectNotebook(name);
      await this._options.open(notebook);
    } catch (error) {
      Notification.error(
        error instanceof Error ? error.message : String(error)
      );
    }
  }

  private async _remember(): Promise<void> {
    await this._options.state?.save(STATE_ID, [...this._running]);
  }

  private _isDisposed = false;
  private readonly _running = new Set<string>();
}
