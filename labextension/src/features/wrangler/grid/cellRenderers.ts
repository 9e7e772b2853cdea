/* eslint-disable jupyter/prefer-lazy-imports -- the screen is itself fetched when a flow is opened */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { GraphicsContext } from '@lumino/datagrid';
import { CellRenderer } from '@lumino/datagrid';

import type { Cell } from './cells';
import { CHANGE_SIGNS, drawnText, isNumeric } from './cells';
import { clipped, fitted, PADDING } from './drawing';
import type { IGridTheme } from './gridTheme';
import type { IBodyCell } from './tableModel';
import { LOADING } from './tableModel';

/** Room for the sign of a change. */
const SIGN_WIDTH = 12;

/** A former value gets at least so much room, or is not drawn. */
const LEAST_BEFORE = 24;

/** Draws the cells of the body. */
export class BodyRenderer extends CellRenderer {
  constructor(
    private readonly _theme: () => IGridTheme,
    private readonly _trans: TranslationBundle
  ) {
    super();
  }

  override paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const cell = config.metadata as IBodyCell;
    const theme = this._theme();
    const { x, y, width, height } = config;
    const ground = groundOf(cell, theme);
    if (ground) {
      gc.fillStyle = ground;
      gc.fillRect(x, y, width, height - 1);
    }
    const value = config.value as Cell | typeof LOADING;
    if (value === LOADING) {
      gc.fillStyle = theme.skeleton;
      const share = 0.35 + ((config.row * 7 + config.column * 13) % 5) / 12;
      gc.fillRect(
        x + PADDING,
        y + height / 2 - 4,
        (width - 2 * PADDING) * share,
        8
      );
      return;
    }
    clipped(gc, config, () => this._text(gc, config, cell, value, theme));
  }

  private _text(
    gc: GraphicsContext,
    config: CellRenderer.CellConfig,
    cell: IBodyCell,
    value: Cell,
    theme: IGridTheme
  ): void {
    const middle = config.y + config.height / 2;
    gc.textBaseline = 'middle';
    let left = config.x + PADDING;
    const right = config.x + config.width - PADDING;
    const sign = CHANGE_SIGNS[cell.change];
    if (sign) {
      gc.font = theme.boldFont;
      gc.textAlign = 'left';
      gc.fillStyle = inkOf(cell.change, theme);
      gc.fillText(sign, config.x + 3, middle);
      left = config.x + SIGN_WIDTH + 2;
    }
    const present = this._style(gc, value, cell, theme);
    const atRight = isNumeric(cell.type);
    const text = fitted(gc, present, right - left);
    const textWidth = gc.measureText(text).width;
    gc.textAlign = 'left';
    const isRemoved = cell.change === 'removed';
    if (cell.before === undefined) {
      const start = atRight ? right - textWidth : left;
      gc.fillText(text, start, middle);
      if (isRemoved) {
        strike(gc, start, textWidth, middle);
      }
      return;
    }
    // The former value, struck out, stands before the new one where there is room.
    const room = right - left - textWidth - PADDING;
    const start = atRight
      ? right - textWidth
      : left + this._before(gc, cell, left, middle, room, theme);
    if (atRight) {
      this._before(gc, cell, left, middle, room, theme);
    }
    this._style(gc, value, cell, theme);
    gc.fillText(text, start, middle);
  }

  /** Draw the former value; the width that it took. */
  private _before(
    gc: GraphicsContext,
    cell: IBodyCell,
    left: number,
    middle: number,
    room: number,
    theme: IGridTheme
  ): number {
    if (room < LEAST_BEFORE) {
      return 0;
    }
    gc.font = theme.font;
    gc.fillStyle = theme.muted;
    const before = cell.before ?? null;
    const text = fitted(
      gc,
      before === null
        ? this._trans.__('missing')
        : drawnText(before, cell.type),
      room
    );
    const width = gc.measureText(text).width;
    gc.fillText(text, left, middle);
    strike(gc, left, width, middle);
    return width > 0 ? width + PADDING : 0;
  }

  /** Set font and colour for a value; its text. */
  private _style(
    gc: GraphicsContext,
    value: Cell,
    cell: IBodyCell,
    theme: IGridTheme
  ): string {
    if (value === null) {
      gc.font = theme.italicFont;
      gc.fillStyle = theme.muted;
      return this._trans.__('missing');
    }
    gc.font = cell.change === 'changed' ? theme.boldFont : theme.font;
    gc.fillStyle = cell.change === 'removed' ? theme.muted : theme.text;
    return drawnText(value, cell.type);
  }
}

/** Draws the numbers of the rows, with the sign of what became of them. */
export class RowHeaderRenderer extends CellRenderer {
  constructor(private readonly _theme: () => IGridTheme) {
    super();
  }

  override paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const theme = this._theme();
    const change = String(config.metadata['change'] ?? '');
    const { x, y, width, height } = config;
    const ground = GROUNDS[change];
    if (ground) {
      gc.fillStyle = theme[ground];
      gc.fillRect(x, y, width, height - 1);
    }
    gc.font = theme.smallFont;
    gc.textAlign = 'right';
    gc.textBaseline = 'middle';
    gc.fillStyle = change ? inkOf(change, theme) : theme.muted;
    const value = config.value as string | number;
    gc.fillText(
      typeof value === 'number' ? value.toLocaleString() : value,
      x + width - PADDING,
      y + height / 2
    );
  }
}

const GROUNDS: Readonly<Record<string, 'added' | 'changed' | 'removed'>> = {
  added: 'added',
  changed: 'changed',
  removed: 'removed'
};

function groundOf(cell: IBodyCell, theme: IGridTheme): string | null {
  const ground = GROUNDS[cell.change];
  if (ground) {
    return theme[ground];
  }
  return cell.isSelectedColumn ? theme.selected : null;
}

/** The colour of a change's sign. */
export function inkOf(change: string, theme: IGridTheme): string {
  switch (change) {
    case 'added':
      return theme.addedText;
    case 'removed':
      return theme.removedText;
    default:
      return theme.changedText;
  }
}

function strike(
  gc: GraphicsContext,
  left: number,
  width: number,
  middle: number
): void {
  gc.fillRect(left, Math.round(middle), width, 1);
}
