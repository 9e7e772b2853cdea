import { CHAIN, flow, given, raw } from '../../__tests__/fixtures';
import { nodesOf } from '../../model/flowText';
import type { IGraph } from '../flowGraph';
import { graphOf, showsTable } from '../flowGraph';
import { layOut, shapeOf } from '../../../../shared/graph/layout';
import { LAYOUT } from '../layout';

const NONE: ReadonlySet<string> = new Set();
const drawn = (graph: IGraph): string[] =>
  graph.nodes.map(node => `${node.kind} ${node.id}`);
const edges = (graph: IGraph): string[] => graph.edges.map(edge => edge.id);
const at = (nodeId: string, outputName = 'default') => ({ nodeId, outputName });

const WIDE = nodesOf(
  flow(
    raw('s', 'SOURCE'),
    raw('t', 'SOURCE'),
    raw('a', 'TRANSFORM', ['s']),
    raw('b', 'TRANSFORM', ['a']),
    raw('j', 'TRANSFORM', ['b', 't']),
    raw('p', 'TRANSFORM', ['j'], {
      outputs: [{ name: 'Train' }, { name: 'Test' }]
    }),
    raw('x', 'TRANSFORM', ['p/Train']),
    raw('v', 'VISUALIZATION', ['j']),
    raw('w', 'VISUALIZATION', ['j']),
    raw('d', 'DESTINATION', ['x'])
  )
);

it('folds steps that follow each other into one node', () => {
  const graph = graphOf(nodesOf(CHAIN), NONE);
  expect(drawn(graph)).toEqual(['source s', 'run run:a']);
  expect(edges(graph)).toEqual(['s>run:a']);
  expect(graph.nodes[1]?.table).toEqual(at('c'));
  expect(showsTable(given(graph.nodes[1]), at('b'))).toBe(true);
  expect(showsTable(given(graph.nodes[1]), at('s'))).toBe(false);
});

it('opens what is folded', () => {
  const graph = graphOf(nodesOf(CHAIN), new Set(['run:a']));
  expect(drawn(graph)).toEqual(['source s', 'step a', 'step b', 'step c']);
  expect(edges(graph)).toEqual(['s>a', 'a>b', 'b>c']);
  expect(graph.nodes.map(node => node.run)).toEqual([
    null,
    'run:a',
    'run:a',
    'run:a'
  ]);
});

it('draws joins, splits with their outputs, analyses and destinations', () => {
  const graph = graphOf(WIDE, NONE);
  expect(drawn(graph)).toEqual([
    'source s',
    'source t',
    'run run:a',
    'join j',
    'split p',
    'output p/Train',
    'output p/Test',
    'step x',
    'analyses analyses:j/default',
    'destination d'
  ]);
  expect(edges(graph)).toEqual([
    'p>p/Train',
    'p>p/Test',
    's>run:a',
    'run:a>j',
    't>j',
    'j>p',
    'p/Train>x',
    'j>analyses:j/default',
    'x>d'
  ]);
  expect(graph.nodes[8]?.nodes).toHaveLength(2);
  const test = given(graph.nodes[6]);
  expect(showsTable(test, at('p', 'Test'))).toBe(true);
  expect(showsTable(test, at('p', 'Train'))).toBe(false);
});

it('ends a run where the flow divides', () => {
  const graph = graphOf(
    nodesOf(
      flow(
        raw('s', 'SOURCE'),
        raw('a', 'TRANSFORM', ['s']),
        raw('b', 'TRANSFORM', ['a']),
        raw('c', 'TRANSFORM', ['b']),
        raw('d', 'TRANSFORM', ['b'])
      )
    ),
    NONE
  );
  expect(drawn(graph)).toEqual(['source s', 'run run:a', 'step c', 'step d']);
  expect(edges(graph)).toEqual(['s>run:a', 'run:a>c', 'run:a>d']);
});

it('lays nodes out in layers, none upon another', async () => {
  const graph = graphOf(WIDE, NONE);
  const places = await layOut(graph, LAYOUT);
  expect(places.size).toBe(graph.nodes.length);
  for (const edge of graph.edges) {
    const from = places.get(edge.source);
    const to = places.get(edge.target);
    expect(to?.y).toBeGreaterThan(from?.y ?? Infinity);
  }
  const taken = [...places.values()].map(place => `${place.x},${place.y}`);
  expect(new Set(taken).size).toBe(taken.length);
});

it('is laid out anew only when its shape is another', () => {
  const shape = shapeOf(graphOf(WIDE, NONE));
  expect(shapeOf(graphOf([...WIDE], NONE))).toBe(shape);
  expect(shapeOf(graphOf(WIDE, new Set(['run:a'])))).not.toBe(shape);
});
