/* eslint-disable jupyter/prefer-lazy-imports -- the screen is itself fetched when a flow is opened */
import { DataModel } from '@lumino/datagrid';

import type {
  FlowColumnType,
  IFlowColumn,
  IFlowColumnProfile
} from '../../../api/types/wrangler';
import type { Cell } from './cells';
import { CHANGE_SIGNS, sameColumns } from './cells';
import type { ColumnProfiles } from './columnProfiles';
import type { IRow, TablePages } from './tablePages';

/** The value of a cell that is on its way. */
export const LOADING = Symbol('loading');

/** What the renderers are told of a cell of the body. */
export interface IBodyCell {
  type: FlowColumnType;
  /** Of its row, its column or itself: added, removed, changed or empty. */
  change: string;
  /** What stood there before; undefined where nothing did. */
  before: Cell | undefined;
  isSelectedColumn: boolean;
}

/** What the renderers are told of a column's header. */
export interface IHeaderCell {
  column: IFlowColumn;
  profile: IFlowColumnProfile | null;
  rows: number;
  isSelectedColumn: boolean;
}

/**
 * The table as the grid asks for it.
 *
 * One model lives as long as its grid, so that a new table leaves the place and the selection where
 * they were: the old rows are shown until the first new ones are there.
 */
export class TableModel extends DataModel {
  constructor(private readonly _profiles: ColumnProfiles) {
    super();
    _profiles.changed.connect(this._onProfiles, this);
  }

  /** The rows that are shown. */
  get pages(): TablePages | null {
    return this._pages;
  }

  get columns(): readonly IFlowColumn[] {
    return this._columns;
  }

  get selectedColumn(): string | null {
    return this._selectedColumn;
  }

  set selectedColumn(name: string | null) {
    if (name !== this._selectedColumn) {
      this._selectedColumn = name;
      this._repaint();
    }
  }

  /** Show other rows; their first page is there. */
  show(pages: TablePages | null): void {
    this._pages = pages;
    this.refresh();
  }

  /** Rows, their number or the columns have changed. */
  refresh(): void {
    const columns = this._pages?.facts?.columns ?? [];
    const rows = this._pages?.rowCount ?? 0;
    const isOther = !sameColumns(columns, this._columns);
    const more = rows - this._rows;
    this._columns = columns;
    this._rows = rows;
    if (isOther) {
      this.emitChanged({ type: 'model-reset' });
    } else if (more > 0) {
      this.emitChanged({
        type: 'rows-inserted',
        region: 'body',
        index: rows - more,
        span: more
      });
    } else if (more < 0) {
      this.emitChanged({
        type: 'rows-removed',
        region: 'body',
        index: rows,
        span: -more
      });
    }
    this._repaint();
  }

  override rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._rows : 1;
  }

  override columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this._columns.length : 1;
  }

  override data(
    region: DataModel.CellRegion,
    row: number,
    column: number
  ): Cell | typeof LOADING {
    switch (region) {
      case 'body': {
        const found = this.row(row);
        return found ? (found.cells[column] ?? null) : LOADING;
      }
      case 'row-header': {
        const sign = CHANGE_SIGNS[this.row(row)?.change ?? ''] ?? '';
        return sign ? `${sign} ${(row + 1).toLocaleString()}` : row + 1;
      }
      case 'column-header':
        return this._columns[column]?.Name ?? '';
      case 'corner-header':
        return '';
    }
  }

  override metadata(
    region: DataModel.CellRegion,
    row: number,
    column: number
  ): DataModel.Metadata {
    const its = this._columns[column];
    if (region === 'body' && its) {
      const cell: IBodyCell = {
        type: its.Type,
        isSelectedColumn: its.Name === this._selectedColumn,
        ...this._changeOf(this.row(row), its)
      };
      return cell;
    }
    if (region === 'column-header' && its) {
      const known = this._profiles.get(its.Name);
      const cell: IHeaderCell = {
        column: its,
        profile: known?.profile ?? null,
        rows: known?.rows ?? 0,
        isSelectedColumn: its.Name === this._selectedColumn
      };
      return cell;
    }
    if (region === 'row-header') {
      return { change: this.row(row)?.change ?? '' };
    }
    return DataModel.emptyMetadata;
  }

  /** A row, while it is here. */
  row(index: number): IRow | undefined {
    return this._pages?.row(index);
  }

  private _changeOf(
    row: IRow | undefined,
    column: IFlowColumn
  ): Pick<IBodyCell, 'change' | 'before'> {
    const whole = row?.change === 'changed' ? '' : (row?.change ?? '');
    const change = whole || column.Change || '';
    if (change || !row?.before || !(column.Name in row.before)) {
      return { change, before: undefined };
    }
    return { change: 'changed', before: row.before[column.Name] as Cell };
  }

  private _onProfiles(): void {
    if (this._columns.length > 0) {
      this.emitChanged({
        type: 'cells-changed',
        region: 'column-header',
        row: 0,
        column: 0,
        rowSpan: 1,
        columnSpan: this._columns.length
      });
    }
  }

  private _repaint(): void {
    if (this._rows > 0 && this._columns.length > 0) {
      this.emitChanged({
        type: 'cells-changed',
        region: 'body',
        row: 0,
        column: 0,
        rowSpan: this._rows,
        columnSpan: this._columns.length
      });
      this.emitChanged({
        type: 'cells-changed',
        region: 'row-header',
        row: 0,
        column: 0,
        rowSpan: this._rows,
        columnSpan: 1
      });
    }
    this._onProfiles();
  }

  private _columns: readonly IFlowColumn[] = [];
  private _pages: TablePages | null = null;
  private _rows = 0;
  private _selectedColumn: string | null = null;
}
