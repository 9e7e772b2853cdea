/** The height of a line that is not wrapped, in pixels; the style sheet has the same. */
export const LINE_HEIGHT = 18;

/** Browsers draw nothing below about 17 million pixels; a longer log is scrolled in proportion. */
export const MOST_PIXELS = 15_000_000;

/** What is scrolled, and through what. */
export interface ILogExtent {
  /** How many lines there are. */
  total: number;
  /** How high one is on average. */
  lineHeight: number;
  /** How high the view is. */
  viewHeight: number;
}

/** Where the lines are: a point of one line lies on a height of the view. */
export interface ILogAnchor {
  line: number;
  /** Which part of the line lies above the point: 0 is its upper edge, 1 its lower one. */
  share: number;
  /** The point's distance from the view's upper edge. */
  y: number;
}

/** How high the scrolled content is. */
export function contentHeight(extent: ILogExtent): number {
  const lines = Math.min(extent.total * extent.lineHeight, MOST_PIXELS);
  return Math.max(extent.viewHeight, lines);
}

/** How far one can scroll. */
export function scrollRoom(extent: ILogExtent): number {
  return contentHeight(extent) - extent.viewHeight;
}

/**
 * Which line is where in the view.
 *
 * A point as far down the log as the view is scrolled lies as far down the view: at the start the
 * first line is at the upper edge, at the end the last one is at the lower edge, however high the
 * lines are. Where they are all of one height this is scrolling as everywhere.
 */
export function anchorAt(scrollTop: number, extent: ILogExtent): ILogAnchor {
  const room = scrollRoom(extent);
  const part = room > 0 ? Math.min(1, Math.max(0, scrollTop / room)) : 0;
  const at = part * extent.total;
  const line = Math.min(Math.floor(at), Math.max(0, extent.total - 1));
  return { line, share: at - line, y: part * extent.viewHeight };
}

/** Where to scroll so that a line is whole in the view. */
export function scrollTopFor(line: number, extent: ILogExtent): number {
  return extent.total < 2
    ? 0
    : (line / (extent.total - 1)) * scrollRoom(extent);
}

/** Where to scroll so that the line at the view's upper edge stays when the extent changes. */
export function keptScrollTop(
  scrollTop: number,
  before: ILogExtent,
  after: ILogExtent
): number {
  const beyond = (extent: ILogExtent): number =>
    extent.total - extent.viewHeight / extent.lineHeight;
  const room = scrollRoom(before);
  if (room <= 0 || beyond(before) <= 0 || beyond(after) <= 0) {
    return Math.min(scrollTop, scrollRoom(after));
  }
  const upper = (scrollTop / room) * beyond(before);
  return Math.min(1, upper / beyond(after)) * scrollRoom(after);
}

/** Whether the view is scrolled to the end, up to the rounding of browsers. */
export function isAtEnd(scrollTop: number, extent: ILogExtent): boolean {
  return scrollTop >= scrollRoom(extent) - 2;
}
