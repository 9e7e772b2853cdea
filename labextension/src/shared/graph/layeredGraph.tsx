import '@xyflow/react/dist/style.css';

import type { TranslationBundle } from '@jupyterlab/translation';
import type { Edge, Node, NodeProps } from '@xyflow/react';
import {
  Controls,
  Handle,
  MarkerType,
  Position,
  ReactFlow,
  ReactFlowProvider
} from '@xyflow/react';
import type { ReactNode } from 'react';
import { useEffect, useMemo, useState } from 'react';

import { GRAPH_COLOURS } from './colours';
import type { ILayoutStyle, IPlace, IShape } from './layout';
import { layOut, shapeOf } from './layout';

/** The size of a drawn node. */
const WIDTH = 190;
const HEIGHT = 52;

/** Labels of edges have room between the layers. */
const STYLE: ILayoutStyle = {
  width: WIDTH,
  height: HEIGHT,
  direction: 'RIGHT',
  spacing: 60
};

/** Beyond so many nodes a graph is drawn no smaller: it is moved about instead. */
const LEAST_ZOOM = 0.6;

type DrawnNode = Node<{ content: ReactNode }, 'plain'>;

const NODE_TYPES = { plain: PlainNode };

/** Where edges begin and end, so that the library need not measure it. */
const HANDLES: NonNullable<DrawnNode['handles']> = [
  {
    type: 'target',
    position: Position.Left,
    x: 0,
    y: HEIGHT / 2,
    width: 1,
    height: 1
  },
  {
    type: 'source',
    position: Position.Right,
    x: WIDTH,
    y: HEIGHT / 2,
    width: 1,
    height: 1
  }
];

/** A graph in layers from left to right, laid out anew when its shape changes. */
export function LayeredGraph(props: {
  graph: IShape & {
    edges: ReadonlyArray<{
      id: string;
      source: string;
      target: string;
      label?: string;
    }>;
  };
  render: (id: string) => ReactNode;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { graph, render, label, trans } = props;
  const [laidOut, setLaidOut] = useState<ReadonlyMap<string, IPlace> | null>(
    null
  );
  const [problem, setProblem] = useState<Error | null>(null);
  const shape = shapeOf(graph);
  useEffect(() => {
    let isLate = false;
    layOut(graph, STYLE).then(
      places => {
        if (!isLate) {
          setLaidOut(places);
        }
      },
      (reason: unknown) =>
        setProblem(reason instanceof Error ? reason : new Error(String(reason)))
    );
    return () => {
      isLate = true;
    };
    // The graph is another object after each answer; its layout is another after a change of shape.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape]);
  const nodes = useMemo(
    () =>
      graph.nodes.flatMap((node): DrawnNode[] => {
        const position = laidOut?.get(node.id);
        return position
          ? [
              {
                id: node.id,
                type: 'plain',
                position,
                width: WIDTH,
                height: HEIGHT,
                handles: HANDLES,
                style: { pointerEvents: 'all' },
                data: { content: render(node.id) }
              }
            ]
          : [];
      }),
    [graph, laidOut, render]
  );
  const edges = useMemo(
    () =>
      graph.edges.map((edge): Edge => ({
        ...edge,
        focusable: false,
        selectable: false,
        labelStyle: { fill: 'var(--jp-ui-font-color1)' },
        labelBgStyle: { fill: 'var(--jp-layout-color1)' },
        markerEnd: { type: MarkerType.ArrowClosed, width: 12, height: 12 }
      })),
    [graph]
  );
  return (
    <div className="jp-BottegaGraph" role="group" aria-label={label}>
      {problem && (
        <p role="alert" className="jp-BottegaDialog-problem">
          {trans.__('The graph cannot be drawn: %1', problem.message)}
        </p>
      )}
      {nodes.length > 0 && (
        <ReactFlowProvider>
          <ReactFlow
            key={nodes.length} // shown whole again when there is more of it
            style={GRAPH_COLOURS}
            nodes={nodes}
            edges={edges}
            nodeTypes={NODE_TYPES}
            nodesDraggable={false}
            nodesConnectable={false}
            nodesFocusable={false}
            edgesFocusable={false}
            elementsSelectable={false}
            deleteKeyCode={null}
            disableKeyboardA11y
            fitView
            fitViewOptions={{ minZoom: LEAST_ZOOM, maxZoom: 1 }}
            minZoom={0.2}
            maxZoom={1.5}
          >
            <Controls showInteractive={false} />
          </ReactFlow>
        </ReactFlowProvider>
      )}
    </div>
  );
}

function PlainNode(props: NodeProps<DrawnNode>): JSX.Element {
  return (
    <>
      <Handle
        type="target"
        position={Position.Left}
        isConnectable={false}
        aria-hidden="true"
      />
      {props.data.content}
      <Handle
        type="source"
        position={Position.Right}
        isConnectable={false}
        aria-hidden="true"
      />
    </>
  );
}
