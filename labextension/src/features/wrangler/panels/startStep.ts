import type { IFlowTransform } from '../../../api/types/wrangler';
import type { IWranglerModel } from '../model/types';
import { startingValues } from './form/values';

/** Begin to add a step: its form opens, or the dialog of what takes two tables. */
export function startStep(
  model: IWranglerModel,
  transform: IFlowTransform
): void {
  const { selected } = model;
  if (transform.Inputs > 1 && selected) {
    model.requestDialog(
      transform.Operator.includes('.join_')
        ? { kind: 'join', left: selected }
        : { kind: 'concatenate', first: selected }
    );
    return;
  }
  const column = model.columns?.find(
    item => item.Name === model.selectedColumn
  );
  model.startDraft({
    Kind: 'add_step',
    Operator: transform.Operator,
    Name: transform.Name,
    Values: startingValues(transform.Parameters, column ?? null)
  });
}
