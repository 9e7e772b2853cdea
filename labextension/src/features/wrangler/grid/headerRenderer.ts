/* eslint-disable jupyter/prefer-lazy-imports -- the screen is itself fetched when a flow is opened */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { GraphicsContext } from '@lumino/datagrid';
import { CellRenderer } from '@lumino/datagrid';

import { inkOf } from './cellRenderers';
import {
  barsOf,
  CHANGE_SIGNS,
  rangeText,
  sharePercent,
  typeGlyph
} from './cells';
import { clipped, fitted, PADDING } from './drawing';
import type { IGridTheme } from './gridTheme';
import type { IHeaderCell } from './tableModel';

/** The header's height: name, chart, bar of missing values, two lines of facts. */
export const HEADER_HEIGHT = 96;

const NAME_LINE = 14;
const CHART_TOP = 26;
const CHART_HEIGHT = 28;
const BAR_TOP = 58;
const BAR_HEIGHT = 3;
const FACTS_LINE = 71;
const RANGE_LINE = 86;

/** Draws the head of a column: its type and name, and what it holds as far as it is known. */
export class HeaderRenderer extends CellRenderer {
  constructor(
    private readonly _theme: () => IGridTheme,
    private readonly _trans: TranslationBundle
  ) {
    super();
  }

  override paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const cell = config.metadata as Partial<IHeaderCell>;
    const { column } = cell;
    if (!column) {
      return;
    }
    const theme = this._theme();
    const { x, y, width } = config;
    clipped(gc, config, () => {
      if (cell.isSelectedColumn) {
        gc.fillStyle = theme.selected;
        gc.fillRect(x, y, width, config.height);
        gc.fillStyle = theme.accent;
        gc.fillRect(x, y, width, 2);
      }
      gc.textAlign = 'left';
      gc.textBaseline = 'middle';
      this._name(gc, config, column.Name, typeGlyph(column.Type), theme, {
        change: column.Change ?? ''
      });
      if (cell.profile) {
        this._chart(gc, config, cell as IHeaderCell, theme);
        this._facts(gc, config, cell as IHeaderCell, theme);
      } else if (column.Change !== 'removed') {
        gc.fillStyle = theme.skeleton;
        gc.fillRect(x + PADDING, y + CHART_TOP + 18, width * 0.6, 10);
        gc.fillRect(x + PADDING, y + FACTS_LINE - 4, width * 0.45, 8);
      }
    });
  }

  private _name(
    gc: GraphicsContext,
    config: CellRenderer.CellConfig,
    name: string,
    glyph: string,
    theme: IGridTheme,
    { change }: { change: string }
  ): void {
    const line = config.y + NAME_LINE;
    let left = config.x + PADDING;
    const sign = CHANGE_SIGNS[change];
    if (sign) {
      gc.font = theme.boldFont;
      gc.fillStyle = inkOf(change, theme);
      gc.fillText(sign, left, line);
      left += 12;
    }
    gc.font = theme.codeFont;
    gc.fillStyle = theme.muted;
    gc.fillText(glyph, left, line);
    left += gc.measureText(glyph).width + 6;
    gc.font = theme.boldFont;
    gc.fillStyle = theme.text;
    const right = config.x + config.width - PADDING;
    gc.fillText(fitted(gc, name, right - left), left, line);
  }

  private _chart(
    gc: GraphicsContext,
    config: CellRenderer.CellConfig,
    cell: IHeaderCell,
    theme: IGridTheme
  ): void {
    const { profile } = cell;
    const left = config.x + PADDING;
    const width = Math.min(config.width - 2 * PADDING, 140);
    const heights = profile ? barsOf(profile) : [];
    const step = width / Math.max(heights.length, 8);
    gc.fillStyle = theme.bars;
    heights.forEach((share, index) => {
      const height = share === 0 ? 0 : Math.max(1, share * CHART_HEIGHT);
      gc.fillRect(
        left + index * step,
        config.y + CHART_TOP + CHART_HEIGHT - height,
        Math.max(1, step - 1),
        height
      );
    });
    const full = config.width - 2 * PADDING;
    const count = profile?.Count ?? 0;
    const missing = count > 0 ? (profile?.Missing ?? 0) / count : 0;
    const invalid = count > 0 ? (profile?.Invalid ?? 0) / count : 0;
    const top = config.y + BAR_TOP;
    // What is there at all can be seen, however little it is.
    const part = (share: number): number =>
      share === 0 ? 0 : Math.max(2, share * full);
    gc.fillStyle = theme.present;
    gc.fillRect(left, top, full, BAR_HEIGHT);
    gc.fillStyle = theme.missing;
    gc.fillRect(left, top, part(missing), BAR_HEIGHT);
    gc.fillStyle = theme.invalid;
    gc.fillRect(left + part(missing), top, part(invalid), BAR_HEIGHT);
  }

  private _facts(
    gc: GraphicsContext,
    config: CellRenderer.CellConfig,
    cell: IHeaderCell,
    theme: IGridTheme
  ): void {
    const { profile } = cell;
    if (!profile) {
      return;
    }
    const left = config.x + PADDING;
    const width = config.width - 2 * PADDING;
    gc.font = theme.smallFont;
    gc.fillStyle = theme.muted;
    gc.fillText(
      fitted(gc, missingText(cell, this._trans), width),
      left,
      config.y + FACTS_LINE
    );
    gc.fillText(
      fitted(gc, rangeWords(cell, this._trans), width),
      left,
      config.y + RANGE_LINE
    );
  }
}

/** `0.4% missing`, and what is invalid where something is. */
export function missingText(
  cell: Pick<IHeaderCell, 'profile'>,
  trans: TranslationBundle
): string {
  const { profile } = cell;
  if (!profile) {
    return '';
  }
  const missing = trans.__(
    '%1 missing',
    sharePercent(profile.Missing, profile.Count)
  );
  return profile.Invalid > 0
    ? trans.__(
        '%1 · %2 invalid',
        missing,
        sharePercent(profile.Invalid, profile.Count)
      )
    : missing;
}

/** `18.3 – 118.8`, or `7,043 distinct`. */
export function rangeWords(
  cell: Pick<IHeaderCell, 'profile'>,
  trans: TranslationBundle
): string {
  const { profile } = cell;
  if (!profile) {
    return '';
  }
  const range = rangeText(profile);
  if (range.kind === 'range') {
    return trans.__('%1 – %2', range.from, range.to);
  }
  const distinct = profile.Distinct.toLocaleString();
  return profile.DistinctExact
    ? trans.__('%1 distinct', distinct)
    : trans.__('about %1 distinct', distinct);
}
