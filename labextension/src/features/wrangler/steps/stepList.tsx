import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { DragEvent, KeyboardEvent } from 'react';
import { Fragment, lazy, Suspense, useRef, useState } from 'react';

import type { IFlowEdit } from '../../../api/types/wrangler';
import { Skeleton } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import { asError } from '../../../shared/asError';
import { branchOf } from '../model/flowText';
import type { IFlowNode, IPanelProps } from '../model/types';
import { editNode, isMovable, moveEdit, titleOf } from './stepActs';
import { StepCard } from './stepCard';
import type { IMenuItem } from './stepMenu';

const StepForm = lazy(() =>
  import('../panels/stepForm').then(module => ({ default: module.StepForm }))
);

/** Where a dragged step is held. */
interface IDrag {
  from: number;
  over: number;
  side: 'before' | 'behind';
}

/** The steps of the branch that leads to the selected table, in order. */
export function StepList(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  useSignal(model.changed);
  const list = useRef<HTMLOListElement>(null);
  const [drag, setDrag] = useState<IDrag | null>(null);
  const { selected, draft } = model;
  const chain = selected ? branchOf(model.nodes, selected) : [];
  const place = chain.findIndex(node => node.NodeId === selected?.nodeId);

  const run = async (edit: IFlowEdit): Promise<void> => {
    try {
      await model.edit(edit);
    } catch (error) {
      await showErrorMessage(
        trans.__('The flow is not changed'),
        asError(error).message
      );
    }
  };
  const move = async (from: number, to: number): Promise<void> => {
    const edit = moveEdit(chain, from, to);
    if (edit) {
      await run(edit);
      const id = edit.NodeId ?? '';
      list.current
        ?.querySelector<HTMLElement>(
          `[data-node="${CSS.escape(id)}"] .jp-BottegaStep-main`
        )
        ?.focus();
    }
  };
  const rename = async (node: IFlowNode): Promise<void> => {
    const answer = await InputDialog.getText({
      title: trans.__('Rename the step'),
      label: trans.__('Name'),
      text: titleOf(node)
    });
    const name = answer.value?.trim();
    if (answer.button.accept && name) {
      await run({ Kind: 'rename', NodeId: node.NodeId, Name: name });
    }
  };
  const onKeyDown = (event: KeyboardEvent, index: number): void => {
    const node = chain[index];
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step !== undefined && event.altKey) {
      event.preventDefault();
      void move(index, index + step);
    } else if (step !== undefined) {
      event.preventDefault();
      const next = chain[index + step];
      if (next) {
        model.select(next.NodeId);
        list.current
          ?.querySelector<HTMLElement>(
            `[data-node="${CSS.escape(next.NodeId)}"] .jp-BottegaStep-main`
          )
          ?.focus();
      }
    } else if (event.key === 'Delete' && node) {
      event.preventDefault();
      void run({ Kind: 'remove', NodeId: node.NodeId });
    } else if (event.key === 'F2' && node) {
      event.preventDefault();
      editNode(model, node);
    }
  };
  const itemsOf = (node: IFlowNode, index: number): IMenuItem[] => {
    const isStep = node.Type === 'TRANSFORM';
    return [
      {
        id: 'edit',
        label: isStep ? trans.__('Edit') : trans.__('Change how it is read'),
        run: () => editNode(model, node)
      },
      ...(isStep
        ? [
            {
              id: 'toggle',
              label: node.Disabled
                ? trans.__('Switch on')
                : trans.__('Switch off'),
              run: () =>
                void run({
                  Kind: node.Disabled ? 'enable' : 'disable',
                  NodeId: node.NodeId
                })
            },
            {
              id: 'up',
              label: trans.__('Move up'),
              disabled: moveEdit(chain, index, index - 1) === null,
              run: () => void move(index, index - 1)
            },
            {
              id: 'down',
              label: trans.__('Move down'),
              disabled: moveEdit(chain, index, index + 1) === null,
              run: () => void move(index, index + 1)
            }
          ]
        : []),
      {
        id: 'rename',
        label: trans.__('Rename…'),
        run: () => void rename(node)
      },
      {
        id: 'code',
        label: trans.__('Show code'),
        run: () => {
          model.select(node.NodeId);
          model.chooseTab('code');
        }
      },
      {
        id: 'remove',
        label: trans.__('Delete'),
        run: () => void run({ Kind: 'remove', NodeId: node.NodeId })
      }
    ];
  };
  const onDragOver = (event: DragEvent, index: number): void => {
    if (!drag) {
      return;
    }
    const box = event.currentTarget.getBoundingClientRect();
    const side = event.clientY < box.top + box.height / 2 ? 'before' : 'behind';
    if (moveEdit(chain, drag.from, target(drag.from, index, side))) {
      event.preventDefault();
    }
    setDrag({ from: drag.from, over: index, side });
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    if (drag) {
      void move(drag.from, target(drag.from, drag.over, drag.side));
    }
    setDrag(null);
  };
  const form = (
    <li className="jp-BottegaSteps-form">
      <Suspense fallback={<Skeleton trans={trans} />}>
        <StepForm {...props} />
      </Suspense>
    </li>
  );
  const isAdding = draft !== null && !draft.edit.Kind.startsWith('change_');
  return (
    <ol ref={list} className="jp-BottegaSteps" aria-label={trans.__('Steps')}>
      {chain.map((node, index) =>
        draft && !isAdding && draft.edit.NodeId === node.NodeId ? (
          <Fragment key={node.NodeId}>{form}</Fragment>
        ) : (
          <Fragment key={node.NodeId}>
            <li>
              <StepCard
                node={node}
                number={index + 1}
                isSelected={index === place}
                isMovable={isMovable(node)}
                drop={drag?.over === index ? drag.side : null}
                items={itemsOf(node, index)}
                onSelect={() => model.select(node.NodeId)}
                onEdit={() => editNode(model, node)}
                onKeyDown={event => onKeyDown(event, index)}
                onDragStart={event => {
                  event.dataTransfer.effectAllowed = 'move';
                  event.dataTransfer.setData('text/plain', titleOf(node));
                  setDrag({ from: index, over: index, side: 'before' });
                }}
                onDragOver={event => onDragOver(event, index)}
                onDragEnd={() => setDrag(null)}
                onDrop={onDrop}
                trans={trans}
              />
            </li>
            {isAdding && index === place && form}
          </Fragment>
        )
      )}
    </ol>
  );
}

/** The place, counted without the dragged step, of a border between two steps. */
function target(from: number, over: number, side: 'before' | 'behind'): number {
  const place = side === 'before' ? over : over + 1;
  return place > from ? place - 1 : place;
}
