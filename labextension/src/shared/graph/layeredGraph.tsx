import '@xyflow/react/dist/style.css';

import type { TranslationBundle } from '@jupyterlab/translation';
import type {
  Edge,
  EdgeProps,
  Node,
  NodeProps,
  ReactFlowInstance
} from '@xyflow/react';
import {
  BaseEdge,
  Controls,
  EdgeLabelRenderer,
  getBezierPath,
  Handle,
  MarkerType,
  Position,
  ReactFlow,
  ReactFlowProvider
} from '@xyflow/react';
import type { FocusEvent, ReactNode, RefObject } from 'react';
import { useEffect, useMemo, useRef, useState } from 'react';

import { GRAPH_COLOURS } from './colours';
import type { ILayoutStyle, IPlace, IShape } from './layout';
import { layOut, shapeOf } from './layout';
import { firstView } from './view';

/** The size of a drawn node. */
const WIDTH = 170;
const HEIGHT = 52;

/** Labels of edges have room between the layers. */
const STYLE: ILayoutStyle = {
  width: WIDTH,
  height: HEIGHT,
  direction: 'RIGHT',
  spacing: 110
};

/** A graph that is larger is drawn no smaller, as its texts could not be read: it is moved about. */
const LEAST_ZOOM = 0.9;

type DrawnNode = Node<{ content: ReactNode }, 'plain'>;

const NODE_TYPES = { plain: PlainNode };
const EDGE_TYPES = { labelled: LabelledEdge };

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
  graph: Pick<IShape, 'nodes'> & {
    edges: ReadonlyArray<{
      id: string;
      source: string;
      target: string;
      label?: string;
    }>;
  };
  /** The node that is in sight at first, where the graph is too large to be shown whole. */
  focus: string;
  render: (id: string) => ReactNode;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { graph, focus, render, label, trans } = props;
  const pane = useRef<HTMLDivElement>(null);
  const size = useSize(pane);
  const flow = useRef<ReactFlowInstance<DrawnNode> | null>(null);
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
        type: 'labelled',
        focusable: false,
        selectable: false,
        markerEnd: { type: MarkerType.ArrowClosed, width: 12, height: 12 }
      })),
    [graph]
  );
  /** What the keyboard leads to comes into sight. */
  const onFocus = (event: FocusEvent): void => {
    const id = event.target
      .closest('.react-flow__node')
      ?.getAttribute('data-id');
    const place = id ? laidOut?.get(id) : undefined;
    if (place && event.target.matches(':focus-visible')) {
      void flow.current?.setCenter(place.x + WIDTH / 2, place.y + HEIGHT / 2, {
        zoom: flow.current.getZoom()
      });
    }
  };
  const view = useMemo(
    () =>
      laidOut && size
        ? firstView({
            places: laidOut,
            focus,
            node: STYLE,
            pane: size,
            leastZoom: LEAST_ZOOM
          })
        : null,
    [laidOut, focus, size]
  );
  return (
    <div
      className="jp-BottegaGraph"
      role="group"
      aria-label={label}
      ref={pane}
      onFocus={onFocus}
    >
      {problem && (
        <p role="alert" className="jp-BottegaDialog-problem">
          {trans.__('The graph cannot be drawn: %1', problem.message)}
        </p>
      )}
      {view && nodes.length > 0 && (
        <ReactFlowProvider>
          <ReactFlow
            key={nodes.length} // shown from its start again when there is more of it
            style={GRAPH_COLOURS}
            nodes={nodes}
            edges={edges}
            nodeTypes={NODE_TYPES}
            edgeTypes={EDGE_TYPES}
            nodesDraggable={false}
            nodesConnectable={false}
            nodesFocusable={false}
            edgesFocusable={false}
            elementsSelectable={false}
            deleteKeyCode={null}
            disableKeyboardA11y
            onInit={instance => {
              flow.current = instance;
            }}
            defaultViewport={view}
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

/** The size of an element, once it has one: in a hidden tab nothing has. */
function useSize(
  element: RefObject<HTMLElement>
): { width: number; height: number } | null {
  const [size, setSize] = useState<{ width: number; height: number } | null>(
    null
  );
  useEffect(() => {
    const observer = new ResizeObserver(entries => {
      const { width = 0, height = 0 } = entries[0]?.contentRect ?? {};
      if (width > 0 && height > 0) {
        setSize({ width, height });
      }
    });
    if (element.current) {
      observer.observe(element.current);
    }
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** The library's own labels are measured when they are drawn first, which fails in a hidden tab. */
function LabelledEdge(props: EdgeProps): JSX.Element {
  const { label, markerEnd } = props;
  const [path, x, y] = getBezierPath(props);
  return (
    <>
      <BaseEdge path={path} {...(markerEnd ? { markerEnd } : {})} />
      {typeof label === 'string' && (
        <EdgeLabelRenderer>
          <div
            className="jp-BottegaGraph-label nopan"
            title={label}
            style={{
              transform: `translate(-50%, -50%) translate(${x}px, ${y}px)`
            }}
          >
            {label}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
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
