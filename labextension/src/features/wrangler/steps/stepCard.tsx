import type { TranslationBundle } from '@jupyterlab/translation';
import type { DragEvent, KeyboardEvent } from 'react';

import type { IFlowNode } from '../model/types';
import { titleOf } from './stepActs';
import type { IMenuItem } from './stepMenu';
import { StepMenu } from './stepMenu';

/** One step of the branch. */
export function StepCard(props: {
  node: IFlowNode;
  number: number;
  isSelected: boolean;
  isMovable: boolean;
  /** Where a dragged step would be put: before or behind this one. */
  drop: 'before' | 'behind' | null;
  items: readonly IMenuItem[];
  onSelect: () => void;
  onEdit: () => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onDragStart: (event: DragEvent) => void;
  onDragOver: (event: DragEvent) => void;
  onDragEnd: () => void;
  onDrop: (event: DragEvent) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { node, number, isSelected, trans } = props;
  const title = titleOf(node);
  const error = node.State?.Error;
  const classes = [
    'jp-BottegaStep',
    isSelected ? 'jp-mod-selected' : '',
    node.Disabled ? 'jp-mod-off' : '',
    error ? 'jp-mod-bad' : '',
    props.drop ? `jp-mod-${props.drop}` : ''
  ];
  return (
    <div
      className={classes.filter(Boolean).join(' ')}
      data-node={node.NodeId}
      draggable={props.isMovable}
      onDragStart={props.onDragStart}
      onDragOver={props.onDragOver}
      onDragEnd={props.onDragEnd}
      onDrop={props.onDrop}
    >
      <button
        type="button"
        className="jp-BottegaStep-main"
        aria-current={isSelected ? 'step' : undefined}
        aria-keyshortcuts={
          props.isMovable ? 'Alt+ArrowUp Alt+ArrowDown' : undefined
        }
        onClick={props.onSelect}
        onDoubleClick={props.onEdit}
        onKeyDown={props.onKeyDown}
      >
        <span className="jp-BottegaStep-number">{number}</span>
        <span className="jp-BottegaStep-text">
          <span className="jp-BottegaStep-title">{title}</span>
          {node.Disabled && (
            <span className="jp-BottegaStep-off">{trans.__('off')}</span>
          )}
          {node.State?.Summary && (
            <span className="jp-BottegaStep-summary">{node.State.Summary}</span>
          )}
        </span>
      </button>
      <StepMenu
        items={props.items}
        label={trans.__('Actions of step %1, %2', number, title)}
        trans={trans}
      />
      {error && (
        <p className="jp-BottegaStep-error" role="alert">
          <span aria-hidden="true">✕</span> {error}
        </p>
      )}
    </div>
  );
}
