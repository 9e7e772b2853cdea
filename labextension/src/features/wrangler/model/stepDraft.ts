import type { IFlowEdit } from '../../../api/types/wrangler';
import type { IBottegaClient } from '../../../tokens';
import { asError } from '../../../shared/asError';
import type { IDraft, IFlowRequest } from './types';

/** Values that follow each other faster than this are tried together. */
const TYPING_MS = 250;

/** What a {@link StepDraft} needs of the model. */
export interface IDraftContext {
  client: Pick<IBottegaClient, 'call'>;
  /** What a request about the flow says now. */
  request: () => IFlowRequest;
  /** Called when {@link StepDraft.value} has changed. */
  onChange: () => void;
}

/**
 * A step that is tried on a copy of the flow.
 *
 * Each try has a number; the answer of a try that was overtaken is thrown away.
 */
export class StepDraft {
  constructor(
    edit: IFlowEdit,
    private readonly _context: IDraftContext
  ) {
    this._value = {
      edit,
      pending: true,
      flow: null,
      nodeId: null,
      state: null,
      problem: null
    };
    this._tried = this._try();
  }

  get value(): IDraft {
    return this._value;
  }

  /** Take new values, and try them a moment after the last ones. */
  change(values: Record<string, unknown>): void {
    this._number += 1;
    this._set({
      edit: { ...this._value.edit, Values: values },
      pending: true
    });
    clearTimeout(this._typing);
    this._typing = setTimeout(() => {
      this._typing = undefined;
      this._tried = this._try();
    }, TYPING_MS);
  }

  /** Resolves when the present values have been tried. */
  async settled(): Promise<IDraft> {
    while (this._value.pending && !this._isDisposed) {
      if (this._typing !== undefined) {
        clearTimeout(this._typing);
        this._typing = undefined;
        this._tried = this._try();
      }
      await this._tried;
    }
    return this._value;
  }

  dispose(): void {
    this._isDisposed = true;
    this._number += 1;
    clearTimeout(this._typing);
    this._abort?.abort();
  }

  private async _try(): Promise<void> {
    const { client, request } = this._context;
    const number = (this._number += 1);
    this._abort?.abort();
    const { signal } = (this._abort = new AbortController());
    const isLate = (): boolean => number !== this._number;
    try {
      const asked = request();
      const edited = await client.call(
        'bottega:EditFlow',
        { ...asked, Edit: this._value.edit },
        signal
      );
      if (isLate()) {
        return;
      }
      const check = await client.call(
        'bottega:CheckFlow',
        { ...asked, Flow: edited.Flow },
        signal
      );
      if (isLate()) {
        return;
      }
      const state =
        check.Nodes.find(node => node.NodeId === edited.NodeId) ?? null;
      // A table is asked for only of a step that can be carried out.
      this._set(
        state?.Error
          ? {
              pending: false,
              problem: {
                message: state.Error,
                parameter: state.Parameter ?? null
              }
            }
          : {
              pending: false,
              flow: edited.Flow,
              nodeId: edited.NodeId,
              state,
              problem: null
            }
      );
    } catch (error) {
      if (!isLate()) {
        this._set({
          pending: false,
          problem: { message: asError(error).message, parameter: null }
        });
      }
    }
  }

  private _set(part: Partial<IDraft>): void {
    this._value = { ...this._value, ...part };
    this._context.onChange();
  }

  private _abort: AbortController | null = null;
  private _isDisposed = false;
  private _number = 0;
  private _tried: Promise<void>;
  private _typing: ReturnType<typeof setTimeout> | undefined;
  private _value: IDraft;
}
