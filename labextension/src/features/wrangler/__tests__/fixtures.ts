import { waitFor } from '@testing-library/react';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OperationName } from '../../../api/client';
import { BottegaError } from '../../../api/request';
import type { IOperations } from '../../../api/types';
import type {
  IFlowColumn,
  IFlowColumnProfile,
  IFlowNodeState,
  IPreviewFlowRequest,
  IPreviewFlowResponse
} from '../../../api/types/wrangler';
import type { Answers } from '../../../testing/fakeClient';
import { FakeClient, FakeStudio, trans } from '../../../testing/fakeClient';
import { PassingTrust } from '../model/trust';
import type { IFlowStore, IPanelProps } from '../model/types';
import { WranglerModel } from '../model/wranglerModel';

/** A node of a document. */
export interface IRawNode {
  node_id: string;
  type: string;
  operator: string;
  parameters?: Record<string, unknown>;
  inputs?: Array<{ name: string; node_id: string; output_name: string }>;
  outputs?: Array<{ name: string }>;
  bottega?: Record<string, unknown>;
}

export function raw(
  id: string,
  type: string,
  inputs: string[] = [],
  more: Partial<IRawNode> = {}
): IRawNode {
  return {
    node_id: id,
    type,
    operator: `bottega.${type.toLowerCase()}_0.1`,
    parameters: {},
    inputs: inputs.map(input => {
      const [node, output = 'default'] = input.split('/') as [string, string?];
      return { name: 'df', node_id: node, output_name: output };
    }),
    outputs:
      type === 'SOURCE' || type === 'TRANSFORM' ? [{ name: 'default' }] : [],
    ...more
  };
}

export function flow(...nodes: IRawNode[]): string {
  return JSON.stringify({ metadata: { version: 1 }, parameters: [], nodes });
}

export function parsed(text: string): IRawNode[] {
  return text ? (JSON.parse(text) as { nodes: IRawNode[] }).nodes : [];
}

/** A source and three steps in a row. */
export const CHAIN = flow(
  raw('s', 'SOURCE'),
  raw('a', 'TRANSFORM', ['s']),
  raw('b', 'TRANSFORM', ['a']),
  raw('c', 'TRANSFORM', ['b'])
);

export const COLUMNS: IFlowColumn[] = [
  { Name: 'id', Type: 'long' },
  { Name: 'city', Type: 'string' }
];

/** The state of a node, as a check has it. */
export function stateOf(
  node: IRawNode,
  more: Partial<IFlowNodeState> = {}
): IFlowNodeState {
  return {
    NodeId: node.node_id,
    Type: node.type,
    Title: `Title of ${node.node_id}`,
    Summary: `Summary of ${node.node_id}`,
    Disabled: node.bottega?.['disabled'] === true,
    Outputs: (node.outputs ?? []).map(output => output.name),
    Columns: COLUMNS,
    Serving: 'apply',
    RunsCode: node.operator.includes('custom_code'),
    ...more
  };
}

/** A page of a table whose rows are told by their numbers. */
export function page(
  request: IPreviewFlowRequest,
  total: number,
  more: Partial<IPreviewFlowResponse> = {}
): IPreviewFlowResponse {
  const first = request.Offset ?? 0;
  const count = Math.max(0, Math.min(request.Limit ?? 100, total - first));
  const ids = Array.from({ length: count }, (_, index) => first + index);
  return {
    Columns: COLUMNS,
    Rows: ids.map(id => [id, `city ${id}`]) as unknown as Array<
      Record<string, unknown>
    >,
    RowIds: ids,
    TotalRows: total,
    Scope: 'whole',
    ...more
  };
}

export function profile(
  name: string,
  more: Partial<IFlowColumnProfile> = {}
): IFlowColumnProfile {
  return {
    Name: name,
    Type: 'float',
    Kind: 'numeric',
    Count: 1000,
    Missing: 4,
    Invalid: 0,
    Distinct: 900,
    DistinctExact: true,
    TopValues: [],
    Histogram: [],
    Issues: [],
    ...more
  };
}

/** The operations as far as the tests need them: edits are made, every step changes nothing. */
export function flowAnswers(more: Answers = {}): Answers {
  let added = 0;
  return {
    'bottega:EditFlow': ({ Flow, Edit }) => {
      let nodes = parsed(Flow);
      let id = Edit.NodeId ?? '';
      switch (Edit.Kind) {
        case 'add_source':
          id = `source-${(added += 1)}`;
          nodes = [...nodes, raw(id, 'SOURCE')];
          break;
        case 'add_step':
          id = `step-${(added += 1)}`;
          nodes = [
            ...nodes,
            raw(id, 'TRANSFORM', [`${Edit.NodeId}/${Edit.OutputName}`], {
              operator: Edit.Operator ?? '',
              parameters: Edit.Values ?? {}
            })
          ];
          break;
        case 'change_step':
          nodes = nodes.map(node =>
            node.node_id === id
              ? { ...node, parameters: Edit.Values ?? {} }
              : node
          );
          break;
        case 'disable':
        case 'enable':
          nodes = nodes.map(node =>
            node.node_id === id
              ? { ...node, bottega: { disabled: Edit.Kind === 'disable' } }
              : node
          );
          break;
        case 'remove': {
          const gone = nodes.find(node => node.node_id === id);
          const input = gone?.inputs?.[0];
          nodes = nodes
            .filter(node => node !== gone)
            .map(node => ({
              ...node,
              inputs: (node.inputs ?? []).map(its =>
                its.node_id === id && input ? input : its
              )
            }));
          id = input?.node_id ?? '';
          break;
        }
        case 'move':
          break;
        default:
          throw new BottegaError(
            'ValidationException',
            `The test makes no ${Edit.Kind}.`,
            400
          );
      }
      return { Flow: flow(...nodes), NodeId: id };
    },
    'bottega:CheckFlow': ({ Flow, Trusted }) => {
      const nodes = parsed(Flow);
      return {
        Nodes: nodes.map(node => stateOf(node)),
        NeedsTrust:
          Trusted !== true &&
          nodes.some(node => node.operator.includes('custom_code')),
        Ends: [],
        Notes: []
      };
    },
    'bottega:PreviewFlow': request => page(request, 250),
    'bottega:ProfileFlow': request => ({
      Rows: 1000,
      Scope: 'whole',
      Profiles: (request.Columns ?? []).map(name => profile(name))
    }),
    ...more
  };
}

/** A store in memory. */
export class MemoryStore implements IFlowStore {
  constructor(public text = '') {}

  readonly title = 'customers.flow';
  readonly name = 'customers';
  readonly key = 'data/customers.flow';
  readonly folder = '/home/ada/data';
  readonly directory = 'data';
  readonly readOnly = false;
  readonly writes: string[] = [];
  /** Why the next writes fail. */
  refusal: string | null = null;

  get changed(): ISignal<unknown, string> {
    return this.outside;
  }

  read(): Promise<string> {
    return Promise.resolve(this.text);
  }

  write(text: string): Promise<void> {
    if (this.refusal) {
      return Promise.reject(new Error(this.refusal));
    }
    this.text = text;
    this.writes.push(text);
    return Promise.resolve();
  }

  readonly outside: Signal<unknown, string> = new Signal(this);
}

/** A model over fakes that has read its flow and checked it. */
export async function readyModel(
  text: string,
  more: Answers = {},
  memory = new PassingTrust()
): Promise<{
  model: WranglerModel;
  client: FakeClient;
  store: MemoryStore;
}> {
  const client = new FakeClient(flowAnswers(more));
  const store = new MemoryStore(text);
  const model = new WranglerModel(client, store, memory);
  await until(() => model.isReady && (model.problem || model.check) !== null);
  return { model, client, store };
}

/** What panels are given. */
export function panelProps(
  made: { model: WranglerModel; client: FakeClient },
  studio = new FakeStudio()
): IPanelProps & { studio: FakeStudio; client: FakeClient } {
  return { model: made.model, client: made.client, studio, trans };
}

/** What a test knows to be there. */
export function given<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) {
    throw new Error('What the test needs is not there.');
  }
  return value;
}

/** Wait until something holds; a test that waits in vain ends by itself. */
export async function until(holds: () => boolean): Promise<void> {
  await waitFor(
    () => {
      if (!holds()) {
        throw new Error(`This does not come true: ${holds.toString()}`);
      }
    },
    { timeout: 5000, interval: 5 }
  );
}

/** An answer that a test gives when it wants to. */
export class Held<K extends OperationName> {
  readonly requests: Array<IOperations[K]['request']> = [];

  readonly answer = (
    request: IOperations[K]['request']
  ): Promise<IOperations[K]['response']> => {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      this._waiting.push({ resolve, reject });
    });
  };

  /** Answer a request, by its number. */
  give(index: number, response: IOperations[K]['response']): void {
    this._waiting[index]?.resolve(response);
  }

  /** Refuse a request, by its number. */
  refuse(index: number, message: string): void {
    this._waiting[index]?.reject(
      new BottegaError('ValidationException', message, 400)
    );
  }

  private readonly _waiting: Array<{
    resolve: (response: IOperations[K]['response']) => void;
    reject: (error: Error) => void;
  }> = [];
}
