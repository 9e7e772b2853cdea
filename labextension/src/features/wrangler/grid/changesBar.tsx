import type { IFlowChanges } from '../../../api/types/wrangler';
import { Button } from '../../../shared/components/controls';
import type { IPanelProps } from '../model/types';
import type { GridController } from './gridController';

/** Below the grid: what the step changes, which rows are in sight, and of how much data. */
export function ChangesBar(
  props: IPanelProps & { controller: GridController }
): JSX.Element {
  const { controller, model, trans } = props;
  const { facts, rowCount, rows } = controller;
  if (!facts) {
    return <></>;
  }
  const { selected, draft } = model;
  const isStep =
    selected !== null && model.node(selected.nodeId)?.Type === 'TRANSFORM';
  const last = Math.min(rows[1] + 1, rowCount);
  return (
    <div className="jp-BottegaGrid-bar">
      {!draft && isStep && (
        <label className="jp-BottegaGrid-toggle">
          <input
            type="checkbox"
            checked={model.compare}
            onChange={event => model.setCompare(event.target.checked)}
          />
          {trans.__('Show changes')}
        </label>
      )}
      {draft && (
        <span className="jp-BottegaGrid-preview">{trans.__('Preview')}</span>
      )}
      {facts.changes && (draft || model.compare) && (
        <Changes changes={facts.changes} trans={trans} />
      )}
      <span className="jp-BottegaHeader-space" />
      {controller.refusal && (
        <span className="jp-BottegaGrid-refusal">{controller.refusal}</span>
      )}
      {controller.profileProblem && (
        <span className="jp-BottegaGrid-refusal" role="status">
          {trans.__(
            'What the columns hold is not known: %1',
            controller.profileProblem.message
          )}
          <Button onClick={() => controller.retry()}>
            {trans.__('Try again')}
          </Button>
        </span>
      )}
      <Scope {...props} />
      {rowCount > 0 && (
        <span className="jp-BottegaGrid-rows">
          {trans.__(
            'rows %1–%2 of %3',
            (rows[0] + 1).toLocaleString(),
            last.toLocaleString(),
            facts.total === null ? '…' : facts.total.toLocaleString()
          )}
        </span>
      )}
    </div>
  );
}

/** What a step does to the table, as chips with signs of their own. */
function Changes(props: {
  changes: IFlowChanges;
  trans: IPanelProps['trans'];
}): JSX.Element {
  const { changes, trans } = props;
  const number = (value: number): string => value.toLocaleString();
  const chips: Array<[string, string, string, number]> = [
    [
      'changed',
      '~',
      trans._n(
        '%2 cell changes',
        '%2 cells change',
        changes.CellsChanged,
        number(changes.CellsChanged)
      ),
      changes.CellsChanged
    ],
    [
      'added',
      '+',
      trans._n(
        '%2 row added',
        '%2 rows added',
        changes.RowsAdded,
        number(changes.RowsAdded)
      ),
      changes.RowsAdded
    ],
    [
      'removed',
      '−',
      trans._n(
        '%2 row removed',
        '%2 rows removed',
        changes.RowsRemoved,
        number(changes.RowsRemoved)
      ),
      changes.RowsRemoved
    ]
  ];
  if (changes.ColumnsAdded > 0) {
    chips.push([
      'added',
      '+',
      trans._n(
        '%2 column added',
        '%2 columns added',
        changes.ColumnsAdded,
        number(changes.ColumnsAdded)
      ),
      changes.ColumnsAdded
    ]);
  }
  if (changes.ColumnsRemoved > 0) {
    chips.push([
      'removed',
      '−',
      trans._n(
        '%2 column removed',
        '%2 columns removed',
        changes.ColumnsRemoved,
        number(changes.ColumnsRemoved)
      ),
      changes.ColumnsRemoved
    ]);
  }
  return (
    <span className="jp-BottegaGrid-changes" role="status">
      {chips.map(([kind, sign, text, count]) => (
        <span
          key={text}
          className={`jp-BottegaGrid-chip jp-mod-${kind}${count === 0 ? ' jp-mod-none' : ''}`}
        >
          <span aria-hidden="true">{sign}</span> {text}
        </span>
      ))}
    </span>
  );
}

/** Whether all is shown, or what comes of the first rows of the sources. */
function Scope(
  props: IPanelProps & { controller: GridController }
): JSX.Element {
  const { controller, trans } = props;
  const { facts, wholeProblem } = controller;
  if (!facts || facts.sampleRows === null) {
    return <></>;
  }
  const first = trans.__(
    'from the first %1 rows',
    facts.sampleRows.toLocaleString()
  );
  return (
    <span className="jp-BottegaGrid-scope" role="status">
      {controller.isReadingWhole
        ? trans.__('%1; reading all…', first)
        : wholeProblem
          ? trans.__(
              '%1; the rest cannot be read: %2',
              first,
              wholeProblem.message
            )
          : first}
      {wholeProblem && (
        <Button onClick={() => controller.retry()}>
          {trans.__('Try again')}
        </Button>
      )}
    </span>
  );
}
