/* eslint-disable jupyter/prefer-lazy-imports -- the screen is itself fetched when a flow is opened */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  DataGrid,
  RendererMap
} from '@lumino/datagrid';

import { BodyRenderer, RowHeaderRenderer } from './cellRenderers';
import type { Cell } from './cells';
import { cellText, drawnText } from './cells';
import type { IGridTheme } from './gridTheme';
import { gridStyle, readTheme } from './gridTheme';
import { HEADER_HEIGHT, HeaderRenderer } from './headerRenderer';
import type { IBodyCell, TableModel } from './tableModel';
import { LOADING } from './tableModel';

const ROW_HEIGHT = 24;
const NARROWEST = 110;
const WIDEST = 300;

/** Rows whose texts decide how wide a column is at first. */
const MEASURED_ROWS = 40;

/** Copying more cells than this is asked about. */
const MANY_CELLS = 1_000_000;

/** What the grid tells. */
export interface IGridListener {
  /** Called after drawing, with what is in sight. */
  onViewport: (region: DataGrid.IBodyRegion) => void;
  /** Called when the cell in focus is another. */
  onCursor: (row: number, column: number) => void;
  /** Called with what cannot be done. */
  onRefusal: (message: string) => void;
}

/** Lumino's grid with our renderers, in JupyterLab's colours. */
export class TableGrid extends DataGrid {
  constructor(
    private readonly _options: {
      model: TableModel;
      trans: TranslationBundle;
      listener: IGridListener;
    }
  ) {
    super({
      defaultSizes: {
        rowHeight: ROW_HEIGHT,
        columnWidth: NARROWEST,
        rowHeaderWidth: 64,
        columnHeaderHeight: HEADER_HEIGHT
      },
      minimumSizes: {
        rowHeight: ROW_HEIGHT,
        columnWidth: 40,
        rowHeaderWidth: 40,
        columnHeaderHeight: HEADER_HEIGHT
      },
      headerVisibility: 'all',
      copyConfig: {
        separator: '\t',
        headers: 'none',
        warningThreshold: MANY_CELLS,
        format: ({ value, metadata }) =>
          value === LOADING
            ? ''
            : cellText(value as Cell, (metadata as IBodyCell).type)
      }
    });
    const { model, trans, listener } = _options;
    this._theme = readTheme(this.node);
    const theme = (): IGridTheme => this._theme;
    this.cellRenderers = new RendererMap({
      body: new BodyRenderer(theme, trans),
      'column-header': new HeaderRenderer(theme, trans),
      'row-header': new RowHeaderRenderer(theme)
    });
    this.addClass('jp-BottegaGrid-canvas');
    this.dataModel = model;
    const selection = new BasicSelectionModel({
      dataModel: model,
      selectionMode: 'cell'
    });
    selection.changed.connect(() => {
      if (!selection.isEmpty) {
        listener.onCursor(selection.cursorRow, selection.cursorColumn);
      }
    });
    this.selectionModel = selection;
    this.keyHandler = new KeyHandler(model, listener, trans);
    this.mouseHandler = new BasicMouseHandler();
    // The part that has the keys is the one that screen readers must know.
    const { node } = this.viewport;
    node.tabIndex = 0;
    node.setAttribute('role', 'grid');
  }

  /** Take the colours of the present theme. */
  readTheme(): void {
    this._theme = readTheme(this.node);
    this.style = gridStyle(this._theme);
    this.repaintContent();
  }

  /** Give each column the width that it was given, or that its texts want. */
  fitColumns(): void {
    const { model } = this._options;
    const context = document.createElement('canvas').getContext('2d');
    this._isFitting = true;
    model.columns.forEach((column, index) => {
      let width = this._widths.get(column.Name);
      if (width === undefined) {
        width = NARROWEST;
        if (context) {
          context.font = this._theme.font;
          const texts = Array.from({ length: MEASURED_ROWS }, (_, row) =>
            drawnText(model.row(row)?.cells[index] ?? null, column.Type)
          );
          for (const text of texts) {
            width = Math.max(width, context.measureText(text).width + 24);
          }
          context.font = this._theme.boldFont;
          width = Math.max(width, context.measureText(column.Name).width + 56);
          width = Math.min(width, WIDEST);
          if (model.row(0)) {
            this._widths.set(column.Name, width);
          }
        }
      }
      this.resizeColumn('body', index, width);
    });
    this._isFitting = false;
  }

  override resizeColumn(
    region: 'body' | 'row-header',
    index: number,
    size: number | null
  ): void {
    super.resizeColumn(region, index, size);
    const column = this._options.model.columns[index];
    if (!this._isFitting && region === 'body' && column && size !== null) {
      this._widths.set(column.Name, size);
    }
  }

  protected override paintContent(
    x: number,
    y: number,
    width: number,
    height: number
  ): void {
    super.paintContent(x, y, width, height);
    if (this._frame === 0) {
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        const region = this.isDisposed ? undefined : this.currentViewport;
        if (region) {
          this._options.listener.onViewport(region);
        }
      });
    }
  }

  override dispose(): void {
    cancelAnimationFrame(this._frame);
    super.dispose();
  }

  private _frame = 0;
  private _isFitting = false;
  private _theme: IGridTheme;
  private readonly _widths = new Map<string, number>();
}

/** The keys of the grid: Tab leaves it, and what is copied is what is here. */
class KeyHandler extends BasicKeyHandler {
  constructor(
    private readonly _model: TableModel,
    private readonly _listener: IGridListener,
    private readonly _trans: TranslationBundle
  ) {
    super();
  }

  override onKeyDown(grid: DataGrid, event: KeyboardEvent): void {
    if (event.key === 'Tab') {
      return;
    }
    const edge = { Home: 0, End: this._model.columns.length - 1 }[event.key];
    const selection = grid.selectionModel;
    if (edge !== undefined && selection && edge >= 0) {
      event.preventDefault();
      const isFar = event.ctrlKey || event.metaKey;
      const last = this._model.rowCount('body') - 1;
      const row = !isFar
        ? Math.max(0, selection.cursorRow)
        : edge === 0
          ? 0
          : last;
      selection.select({
        r1: row,
        c1: edge,
        r2: row,
        c2: edge,
        cursorRow: row,
        cursorColumn: edge,
        clear: 'all'
      });
      grid.scrollToCursor();
      return;
    }
    super.onKeyDown(grid, event);
  }

  protected override onKeyC(grid: DataGrid, event: KeyboardEvent): void {
    const chosen = grid.selectionModel?.currentSelection();
    if (chosen && (event.ctrlKey || event.metaKey)) {
      const last = Math.min(
        Math.max(chosen.r1, chosen.r2),
        this._model.rowCount('body') - 1
      );
      for (let row = Math.min(chosen.r1, chosen.r2); row <= last; row += 1) {
        if (!this._model.row(row)) {
          event.preventDefault();
          this._listener.onRefusal(
            this._trans.__(
              'Row %1 of the selection has not been read: select fewer rows, or export the table.',
              (row + 1).toLocaleString()
            )
          );
          return;
        }
      }
    }
    super.onKeyC(grid, event);
  }
}
