import type { TranslationBundle } from '@jupyterlab/translation';
import type { DataGrid } from '@lumino/datagrid';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IBottegaClient } from '../../../tokens';
import type { IShownTable, IWranglerModel } from '../model/types';
import type { Cell } from './cells';
import { cellText } from './cells';
import { ColumnProfiles } from './columnProfiles';
import { TableGrid } from './tableGrid';
import { TableModel } from './tableModel';
import type { ITableFacts } from './tablePages';
import { TablePages } from './tablePages';

/** The cell in focus, for those who do not see it. */
export interface ICursor {
  row: number;
  column: number;
  text: string;
}

/** Brings together the model of the screen, the pages of its table and the grid. */
export class GridController {
  constructor(
    private readonly _model: IWranglerModel,
    private readonly _client: Pick<IBottegaClient, 'call'>,
    private readonly _trans: TranslationBundle
  ) {
    this._profiles = new ColumnProfiles(_client);
    this._table = new TableModel(this._profiles);
    this.grid = new TableGrid({
      model: this._table,
      trans: _trans,
      listener: {
        onViewport: region => this._onViewport(region),
        onCursor: (row, column) => this._onCursor(row, column),
        onRefusal: message => this._refuse(message)
      }
    });
    this._profiles.changed.connect(() => this._changed.emit());
    _model.tableChanged.connect(this._onTable, this);
    _model.changed.connect(this._onModel, this);
    this._onTable(_model, _model.table);
  }

  readonly grid: TableGrid;

  /** Emitted when anything below has changed. */
  get changed(): ISignal<GridController, void> {
    return this._changed;
  }

  /** What is known of the table that is shown; null while none is. */
  get facts(): ITableFacts | null {
    return this._shown?.facts ?? null;
  }

  /** Whether another table is on its way. */
  get isWaiting(): boolean {
    return this._next !== null && this._next.problem === null;
  }

  /** Whether the rows that are shown are those of a former table. */
  get isStale(): boolean {
    return this._next !== null && this._shown !== null;
  }

  /** Why the table, or a part of it, cannot be shown. */
  get problem(): Error | null {
    return this._next?.problem ?? this._shown?.problem ?? null;
  }

  /** Why it is not known what the columns hold. */
  get profileProblem(): Error | null {
    return this._profiles.problem;
  }

  get isReadingWhole(): boolean {
    return this._shown?.isReadingWhole ?? false;
  }

  get wholeProblem(): Error | null {
    return this._shown?.wholeProblem ?? null;
  }

  /** The first and the last row in sight, from 0. */
  get rows(): readonly [number, number] {
    return this._rows;
  }

  get rowCount(): number {
    return this._shown?.rowCount ?? 0;
  }

  get cursor(): ICursor | null {
    return this._cursor;
  }

  /** What could not be done in the grid. */
  get refusal(): string {
    return this._refusal;
  }

  retry(): void {
    (this._next ?? this._shown)?.retry();
    this._profiles.retry();
  }

  dispose(): void {
    this._model.tableChanged.disconnect(this._onTable, this);
    this._model.changed.disconnect(this._onModel, this);
    this._next?.dispose();
    this._shown?.dispose();
    this._profiles.dispose();
    Signal.clearData(this);
    this.grid.dispose();
  }

  private _onTable(_: IWranglerModel, table: IShownTable | null): void {
    this._next?.dispose();
    this._next = null;
    if (table) {
      const next = new TablePages(this._client, table, this._rows[0]);
      next.changed.connect(() => this._onPages(next));
      this._next = next;
    } else {
      this._shown?.dispose();
      this._shown = null;
      this._table.show(null);
      this._profiles.setTable(null, false);
      this._model.setShown(null);
    }
    this._changed.emit();
  }

  private _onPages(pages: TablePages): void {
    if (pages === this._next && pages.facts) {
      // A sample may be shorter than what was looked at; the whole data bring one back there.
      this._place ??= this._rows[0] >= pages.rowCount ? this._rows[0] : null;
      this._shown?.dispose();
      this._shown = pages;
      this._next = null;
      this._table.show(pages);
      this.grid.fitColumns();
      // The grid has its new widths only when it has handled what was posted to it.
      requestAnimationFrame(() => this._reveal(pages));
    } else if (pages === this._shown) {
      this._table.refresh();
    }
    const { facts } = pages;
    if (pages === this._shown && facts) {
      if (!pages.isReadingWhole && this._place !== null) {
        if (facts.sampleRows === null && pages.rowCount > 0) {
          this.grid.scrollToRow(Math.min(this._place, pages.rowCount - 1));
        }
        this._place = null;
      }
      this._readCursor();
      this._profiles.setTable(pages.table, facts.sampleRows === null);
      const kept = facts.columns.filter(column => column.Change !== 'removed');
      this._model.setShown(
        {
          rows: facts.total,
          columns: kept.length,
          sampleRows: facts.sampleRows,
          isReading: pages.isReadingWhole,
          changes: facts.changes
        },
        kept
      );
    }
    this._changed.emit();
  }

  /** Bring into sight what a step changes, where none of it is. */
  private _reveal(pages: TablePages): void {
    if (pages !== this._shown || this.grid.isDisposed) {
      return;
    }
    const changed = pages.table.Compare ? pages.changedColumns() : [];
    const [first] = changed;
    const region = this.grid.currentViewport;
    const isSeen = changed.some(
      index =>
        region && index >= region.firstColumn && index < region.lastColumn
    );
    if (first !== undefined && !isSeen) {
      this.grid.scrollToColumn(first);
    }
  }

  private _onViewport(region: DataGrid.IBodyRegion): void {
    const count = this.rowCount;
    if (count === 0) {
      this._rows = [0, 0];
      return;
    }
    const at = (index: number, otherwise: number): number =>
      index < 0 ? otherwise : index;
    const first = at(region.firstRow, 0);
    const last = at(region.lastRow, count - 1);
    const isNew = first !== this._rows[0] || last !== this._rows[1];
    this._rows = [first, last];
    this._shown?.want(first, last);
    const { columns } = this._table;
    this._profiles.want(
      columns
        .slice(
          at(region.firstColumn, 0),
          at(region.lastColumn, columns.length - 1) + 1
        )
        .filter(column => column.Change !== 'removed')
        .map(column => column.Name)
    );
    if (isNew) {
      this._changed.emit();
    }
  }

  private _onCursor(row: number, column: number): void {
    const its = this._table.columns[column];
    if (!its) {
      return;
    }
    this._cursor = { row, column, text: this._textAt(row, column) };
    this._refusal = '';
    if (its.Change !== 'removed') {
      this._model.selectColumn(its.Name);
    }
    this._changed.emit();
  }

  /** What is in focus may have been on its way, or be another now. */
  private _readCursor(): void {
    const { _cursor: cursor } = this;
    if (cursor) {
      const text = this._textAt(cursor.row, cursor.column);
      if (text !== cursor.text) {
        this._cursor = { ...cursor, text };
      }
    }
  }

  private _textAt(row: number, column: number): string {
    const value: Cell | undefined = this._table.row(row)?.cells[column];
    const type = this._table.columns[column]?.Type;
    if (value === undefined || type === undefined) {
      return this._trans.__('loading');
    }
    return value === null ? this._trans.__('missing') : cellText(value, type);
  }

  private _onModel(): void {
    const name = this._model.selectedColumn;
    if (name === this._table.selectedColumn) {
      return;
    }
    this._table.selectedColumn = name;
    const index = this._table.columns.findIndex(other => other.Name === name);
    if (index >= 0 && this._cursor?.column !== index) {
      this.grid.scrollToColumn(index);
    }
  }

  private _refuse(message: string): void {
    this._refusal = message;
    this._changed.emit();
  }

  private _changed = new Signal<GridController, void>(this);
  private _cursor: ICursor | null = null;
  private _next: TablePages | null = null;
  /** The row to go back to when the whole data are there. */
  private _place: number | null = null;
  private readonly _profiles: ColumnProfiles;
  private _refusal = '';
  private _rows: readonly [number, number] = [0, 0];
  private _shown: TablePages | null = null;
  private readonly _table: TableModel;
}
