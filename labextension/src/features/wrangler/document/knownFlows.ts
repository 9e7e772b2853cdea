import { ServerConnection } from '@jupyterlab/services';
import type { Contents } from '@jupyterlab/services';
import type { IStateDB } from '@jupyterlab/statedb';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** A flow that was opened here. */
export interface IKnownFlow {
  path: string;
  /** How many sources it had. */
  sources: number;
  /** When it was opened or changed, in seconds since the epoch. */
  time: number;
}

const KEY = '@bottega/labextension:known-flows';
const KEPT = 100;

/** The flows that were opened in this JupyterLab, the latest first. */
export class KnownFlows {
  constructor(
    private readonly _contents: Pick<Contents.IManager, 'get'>,
    private readonly _state: IStateDB | null
  ) {}

  /** Emitted when another flow is known, or one has other sources. */
  get changed(): ISignal<KnownFlows, void> {
    return this._changed;
  }

  /** A flow has been opened or changed. */
  async remember(path: string, sources: number): Promise<void> {
    const flows = await this._read();
    const before = flows.find(flow => flow.path === path);
    const time = Date.now() / 1000;
    await this._write([
      { path, sources, time },
      ...flows.filter(flow => flow.path !== path)
    ]);
    if (before?.sources !== sources || flows[0]?.path !== path) {
      this._changed.emit();
    }
  }

  /** A flow has another path. */
  async rename(from: string, to: string): Promise<void> {
    const flows = await this._read();
    await this._write(
      flows.map(flow => (flow.path === from ? { ...flow, path: to } : flow))
    );
    this._changed.emit();
  }

  /** The flows that are still there. */
  async list(): Promise<IKnownFlow[]> {
    const flows = await this._read();
    const there = await Promise.all(flows.map(flow => this._isThere(flow)));
    return flows.filter((_, index) => there[index]);
  }

  private async _isThere(flow: IKnownFlow): Promise<boolean> {
    try {
      await this._contents.get(flow.path, { content: false });
      return true;
    } catch (error) {
      if (
        error instanceof ServerConnection.ResponseError &&
        error.response.status === 404
      ) {
        return false;
      }
      throw error;
    }
  }

  private async _read(): Promise<IKnownFlow[]> {
    if (!this._flows) {
      const kept = await this._state?.fetch(KEY);
      this._flows ??= Array.isArray(kept)
        ? (kept as unknown[]).filter(isKnownFlow)
        : [];
    }
    return this._flows;
  }

  private async _write(flows: IKnownFlow[]): Promise<void> {
    this._flows = flows.slice(0, KEPT);
    await this._state?.save(
      KEY,
      this._flows.map(flow => ({ ...flow }))
    );
  }

  private _changed = new Signal<KnownFlows, void>(this);
  private _flows: IKnownFlow[] | null = null;
}

function isKnownFlow(value: unknown): value is IKnownFlow {
  const flow = value as Partial<IKnownFlow> | null;
  return (
    typeof flow?.path === 'string' &&
    typeof flow.sources === 'number' &&
    typeof flow.time === 'number'
  );
}
