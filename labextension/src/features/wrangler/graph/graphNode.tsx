import type { TranslationBundle } from '@jupyterlab/translation';
import type { NodeProps, Node } from '@xyflow/react';
import { Handle, Position } from '@xyflow/react';

import { titleOf } from '../steps/stepActs';
import type { GraphKind, IGraphNode } from './flowGraph';

/** What a drawn node is given. */
export interface IGraphNodeData extends Record<string, unknown> {
  node: IGraphNode;
  isSelected: boolean;
  onOpen: (node: IGraphNode) => void;
  /** Unfold a run, or fold it again. */
  onFold: ((node: IGraphNode) => void) | null;
  /** Take it out of the flow. */
  onRemove: ((node: IGraphNode) => void) | null;
  trans: TranslationBundle;
}

/** A node as the graph's library has it. */
export type DrawnNode = Node<IGraphNodeData, 'flow'>;

const SIGNS: Record<GraphKind, string> = {
  source: '⛁',
  step: '·',
  run: '≡',
  join: '⋈',
  split: '⇉',
  output: '▸',
  analyses: '◔',
  destination: '⇥'
};

/** A node: a button that shows its table, and what can be done with it. */
export function GraphNode(props: NodeProps<DrawnNode>): JSX.Element {
  const { node, isSelected, onOpen, onFold, onRemove, trans } = props.data;
  const errors = node.nodes.flatMap(member =>
    member.State?.Error ? [member.State.Error] : []
  );
  const label = labelOf(node, trans);
  const isOff = node.nodes.every(member => member.Disabled);
  const classes = [
    'jp-BottegaFlow-node',
    `jp-mod-${node.kind}`,
    isSelected ? 'jp-mod-selected' : '',
    errors.length > 0 ? 'jp-mod-bad' : '',
    isOff ? 'jp-mod-off' : ''
  ];
  return (
    <div className={classes.filter(Boolean).join(' ')} data-kind={node.kind}>
      <Handle
        type="target"
        position={Position.Top}
        isConnectable={false}
        aria-hidden="true"
      />
      <button
        type="button"
        className="jp-BottegaFlow-main nodrag nopan"
        aria-pressed={isSelected}
        title={errors[0] ?? label}
        onClick={() => onOpen(node)}
      >
        <span aria-hidden="true" className="jp-BottegaFlow-sign">
          {errors.length > 0 ? '✕' : SIGNS[node.kind]}
        </span>
        <span className="jp-BottegaFlow-label">{label}</span>
        {errors.length > 0 && (
          <span className="jp-Bottega-hidden">
            {trans.__('Error: %1', errors.join(' '))}
          </span>
        )}
      </button>
      {onFold && (
        <button
          type="button"
          className="jp-BottegaFlow-act nodrag nopan"
          aria-expanded={node.kind !== 'run'}
          aria-label={
            node.kind === 'run'
              ? trans.__('Show the steps of %1', label)
              : trans.__('Fold the steps')
          }
          onClick={() => onFold(node)}
        >
          <span aria-hidden="true">{node.kind === 'run' ? '▸' : '▾'}</span>
        </button>
      )}
      {onRemove && (
        <button
          type="button"
          className="jp-BottegaFlow-act nodrag nopan"
          aria-label={trans.__('Delete %1', label)}
          onClick={() => onRemove(node)}
        >
          <span aria-hidden="true">×</span>
        </button>
      )}
      <Handle
        type="source"
        position={Position.Bottom}
        isConnectable={false}
        aria-hidden="true"
      />
    </div>
  );
}

/** What a node is called. */
function labelOf(node: IGraphNode, trans: TranslationBundle): string {
  const [first] = node.nodes;
  const title = first ? titleOf(first) : '';
  const count = node.nodes.length;
  switch (node.kind) {
    case 'run':
      return trans._n('%1 step', '%1 steps', count);
    case 'output':
      return node.table?.outputName ?? title;
    case 'analyses':
      return count === 1
        ? title
        : trans._n('%1 analysis', '%1 analyses', count);
    default:
      return title;
  }
}
