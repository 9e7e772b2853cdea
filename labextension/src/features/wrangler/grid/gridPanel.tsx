import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import { Failure, Skeleton } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import type { IPanelProps } from '../model/types';
import { ChangesBar } from './changesBar';
import type { ICursor } from './gridController';
import { GridController } from './gridController';
import { watchTheme } from './gridTheme';

/** The table that is selected, or that the step being edited would give. */
export function GridPanel(props: IPanelProps): JSX.Element {
  const { model, client, trans } = props;
  const [controller, setController] = useState<GridController | null>(null);
  useEffect(() => {
    const made = new GridController(model, client, trans);
    setController(made);
    return () => {
      setController(null);
      made.dispose();
    };
  }, [model, client, trans]);
  return controller ? (
    <Grid {...props} controller={controller} />
  ) : (
    <Skeleton trans={trans} />
  );
}

function Grid(
  props: IPanelProps & { controller: GridController }
): JSX.Element {
  const { controller, trans } = props;
  const host = useRef<HTMLDivElement>(null);
  useSignal(controller.changed);
  // Before the page lets the node go, the grid has to be told.
  useLayoutEffect(() => {
    const { grid } = controller;
    const node = host.current;
    if (!node) {
      return;
    }
    Widget.attach(grid, node);
    grid.readTheme();
    const observer = new ResizeObserver(() => {
      if (grid.isAttached) {
        MessageLoop.sendMessage(grid, Widget.ResizeMessage.UnknownSize);
      }
    });
    observer.observe(node);
    const unwatch = watchTheme(() => grid.readTheme());
    return () => {
      observer.disconnect();
      unwatch();
      if (grid.isAttached) {
        Widget.detach(grid);
      }
    };
  }, [controller]);
  useGridRole(controller, trans);

  const { facts, problem, isStale } = controller;
  const isEmpty = facts !== null && controller.rowCount === 0;
  return (
    <div className="jp-BottegaGrid-frame">
      {problem && (
        <Failure
          error={problem}
          trans={trans}
          what={trans.__('The table cannot be shown.')}
          retry={() => controller.retry()}
        />
      )}
      <div
        ref={host}
        className={`jp-BottegaGrid-host${isStale ? ' jp-mod-stale' : ''}`}
        aria-busy={controller.isWaiting}
        hidden={facts === null}
      />
      {facts === null && !problem && <Skeleton trans={trans} rows={12} />}
      {isEmpty && !isStale && (
        <p className="jp-BottegaGrid-none" role="status">
          {facts.columns.length === 0
            ? trans.__('The table has no columns.')
            : trans.__('The table has no rows.')}
        </p>
      )}
      <div className="jp-Bottega-hidden" role="status" aria-live="polite">
        {controller.refusal || cursorText(controller, trans)}
      </div>
      <ChangesBar {...props} controller={controller} />
    </div>
  );
}

/** What a screen reader says of the cell in focus. */
function cursorText(
  controller: GridController,
  trans: IPanelProps['trans']
): string {
  const { cursor, facts } = controller;
  const column = cursor && facts?.columns[cursor.column];
  return column
    ? trans.__(
        '%1, row %2: %3',
        column.Name,
        (cursor.row + 1).toLocaleString(),
        cursor.text
      )
    : '';
}

/** Keep the roles of the drawn table right: its size, and the one cell that has the focus. */
function useGridRole(
  controller: GridController,
  trans: IPanelProps['trans']
): void {
  const id = useId();
  const { cursor, facts, rowCount } = controller;
  useEffect(() => {
    const { node } = controller.grid.viewport;
    node.setAttribute('aria-label', trans.__('Table'));
    node.setAttribute('aria-rowcount', String(rowCount));
    node.setAttribute('aria-colcount', String(facts?.columns.length ?? 0));
    const row = cellElement(cursor, id);
    node.append(row);
    node.setAttribute('aria-activedescendant', id);
    return () => row.remove();
  }, [controller, trans, id, cursor, facts, rowCount]);
}

function cellElement(cursor: ICursor | null, id: string): HTMLElement {
  const row = document.createElement('div');
  row.className = 'jp-Bottega-hidden';
  row.setAttribute('role', 'row');
  row.setAttribute('aria-rowindex', String((cursor?.row ?? 0) + 1));
  const cell = document.createElement('div');
  cell.id = id;
  cell.setAttribute('role', 'gridcell');
  cell.setAttribute('aria-colindex', String((cursor?.column ?? 0) + 1));
  cell.textContent = cursor?.text ?? '';
  row.append(cell);
  return row;
}
