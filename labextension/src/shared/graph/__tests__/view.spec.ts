import { firstView } from '../view';

const node = { width: 100, height: 50 };
const pane = { width: 848, height: 348 };

/** So many nodes in a row, at a distance of 200. */
function row(count: number): Map<string, { x: number; y: number }> {
  return new Map(
    Array.from({ length: count }, (_, index) => [
      String(index),
      { x: index * 200, y: 0 }
    ])
  );
}

/** From where to where in the pane a node is drawn. */
function span(view: ReturnType<typeof firstView>, x: number): [number, number] {
  return [view.x + x * view.zoom, view.x + (x + node.width) * view.zoom];
}

it('shows a small graph whole, in the middle, and no larger than it is', () => {
  const view = firstView({
    places: row(2),
    focus: '0',
    node,
    pane,
    leastZoom: 0.9
  });
  expect(view).toEqual({ x: 274, y: 149, zoom: 1 });
});

it('draws a larger one smaller, as far as it can be read', () => {
  const shown = { places: row(5), focus: '0', node, pane };
  const view = firstView({ ...shown, leastZoom: 0.8 });
  expect(view.zoom).toBeCloseTo(800 / 900);
  expect(span(view, 0)[0]).toBeCloseTo(24);
  expect(span(view, 800)[1]).toBeCloseTo(824);
  expect(firstView({ ...shown, leastZoom: 0.95 }).zoom).toBe(0.95);
});

it.each(['0', '3', '11'])('shows node %s of what is too large', focus => {
  const view = firstView({
    places: row(12),
    focus,
    node,
    pane,
    leastZoom: 0.9
  });
  const [start, end] = span(view, Number(focus) * 200);
  expect(start).toBeGreaterThanOrEqual(24 - 1e-9);
  expect(end).toBeLessThanOrEqual(824 + 1e-9);
  // Nothing empty beyond its ends.
  expect(span(view, 0)[0]).toBeLessThanOrEqual(24 + 1e-9);
  expect(span(view, 2200)[1]).toBeGreaterThanOrEqual(824 - 1e-9);
});

it('does without a focus, and without a pane', () => {
  const view = firstView({
    places: row(3),
    focus: 'unknown',
    node,
    pane: { width: 0, height: 0 },
    leastZoom: 0.9
  });
  expect(view.zoom).toBe(0.9);
  expect(Number.isFinite(view.x) && Number.isFinite(view.y)).toBe(true);
});
