import type { DataGrid } from '@lumino/datagrid';

/** Colours and fonts of JupyterLab's present theme, as a canvas takes them. */
export interface IGridTheme {
  text: string;
  muted: string;
  ground: string;
  headerGround: string;
  line: string;
  accent: string;
  selected: string;
  skeleton: string;
  bars: string;
  missing: string;
  invalid: string;
  present: string;
  added: string;
  addedText: string;
  changed: string;
  changedText: string;
  removed: string;
  removedText: string;
  font: string;
  boldFont: string;
  italicFont: string;
  smallFont: string;
  codeFont: string;
}

const COLOURS = {
  text: 'var(--jp-ui-font-color1)',
  muted: 'var(--jp-bottega-muted)',
  ground: 'var(--jp-layout-color1)',
  headerGround: 'var(--jp-layout-color2)',
  line: 'var(--jp-border-color3)',
  accent: 'var(--jp-brand-color1)',
  selected: 'var(--jp-bottega-hover)',
  skeleton: 'var(--jp-layout-color3)',
  bars: 'var(--jp-bottega-bars)',
  missing: 'var(--jp-bottega-bad)',
  invalid: 'var(--jp-bottega-warn)',
  present: 'var(--jp-bottega-present)',
  added: 'var(--jp-bottega-good-ground)',
  addedText: 'var(--jp-bottega-good)',
  changed: 'var(--jp-bottega-changed-ground)',
  changedText: 'var(--jp-bottega-changed)',
  removed: 'var(--jp-bottega-bad-ground)',
  removedText: 'var(--jp-bottega-bad)'
} as const;

/**
 * Read the theme where an element stands.
 *
 * A canvas knows no variables; the browser resolves them as the colour of an element.
 */
export function readTheme(host: HTMLElement): IGridTheme {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  const resolved = Object.fromEntries(
    Object.entries(COLOURS).map(([name, value]) => {
      probe.style.color = value;
      return [name, getComputedStyle(probe).color];
    })
  ) as Record<keyof typeof COLOURS, string>;
  probe.remove();
  const style = getComputedStyle(host);
  const value = (name: string, otherwise: string): string =>
    style.getPropertyValue(name).trim() || otherwise;
  const size = value('--jp-ui-font-size1', '13px');
  const small = value('--jp-ui-font-size0', '11px');
  const family = value('--jp-ui-font-family', 'sans-serif');
  const code = value('--jp-code-font-family', 'monospace');
  return {
    ...resolved,
    font: `${size} ${family}`,
    boldFont: `600 ${size} ${family}`,
    italicFont: `italic ${size} ${family}`,
    smallFont: `${small} ${family}`,
    codeFont: `${small} ${code}`
  };
}

/** The theme as the grid's own parts take it. */
export function gridStyle(theme: IGridTheme): DataGrid.Style {
  return {
    voidColor: theme.ground,
    backgroundColor: theme.ground,
    gridLineColor: theme.line,
    verticalGridLineColor: 'transparent',
    headerBackgroundColor: theme.headerGround,
    headerGridLineColor: theme.line,
    headerVerticalGridLineColor: theme.line,
    selectionFillColor: theme.selected,
    selectionBorderColor: theme.accent,
    cursorFillColor: theme.selected,
    cursorBorderColor: theme.accent,
    headerSelectionFillColor: 'transparent',
    headerSelectionBorderColor: 'transparent',
    scrollShadow: {
      size: 4,
      color1: theme.line,
      color2: 'transparent',
      color3: 'transparent'
    }
  };
}

/** Call back when the theme has changed. */
export function watchTheme(onChange: () => void): () => void {
  // JupyterLab names the theme in attributes of the body, after it has loaded its styles.
  const observer = new MutationObserver(onChange);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light', 'style']
  });
  return () => observer.disconnect();
}
