import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

/** The cell of a notebook that something is the output of. */
export interface IPlace {
  panel: NotebookPanel;
  /** Of the cell. */
  index: number;
}

/** Where an output is; null where it is in no notebook. */
export function placeOf(
  tracker: Pick<INotebookTracker, 'find'>,
  output: Node
): IPlace | null {
  const panel = tracker.find(item => item.content.node.contains(output));
  const index =
    panel?.content.widgets.findIndex(cell => cell.node.contains(output)) ?? -1;
  return panel && index >= 0 ? { panel, index } : null;
}

/**
 * Put code into a new cell below another one, and go there.
 *
 * @throws Error when the notebook has not been read yet.
 */
export function insertCellBelow(place: IPlace, source: string): void {
  const { panel, index } = place;
  const { model } = panel.content;
  if (!model) {
    throw new Error('The notebook has not been read yet.');
  }
  model.sharedModel.insertCell(index + 1, { cell_type: 'code', source });
  panel.content.activeCellIndex = index + 1;
}
