import { CHAIN, flow, raw, stateOf } from '../../__tests__/fixtures';
import { branchOf, codeOf, consumersOf, lastTable, nodesOf } from '../flowText';

const ids = (nodes: Array<{ NodeId: string }>): string[] =>
  nodes.map(node => node.NodeId);

const at = (nodeId: string, outputName = 'default') => ({ nodeId, outputName });

/** Two sources that are joined, then split; an analysis and a destination beside. */
const WIDE = flow(
  raw('s', 'SOURCE'),
  raw('t', 'DATASET'),
  raw('a', 'TRANSFORM', ['s']),
  raw('j', 'TRANSFORM', ['a', 't']),
  raw('k', 'TRANSFORM', ['j']),
  raw('p', 'TRANSFORM', ['k'], {
    outputs: [{ name: 'Train' }, { name: 'Test' }]
  }),
  raw('x', 'TRANSFORM', ['p/Train']),
  raw('v', 'VISUALIZATION', ['k']),
  raw('d', 'DESTINATION', ['x'])
);

it('reads the nodes of a document, and puts what was checked beside them', () => {
  const states = [stateOf(raw('a', 'TRANSFORM'), { Outputs: ['default'] })];
  const nodes = nodesOf(WIDE, states);
  expect(ids(nodes)).toEqual(['s', 't', 'a', 'j', 'k', 'p', 'x', 'v', 'd']);
  expect(nodes[1]?.Type).toBe('SOURCE');
  expect(nodes[2]?.State).toBe(states[0]);
  expect(nodes[3]?.Inputs).toEqual([at('a'), at('t')]);
  expect(nodes[5]?.Outputs).toEqual(['Train', 'Test']);
  expect(nodes[7]?.Outputs).toEqual([]);
});

it('an empty file has no nodes, and what is no JSON is an error', () => {
  expect(nodesOf('')).toEqual([]);
  expect(nodesOf(' \n')).toEqual([]);
  expect(() => nodesOf('{"nodes": [')).toThrow(SyntaxError);
});

it('leaves out what is no node, for the server to complain about', () => {
  expect(
    ids(nodesOf('{"nodes": [7, {"node_id": "s", "type": "SOURCE"}]}'))
  ).toEqual(['s']);
  expect(nodesOf('[]')).toEqual([]);
});

it.each([
  ['s', ['s', 'a']],
  ['a', ['s', 'a']],
  ['k', ['j', 'k', 'p']],
  ['x', ['j', 'k', 'p', 'x']]
])('the branch of %s', (id, expected) => {
  expect(ids(branchOf(nodesOf(WIDE), at(id)))).toEqual(expected);
});

it('the branch follows the output that is selected', () => {
  const nodes = nodesOf(WIDE);
  expect(ids(branchOf(nodes, at('p', 'Train')))).toEqual(['j', 'k', 'p', 'x']);
  expect(ids(branchOf(nodes, at('p', 'Test')))).toEqual(['j', 'k', 'p']);
  expect(branchOf(nodes, at('gone'))).toEqual([]);
});

it('a branch goes on to its end, and ends where it divides', () => {
  expect(ids(branchOf(nodesOf(CHAIN), at('a')))).toEqual(['s', 'a', 'b', 'c']);
  const divided = flow(
    raw('s', 'SOURCE'),
    raw('a', 'TRANSFORM', ['s']),
    raw('b', 'TRANSFORM', ['a']),
    raw('c', 'TRANSFORM', ['a'])
  );
  expect(ids(branchOf(nodesOf(divided), at('s')))).toEqual(['s', 'a']);
  expect(ids(consumersOf(nodesOf(divided), at('a')))).toEqual(['b', 'c']);
});

it('what nothing transforms further is looked at first', () => {
  expect(lastTable(nodesOf(WIDE))).toEqual(at('x'));
  expect(lastTable(nodesOf(CHAIN))).toEqual(at('c'));
  expect(lastTable([])).toBeNull();
});

it('code has one text, whatever the order of its nodes', () => {
  const one = raw('1', 'TRANSFORM', [], { parameters: { code: 'df' } });
  const two = raw('2', 'TRANSFORM', [], { parameters: { code: 'df.T' } });
  const both = new Set(['1', '2']);
  expect(codeOf(flow(one, two), both)).toBe(codeOf(flow(two, one), both));
  expect(codeOf(flow(one, two), new Set(['1']))).not.toBe(
    codeOf(flow(one, two), both)
  );
});
