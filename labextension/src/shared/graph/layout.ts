import type { ElkNode } from 'elkjs/lib/elk-api';

/** What is laid out: nodes of one size, and edges between them. */
export interface IShape {
  nodes: ReadonlyArray<{ id: string }>;
  edges: ReadonlyArray<{ id: string; source: string; target: string }>;
}

/** How large nodes are, and whither edges lead. */
export interface ILayoutStyle {
  width: number;
  height: number;
  direction: 'DOWN' | 'RIGHT';
  /** Pixels between one layer and the next. */
  spacing: number;
}

/** Where a node is drawn. */
export interface IPlace {
  x: number;
  y: number;
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.spacing.nodeNode': '16',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES'
};

/** Places for all nodes, in layers along the edges. */
export async function layOut(
  graph: IShape,
  style: ILayoutStyle
): Promise<ReadonlyMap<string, IPlace>> {
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js');
  const laidOut: ElkNode = await new Elk().layout({
    id: 'graph',
    layoutOptions: {
      ...OPTIONS,
      'elk.direction': style.direction,
      'elk.layered.spacing.nodeNodeBetweenLayers': String(style.spacing)
    },
    children: graph.nodes.map(node => ({
      id: node.id,
      width: style.width,
      height: style.height
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
export function shapeOf(graph: IShape): string {
  return JSON.stringify([
    graph.nodes.map(node => node.id),
    graph.edges.map(edge => edge.id)
  ]);
}
