import {
  anchorAt,
  contentHeight,
  isAtEnd,
  keptScrollTop,
  LINE_HEIGHT,
  MOST_PIXELS,
  scrollRoom,
  scrollTopFor
} from '../logGeometry';

const short = { total: 100, lineHeight: LINE_HEIGHT, viewHeight: 360 };
const long = { total: 1_000_000, lineHeight: LINE_HEIGHT, viewHeight: 360 };
const huge = { ...long, total: 10_000_000 };

/** Where a line's upper edge is in the view, when all lines are of one height. */
function edge(line: number, scrollTop: number, extent: typeof short): number {
  const anchor = anchorAt(scrollTop, extent);
  return anchor.y + (line - anchor.line - anchor.share) * extent.lineHeight;
}

describe('the geometry of a log', () => {
  it('scrolls a short log as everything is scrolled', () => {
    expect(contentHeight(short)).toBe(1800);
    expect(edge(0, 0, short)).toBeCloseTo(0);
    expect(edge(10, 90, short)).toBeCloseTo(90);
    expect(edge(99, scrollRoom(short), short)).toBeCloseTo(360 - LINE_HEIGHT);
  });

  it('is no higher than browsers can draw', () => {
    expect(contentHeight(long)).toBe(MOST_PIXELS);
    expect(contentHeight(huge)).toBe(MOST_PIXELS);
    expect(edge(0, 0, huge)).toBeCloseTo(0);
    expect(edge(9_999_999, scrollRoom(huge), huge)).toBeCloseTo(
      360 - LINE_HEIGHT,
      4
    );
  });

  it.each([0, 1, 4711, 499_999, 999_998, 999_999])(
    'brings line %d whole into sight',
    line => {
      const upper = edge(line, scrollTopFor(line, long), long);
      expect(upper).toBeGreaterThanOrEqual(-0.01);
      expect(upper + LINE_HEIGHT).toBeLessThanOrEqual(360.01);
    }
  );

  it('keeps the upper line where it is while the log grows', () => {
    for (const extent of [short, long]) {
      const grown = { ...extent, total: extent.total + 5000 };
      const top = scrollTopFor(50, extent);
      const kept = keptScrollTop(top, extent, grown);
      expect(edge(50, kept, grown)).toBeCloseTo(edge(50, top, extent), 3);
    }
  });

  it('knows the end, and shows a log that fits from its start', () => {
    expect(isAtEnd(scrollRoom(long), long)).toBe(true);
    expect(isAtEnd(scrollRoom(long) - 40, long)).toBe(false);
    const fits = { ...short, total: 3 };
    expect(isAtEnd(0, fits)).toBe(true);
    expect(anchorAt(0, fits)).toEqual({ line: 0, share: 0, y: 0 });
    expect(scrollTopFor(0, { ...short, total: 1 })).toBe(0);
  });
});
