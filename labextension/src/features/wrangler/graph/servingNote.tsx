import type { IFlowNode, IPanelProps } from '../model/types';
import { titleOf } from '../steps/stepActs';

/** Whether what leads to the selected table can stand in front of a model. */
export function ServingNote(
  props: Pick<IPanelProps, 'model' | 'trans'>
): JSX.Element {
  const { model, trans } = props;
  const { selected } = model;
  const steps = selected
    ? upstreamOf(model.nodes, selected.nodeId).filter(
        node => node.Type === 'TRANSFORM' && !node.Disabled
      )
    : [];
  if (steps.length === 0 || steps.some(node => !node.State?.Serving)) {
    return <></>;
  }
  const refused = steps.find(node => node.State?.Serving === 'refuse');
  return (
    <p className="jp-BottegaFlow-note">
      {refused
        ? trans.__(
            'Cannot stand in front of a model: “%1” needs more than one row.',
            titleOf(refused)
          )
        : trans.__('Fits in front of a model in its endpoint.')}
    </p>
  );
}

/** A node and all that it depends on. */
export function upstreamOf(
  nodes: readonly IFlowNode[],
  nodeId: string
): IFlowNode[] {
  const byId = new Map(nodes.map(node => [node.NodeId, node]));
  const found = new Set<IFlowNode>();
  const waiting = [nodeId];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const node = byId.get(id);
    if (node && !found.has(node)) {
      found.add(node);
      waiting.push(...node.Inputs.map(input => input.nodeId));
    }
  }
  return nodes.filter(node => found.has(node));
}
