import type { IShownTable, IWranglerModel } from './types';

/** What the grid shows: the table that the draft would give, or the one that is selected. */
export function shownTable(
  model: Pick<
    IWranglerModel,
    'compare' | 'draft' | 'node' | 'request' | 'selected'
  >
): IShownTable | null {
  const { draft, selected } = model;
  if (draft?.flow && draft.nodeId) {
    return {
      ...model.request(),
      Flow: draft.flow,
      NodeId: draft.nodeId,
      OutputName: draft.state?.Outputs[0] ?? 'default',
      Compare: true
    };
  }
  if (!selected) {
    return null;
  }
  const isStep = model.node(selected.nodeId)?.Type === 'TRANSFORM';
  return {
    ...model.request(),
    NodeId: selected.nodeId,
    OutputName: selected.outputName,
    Compare: model.compare && isStep
  };
}
