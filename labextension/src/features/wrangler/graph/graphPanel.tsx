import '@xyflow/react/dist/style.css';

import { showErrorMessage } from '@jupyterlab/apputils';
import type { Edge } from '@xyflow/react';
import {
  Controls,
  MarkerType,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow
} from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { Button } from '../../../shared/components/controls';
import { GRAPH_COLOURS } from '../../../shared/graph/colours';
import type { IPlace } from '../../../shared/graph/layout';
import { layOut, shapeOf } from '../../../shared/graph/layout';
import { useSignal } from '../../../shared/hooks/useSignal';
import { asError } from '../../../shared/asError';
import type { IPanelProps } from '../model/types';
import type { IGraphNode } from './flowGraph';
import { graphOf, showsTable } from './flowGraph';
import type { DrawnNode } from './graphNode';
import { GraphNode } from './graphNode';
import { LAYOUT, NODE_HEIGHT, NODE_WIDTH } from './layout';
import { ServingNote } from './servingNote';

const NODE_TYPES = { flow: GraphNode };

/**
 * Where edges begin and end. The library would measure that after every change, and draws no edges
 * when one change follows another while it does.
 */
const HANDLES: NonNullable<DrawnNode['handles']> = [
  {
    type: 'target',
    position: Position.Top,
    x: NODE_WIDTH / 2,
    y: 0,
    width: 1,
    height: 1
  },
  {
    type: 'source',
    position: Position.Bottom,
    x: NODE_WIDTH / 2,
    y: NODE_HEIGHT,
    width: 1,
    height: 1
  }
];

/** Room around the graph. */
const MARGIN = 14;

/** Nodes are drawn no smaller than this when the graph is shown whole; the rest is scrolled to. */
const LEAST_ZOOM = 0.5;

/** The flow as a graph, and what brings tables into it and together. */
export function GraphPanel(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  useSignal(model.changed);
  const { selected } = model;
  return (
    <div className="jp-BottegaFlow">
      <div
        className="jp-BottegaFlow-acts"
        role="toolbar"
        aria-label={trans.__('Flow')}
      >
        <Button onClick={() => model.requestDialog({ kind: 'source' })}>
          {trans.__('Add data')}
        </Button>
        <Button
          disabled={!selected}
          onClick={() =>
            selected && model.requestDialog({ kind: 'join', left: selected })
          }
        >
          {trans.__('Join')}
        </Button>
        <Button
          disabled={!selected}
          onClick={() =>
            selected &&
            model.requestDialog({ kind: 'concatenate', first: selected })
          }
        >
          {trans.__('Concatenate')}
        </Button>
      </div>
      <ReactFlowProvider>
        <Graph {...props} />
      </ReactFlowProvider>
      <ServingNote model={model} trans={trans} />
    </div>
  );
}

function Graph(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState<Error | null>(null);
  const [laidOut, setLaidOut] = useState<{
    shape: string;
    places: ReadonlyMap<string, IPlace>;
  } | null>(null);
  const { setViewport } = useReactFlow();
  const canvas = useRef<HTMLDivElement>(null);
  const { nodes: flowNodes, selected } = model;
  const graph = useMemo(() => graphOf(flowNodes, open), [flowNodes, open]);
  const shape = shapeOf(graph);

  useEffect(() => {
    let isLate = false;
    // The graph is another object after each check; its layout is another after a change of shape.
    layOut(graph, LAYOUT).then(
      places => {
        if (!isLate) {
          setLaidOut({ shape, places });
        }
      },
      (reason: unknown) => setProblem(asError(reason))
    );
    return () => {
      isLate = true;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape]);
  const places = laidOut?.places;
  useEffect(() => {
    const width = canvas.current?.clientWidth ?? 0;
    if (places && places.size > 0 && width > 0) {
      void setViewport(viewportOf([...places.values()], width));
    }
  }, [places, setViewport]);

  const onOpen = useCallback(
    (node: IGraphNode) => {
      if (node.kind === 'analyses') {
        model.chooseTab('charts');
      } else if (node.kind === 'destination') {
        model.chooseTab('export');
      } else if (node.table) {
        model.select(node.table.nodeId, node.table.outputName);
        model.chooseTab('data');
      }
    },
    [model]
  );
  const onFold = useCallback((node: IGraphNode) => {
    const id = node.run ?? node.id;
    setOpen(before => {
      const after = new Set(before);
      if (!after.delete(id)) {
        after.add(id);
      }
      return after;
    });
  }, []);
  const onRemove = useCallback(
    (node: IGraphNode) => {
      const id = node.nodes[0]?.NodeId;
      if (id !== undefined) {
        model
          .edit({ Kind: 'remove', NodeId: id })
          .catch((error: unknown) =>
            showErrorMessage(
              trans.__('The flow is not changed'),
              asError(error).message
            )
          );
      }
    },
    [model, trans]
  );

  const drawn = useMemo(
    () =>
      graph.nodes.flatMap((node): DrawnNode[] => {
        const position = places?.get(node.id);
        if (!position) {
          return [];
        }
        const isHead =
          node.kind === 'run' || node.run === `run:${node.nodes[0]?.NodeId}`;
        return [
          {
            id: node.id,
            type: 'flow',
            position,
            width: NODE_WIDTH,
            height: NODE_HEIGHT,
            handles: HANDLES,
            // Nodes that can be neither dragged nor selected would let clicks through.
            style: { pointerEvents: 'all' },
            data: {
              node,
              isSelected: showsTable(node, selected),
              onOpen,
              onFold: isHead ? onFold : null,
              onRemove: node.kind === 'destination' ? onRemove : null,
              trans
            }
          }
        ];
      }),
    [graph, places, selected, onOpen, onFold, onRemove, trans]
  );
  const edges = useMemo(
    () =>
      graph.edges.map((edge): Edge => ({
        ...edge,
        focusable: false,
        selectable: false,
        markerEnd: { type: MarkerType.ArrowClosed, width: 12, height: 12 }
      })),
    [graph]
  );
  return (
    <div
      ref={canvas}
      className="jp-BottegaFlow-canvas"
      role="group"
      aria-label={trans.__('Graph of the flow')}
    >
      {problem && (
        <p role="alert" className="jp-BottegaFlow-problem">
          {trans.__('The graph cannot be drawn: %1', problem.message)}
        </p>
      )}
      <ReactFlow
        style={GRAPH_COLOURS}
        nodes={drawn}
        edges={edges}
        nodeTypes={NODE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        deleteKeyCode={null}
        disableKeyboardA11y
        minZoom={0.2}
        maxZoom={1.5}
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

/** The graph from its top, in the middle, as large as the width allows. */
export function viewportOf(
  places: readonly IPlace[],
  width: number
): { x: number; y: number; zoom: number } {
  const left = Math.min(...places.map(place => place.x));
  const right = Math.max(...places.map(place => place.x)) + NODE_WIDTH;
  const top = Math.min(...places.map(place => place.y));
  const zoom = Math.max(
    LEAST_ZOOM,
    Math.min(1, (width - 2 * MARGIN) / (right - left))
  );
  return {
    x: (width - (right - left) * zoom) / 2 - left * zoom,
    y: MARGIN - top * zoom,
    zoom
  };
}
