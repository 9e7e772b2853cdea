import type { IFlowEdit } from '../../../api/types/wrangler';
import type { IFlowNode, IWranglerModel } from '../model/types';

/** Whether a node of a chain can change its place in it. */
export function isMovable(node: IFlowNode | undefined): boolean {
  return (
    node?.Type === 'TRANSFORM' &&
    node.Inputs.length === 1 &&
    node.Outputs.length === 1
  );
}

/**
 * The edit that puts a step of a chain at another place of it; null when it cannot stand there.
 *
 * @param from where the step is.
 * @param to where it is to be, counted without itself.
 */
export function moveEdit(
  chain: readonly IFlowNode[],
  from: number,
  to: number
): IFlowEdit | null {
  const moved = chain[from];
  const others = chain.filter((_, index) => index !== from);
  const before = others[to - 1];
  if (!moved || !before || from === to || !isMovable(moved)) {
    return null;
  }
  // All between the two places move by one, and have to be able to.
  const passed =
    from < to ? chain.slice(from + 1, to + 1) : chain.slice(to, from);
  if (!passed.every(isMovable)) {
    return null;
  }
  return {
    Kind: 'move',
    NodeId: moved.NodeId,
    OtherNodeId: before.NodeId
  };
}

/** Open the form, or the dialog, of a node. */
export function editNode(model: IWranglerModel, node: IFlowNode): void {
  if (node.Type === 'SOURCE') {
    model.requestDialog({ kind: 'source', nodeId: node.NodeId });
    return;
  }
  model.startDraft({
    Kind: 'change_step',
    NodeId: node.NodeId,
    Operator: node.Operator,
    ...(node.State?.Name !== undefined && { Name: node.State.Name }),
    Values: node.State?.Values ?? {}
  });
}

/** What a node is called: as the check says, or by its operator until it has answered. */
export function titleOf(node: IFlowNode): string {
  return node.State?.Title ?? operatorTitle(node.Operator);
}

/** `sagemaker.spark.handle_missing_0.1` in words. */
function operatorTitle(operator: string): string {
  const name = operator.split('.').slice(0, -1).pop() ?? operator;
  const words = name.replace(/_\d+$/, '').replace(/_/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
