import type { ILayoutStyle } from '../../../shared/graph/layout';

/** The size of a drawn node. */
export const NODE_WIDTH = 136;
export const NODE_HEIGHT = 36;

/** Flows are read from their sources downwards. */
export const LAYOUT: ILayoutStyle = {
  width: NODE_WIDTH,
  height: NODE_HEIGHT,
  direction: 'DOWN',
  spacing: 28
};
