import type { IPlace } from './layout';

interface ISize {
  width: number;
  height: number;
}

/** Where a graph stands in its pane, and how large it is drawn. */
export interface IView {
  x: number;
  y: number;
  zoom: number;
}

/** Pixels between the graph and the border of its pane. */
const MARGIN = 24;

/**
 * How a graph is shown at first: whole where its texts can be read then, else around one node.
 *
 * @param graph.places the upper left corners of the nodes.
 * @param graph.focus the node that is in sight in any case.
 * @param graph.leastZoom the smallest scale at which texts can be read.
 */
export function firstView(graph: {
  places: ReadonlyMap<string, IPlace>;
  focus: string;
  node: ISize;
  pane: ISize;
  leastZoom: number;
}): IView {
  const { node, pane } = graph;
  const places = [...graph.places.values()];
  const focus = graph.places.get(graph.focus) ?? places[0] ?? { x: 0, y: 0 };
  const axis = (along: 'x' | 'y', size: 'width' | 'height') => {
    const starts = places.map(place => place[along]);
    const low = Math.min(...starts);
    return {
      low,
      length: Math.max(...starts) + node[size] - low,
      room: Math.max(0, pane[size] - 2 * MARGIN),
      centre: focus[along] + node[size] / 2
    };
  };
  const across = axis('x', 'width');
  const down = axis('y', 'height');
  const zoom = Math.max(
    graph.leastZoom,
    Math.min(1, across.room / across.length, down.room / down.length)
  );
  const place = ({ low, length, room, centre }: typeof across): number => {
    const spare = room - length * zoom;
    if (spare >= 0) {
      return MARGIN + spare / 2 - low * zoom;
    }
    // Around the focus, but with nothing empty beyond the ends.
    const wanted = MARGIN + room / 2 - centre * zoom;
    const first = MARGIN - low * zoom;
    return Math.max(first + spare, Math.min(first, wanted));
  };
  return { x: place(across), y: place(down), zoom };
}
