import type { ICheckFlowResponse } from '../../../api/types/wrangler';
import type { IBottegaClient } from '../../../tokens';
import { asError } from '../../../shared/asError';
import { codeOf } from './flowText';
import type { ITrustMemory } from './trust';
import type { TrustState } from './types';

/** What a {@link FlowCheck} needs. */
export interface ICheckContext {
  client: Pick<IBottegaClient, 'call'>;
  memory: ITrustMemory;
  /** The flow's key in the memory, and its folder. */
  flow: { readonly key: string; readonly folder: string };
  /** Called when an answer has come, or trust has changed. */
  onChange: () => void;
}

/**
 * What the server says of every node, and whether code that came with the flow may run.
 *
 * A flow that is new here is checked without its code running. Code that is remembered, or that is
 * written here afterwards, is the user's own.
 */
export class FlowCheck {
  constructor(private readonly _context: ICheckContext) {}

  /** The last answer; null before the first. */
  get answer(): ICheckFlowResponse | null {
    return this._answer;
  }

  /** Why the last question has no answer. */
  get problem(): Error | null {
    return this._problem;
  }

  get trust(): TrustState {
    return this._trust;
  }

  /** What a request says: whether code may run. */
  get trusted(): boolean {
    return (
      this._isEvaluated &&
      (this._trust === 'given' || this._trust === 'unneeded')
    );
  }

  /** Whether what nodes give may depend on {@link trusted}. */
  get hasCode(): boolean {
    return (
      this._answer !== null &&
      (this._answer.NeedsTrust ||
        this._answer.Nodes.some(node => node.RunsCode))
    );
  }

  /** The flow has been written by somebody else: what was known of its code counts no more. */
  forget(): void {
    this._isEvaluated = false;
    this._trust = 'unneeded';
  }

  /** Ask about a text; of several questions, the last one's answer counts. */
  async run(text: string): Promise<void> {
    const { client, flow, onChange } = this._context;
    const number = (this._number += 1);
    this._abort?.abort();
    const { signal } = (this._abort = new AbortController());
    try {
      const answer = await client.call(
        'bottega:CheckFlow',
        { Flow: text, Folder: flow.folder, Trusted: this.trusted },
        signal
      );
      if (number !== this._number) {
        return;
      }
      this._answer = answer;
      this._text = text;
      this._problem = null;
      const mayRunNow = await this._evaluate(answer);
      if (number !== this._number) {
        return;
      }
      onChange();
      if (mayRunNow) {
        await this.run(text);
      }
    } catch (error) {
      if (number === this._number) {
        this._problem = asError(error);
        onChange();
      }
    }
  }

  /** The user's word on the code. */
  async decide(trusted: boolean, text: string): Promise<void> {
    this._trust = trusted ? 'given' : 'refused';
    this._context.onChange();
    if (trusted) {
      await this._context.memory.trust(this._context.flow.key, this._code());
    }
    await this.run(text);
  }

  dispose(): void {
    this._number += 1;
    this._abort?.abort();
  }

  /** Find out whether the code may run; true when it may and did not yet. */
  private async _evaluate(answer: ICheckFlowResponse): Promise<boolean> {
    const { memory, flow } = this._context;
    const code = this._code();
    if (this._isEvaluated) {
      if (this.trusted && code) {
        await memory.trust(flow.key, code);
      }
      return false;
    }
    const isKnown =
      answer.NeedsTrust && (await memory.isTrusted(flow.key, code));
    if (answer !== this._answer) {
      return false;
    }
    this._isEvaluated = true;
    this._trust = !answer.NeedsTrust ? 'unneeded' : isKnown ? 'given' : 'asked';
    return isKnown;
  }

  /** The code of the flow as it was checked; empty where it has none. */
  private _code(): string {
    const ids = new Set(
      (this._answer?.Nodes ?? []).flatMap(node =>
        node.RunsCode ? [node.NodeId] : []
      )
    );
    return ids.size > 0 ? codeOf(this._text, ids) : '';
  }

  private _abort: AbortController | null = null;
  private _answer: ICheckFlowResponse | null = null;
  private _isEvaluated = false;
  private _number = 0;
  private _problem: Error | null = null;
  private _text = '';
  private _trust: TrustState = 'unneeded';
}
