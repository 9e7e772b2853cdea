import type { IFlowNodeState } from '../../../api/types/wrangler';
import type { IFlowNode, ITableRef } from './types';

/** Nodes that give tables. */
const TABLES = new Set(['SOURCE', 'TRANSFORM']);

/**
 * The nodes of a flow's text, in its order.
 *
 * What makes a document invalid is for the server to say: nodes that are none are left out here.
 *
 * @throws Error when the text is no JSON.
 */
export function nodesOf(
  text: string,
  states: readonly IFlowNodeState[] = []
): IFlowNode[] {
  const byId = new Map(states.map(state => [state.NodeId, state]));
  return rawNodes(text).map(raw => {
    const id = raw['node_id'] as string;
    const state = byId.get(id);
    const type = raw['type'] === 'DATASET' ? 'SOURCE' : String(raw['type']);
    const outputs = list(raw['outputs']).flatMap(output =>
      typeof output['name'] === 'string' ? [output['name']] : []
    );
    return {
      NodeId: id,
      Type: type,
      Operator: String(raw['operator'] ?? ''),
      Disabled: record(raw['bottega'])['disabled'] === true,
      Outputs:
        state?.Outputs ??
        (outputs.length > 0 || !TABLES.has(type) ? outputs : ['default']),
      Inputs: list(raw['inputs']).flatMap(input =>
        typeof input['node_id'] === 'string'
          ? [
              {
                nodeId: input['node_id'],
                outputName: String(input['output_name'] ?? 'default')
              }
            ]
          : []
      ),
      State: state
    };
  });
}

/** The code that some nodes have, as one text: the same code gives the same text. */
export function codeOf(text: string, nodeIds: ReadonlySet<string>): string {
  return JSON.stringify(
    rawNodes(text)
      .filter(raw => nodeIds.has(String(raw['node_id'])))
      .map(raw => [raw['operator'], raw['parameters']])
      .map(part => JSON.stringify(part))
      .sort()
  );
}

/** Whether a node gives a table. */
export function givesTable(node: IFlowNode): boolean {
  return TABLES.has(node.Type);
}

/**
 * The steps of the branch that leads to a table: from a source, or from where tables come together
 * (that node included), down to the last node before the branch divides or ends.
 *
 * @param selected a node that gives a table.
 */
export function branchOf(
  nodes: readonly IFlowNode[],
  selected: ITableRef
): IFlowNode[] {
  const byId = new Map(nodes.map(node => [node.NodeId, node]));
  const start = byId.get(selected.nodeId);
  if (!start) {
    return [];
  }
  const before: IFlowNode[] = [start];
  const seen = new Set([start.NodeId]);
  for (;;) {
    const [only, ...others] = before[0]?.Inputs ?? [];
    const node = only && byId.get(only.nodeId);
    if (!node || others.length > 0 || seen.has(node.NodeId)) {
      break;
    }
    seen.add(node.NodeId);
    before.unshift(node);
  }
  const after: IFlowNode[] = [];
  let last = start;
  let output = selected.outputName;
  for (;;) {
    const next = consumersOf(nodes, {
      nodeId: last.NodeId,
      outputName: output
    });
    const [only] = next;
    if (
      !only ||
      next.length > 1 ||
      only.Inputs.length > 1 ||
      seen.has(only.NodeId)
    ) {
      break;
    }
    seen.add(only.NodeId);
    after.push(only);
    if (only.Outputs.length > 1) {
      break;
    }
    last = only;
    output = only.Outputs[0] ?? 'default';
  }
  return [...before, ...after];
}

/** The nodes that transform a table further. */
export function consumersOf(
  nodes: readonly IFlowNode[],
  table: ITableRef
): IFlowNode[] {
  return nodes.filter(
    node =>
      givesTable(node) &&
      node.Inputs.some(
        input =>
          input.nodeId === table.nodeId && input.outputName === table.outputName
      )
  );
}

/** What to look at first: the last table that nothing transforms further. */
export function lastTable(nodes: readonly IFlowNode[]): ITableRef | null {
  const taken = new Set(
    nodes
      .filter(givesTable)
      .flatMap(node => node.Inputs.map(input => input.nodeId))
  );
  const ends = nodes.filter(
    node => givesTable(node) && !taken.has(node.NodeId)
  );
  const end = ends[ends.length - 1];
  return end
    ? { nodeId: end.NodeId, outputName: end.Outputs[0] ?? 'default' }
    : null;
}

type Raw = Record<string, unknown>;

function rawNodes(text: string): Raw[] {
  if (!text.trim()) {
    return [];
  }
  return list(record(JSON.parse(text))['nodes']).filter(
    node => typeof node['node_id'] === 'string'
  );
}

function record(value: unknown): Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Raw)
    : {};
}

function list(value: unknown): Raw[] {
  return Array.isArray(value) ? value.map(record) : [];
}
