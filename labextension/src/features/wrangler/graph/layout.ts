import type { ElkNode } from 'elkjs/lib/elk-api';

import type { IGraph } from './flowGraph';

/** The size of a drawn node. */
export const NODE_WIDTH = 136;
export const NODE_HEIGHT = 36;

/** Where a node is drawn. */
export interface IPlace {
  x: number;
  y: number;
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.layered.spacing.nodeNodeBetweenLayers': '28',
  'elk.spacing.nodeNode': '16',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES'
};

/** Places for all nodes, in layers from the sources downwards. */
export async function layOut(
  graph: IGraph
): Promise<ReadonlyMap<string, IPlace>> {
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js');
  const laidOut: ElkNode = await new Elk().layout({
    id: 'flow',
    layoutOptions: OPTIONS,
    children: graph.nodes.map(node => ({
      id: node.id,
      width: NODE_WIDTH,
      height: NODE_HEIGHT
    })),
    edges: graph.edges.map(edge => ({
      id: edge.id,
      sources: [edge.source],
      targets: [edge.target]
    }))
  });
  return new Map(
    (laidOut.children ?? []).map(child => [
      child.id,
      { x: child.x ?? 0, y: child.y ?? 0 }
    ])
  );
}

/** What a layout depends on. */
export function shapeOf(graph: IGraph): string {
  return JSON.stringify([
    graph.nodes.map(node => node.id),
    graph.edges.map(edge => edge.id)
  ]);
}
