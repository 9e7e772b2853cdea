import { givesTable } from '../model/flowText';
import type { IFlowNode, ITableRef } from '../model/types';
import { isMovable } from '../steps/stepActs';

/** What a node of the drawn graph is. */
export type GraphKind =
  | 'source'
  | 'step'
  | 'run'
  | 'join'
  | 'split'
  | 'output'
  | 'analyses'
  | 'destination';

/** A node of the drawn graph: one of the flow, several folded into one, or an output. */
export interface IGraphNode {
  id: string;
  kind: GraphKind;
  /** What it stands for, in order. */
  nodes: readonly IFlowNode[];
  /** The table that it shows; null where it has none. */
  table: ITableRef | null;
  /** Of the open run that it belongs to, whose first step folds it again. */
  run: string | null;
}

/** An edge of the drawn graph. */
export interface IGraphEdge {
  id: string;
  source: string;
  target: string;
}

/** The drawn graph. */
export interface IGraph {
  nodes: IGraphNode[];
  edges: IGraphEdge[];
}

/**
 * The graph of a flow, in which steps that follow each other are one node.
 *
 * @param open ids of first steps whose runs are drawn step by step.
 */
export function graphOf(
  nodes: readonly IFlowNode[],
  open: ReadonlySet<string>
): IGraph {
  const runs = runsOf(nodes);
  const drawn = new Map<string, string>(); // by table, the node that shows it
  const graph: IGraph = { nodes: [], edges: [] };
  const analyses = new Map<string, IGraphNode>();
  const add = (node: IGraphNode): void => {
    graph.nodes.push(node);
    if (node.table) {
      drawn.set(tableKey(node.table), node.id);
    }
  };
  for (const node of nodes) {
    const run = runs.get(node.NodeId);
    if (run && run.length > 1 && !open.has(idOf(run))) {
      for (const member of run) {
        drawn.set(tableKey(tableOf(member)), idOf(run));
      }
      const last = run[run.length - 1];
      if (node === run[0] && last) {
        add({
          id: idOf(run),
          kind: 'run',
          nodes: run,
          table: tableOf(last),
          run: null
        });
      }
    } else if (node.Type === 'VISUALIZATION') {
      const input = node.Inputs[0];
      const key = `analyses:${input ? tableKey(input) : node.NodeId}`;
      const present = analyses.get(key);
      if (present) {
        present.nodes = [...present.nodes, node];
      } else {
        const made: IGraphNode = {
          id: key,
          kind: 'analyses',
          nodes: [node],
          table: null,
          run: null
        };
        analyses.set(key, made);
        add(made);
      }
    } else {
      add({
        id: node.NodeId,
        kind: kindOf(node),
        nodes: [node],
        table: givesTable(node) ? tableOf(node) : null,
        run: run && run.length > 1 ? idOf(run) : null
      });
      if (node.Outputs.length > 1) {
        for (const output of node.Outputs) {
          const table = { nodeId: node.NodeId, outputName: output };
          add({
            id: tableKey(table),
            kind: 'output',
            nodes: [node],
            table,
            run: null
          });
          graph.edges.push(edge(node.NodeId, tableKey(table)));
        }
      }
    }
  }
  for (const node of graph.nodes) {
    const first = node.nodes[0];
    if (node.kind === 'output' || !first) {
      continue;
    }
    for (const input of first.Inputs) {
      const source = drawn.get(tableKey(input));
      if (source !== undefined && source !== node.id) {
        graph.edges.push(edge(source, node.id));
      }
    }
  }
  return graph;
}

/** Whether a drawn node shows a table, or the steps of it that are folded do. */
export function showsTable(node: IGraphNode, table: ITableRef | null): boolean {
  if (!table || !node.table) {
    return false;
  }
  return node.kind === 'run'
    ? node.nodes.some(member => member.NodeId === table.nodeId)
    : node.table.nodeId === table.nodeId &&
        node.table.outputName === table.outputName &&
        node.kind !== 'split';
}

/** The one table of a node, or the first of several. */
function tableOf(node: IFlowNode): ITableRef {
  return { nodeId: node.NodeId, outputName: node.Outputs[0] ?? 'default' };
}

/** The longest runs of steps that follow each other alone, by the id of each member. */
function runsOf(nodes: readonly IFlowNode[]): Map<string, IFlowNode[]> {
  const takers = new Map<string, number>();
  for (const node of nodes.filter(givesTable)) {
    for (const input of node.Inputs) {
      takers.set(input.nodeId, (takers.get(input.nodeId) ?? 0) + 1);
    }
  }
  const byId = new Map(nodes.map(node => [node.NodeId, node]));
  const runs = new Map<string, IFlowNode[]>();
  const place = (node: IFlowNode): IFlowNode[] => {
    const known = runs.get(node.NodeId);
    if (known) {
      return known;
    }
    const before = byId.get(node.Inputs[0]?.nodeId ?? '');
    const run =
      before && isMovable(before) && takers.get(before.NodeId) === 1
        ? place(before)
        : [];
    run.push(node);
    runs.set(node.NodeId, run);
    return run;
  };
  for (const node of nodes) {
    if (isMovable(node)) {
      place(node);
    }
  }
  return runs;
}

function kindOf(node: IFlowNode): GraphKind {
  if (node.Type === 'SOURCE') {
    return 'source';
  }
  if (node.Type === 'DESTINATION') {
    return 'destination';
  }
  if (node.Inputs.length > 1) {
    return 'join';
  }
  return node.Outputs.length > 1 ? 'split' : 'step';
}

function idOf(run: readonly IFlowNode[]): string {
  return `run:${run[0]?.NodeId ?? ''}`;
}

function tableKey(table: ITableRef): string {
  return `${table.nodeId}/${table.outputName}`;
}

function edge(source: string, target: string): IGraphEdge {
  return { id: `${source}>${target}`, source, target };
}
