import type { CSSProperties } from 'react';

/** The library's colours are JupyterLab's. */
export const GRAPH_COLOURS = {
  '--xy-edge-stroke': 'var(--jp-ui-font-color3)',
  '--xy-background-color': 'transparent',
  '--xy-handle-background-color': 'transparent',
  '--xy-handle-border-color': 'transparent',
  '--xy-attribution-background-color': 'transparent',
  '--xy-controls-button-background-color': 'var(--jp-layout-color1)',
  '--xy-controls-button-background-color-hover': 'var(--jp-layout-color2)',
  '--xy-controls-button-color': 'var(--jp-ui-font-color1)',
  '--xy-controls-button-color-hover': 'var(--jp-ui-font-color1)',
  '--xy-controls-button-border-color': 'var(--jp-border-color2)',
  '--xy-controls-box-shadow': 'none'
} as CSSProperties;
