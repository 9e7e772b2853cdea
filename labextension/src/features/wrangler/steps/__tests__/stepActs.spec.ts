import { CHAIN, flow, given, raw } from '../../__tests__/fixtures';
import { nodesOf } from '../../model/flowText';
import { isMovable, moveEdit, titleOf } from '../stepActs';

const chain = nodesOf(CHAIN); // s, a, b, c

it.each([
  [2, 1, { NodeId: 'b', OtherNodeId: 's' }],
  [1, 2, { NodeId: 'a', OtherNodeId: 'b' }],
  [1, 3, { NodeId: 'a', OtherNodeId: 'c' }],
  [3, 1, { NodeId: 'c', OtherNodeId: 's' }]
])('a step moves from %d to %d', (from, to, expected) => {
  expect(moveEdit(chain, from, to)).toEqual({ Kind: 'move', ...expected });
});

it.each([
  ['before the source', 1, 0],
  ['to where it is', 2, 2],
  ['if it is no step', 0, 1],
  ['beyond the end', 3, 5],
  ['if it is not there', 9, 1]
])('no step moves %s', (_, from, to) => {
  expect(moveEdit(chain, from, to)).toBeNull();
});

it('no step passes a join or a split', () => {
  const nodes = nodesOf(
    flow(
      raw('j', 'TRANSFORM', ['x', 'y']),
      raw('a', 'TRANSFORM', ['j']),
      raw('p', 'TRANSFORM', ['a'], {
        outputs: [{ name: 'Train' }, { name: 'Test' }]
      }),
      raw('b', 'TRANSFORM', ['p/Train'])
    )
  );
  expect(nodes.map(isMovable)).toEqual([false, true, false, true]);
  expect(moveEdit(nodes, 1, 2)).toBeNull();
  expect(moveEdit(nodes, 3, 2)).toBeNull();
});

it('a node is called by its operator until it was checked', () => {
  const [node] = nodesOf(
    flow(
      raw('a', 'TRANSFORM', [], {
        operator: 'sagemaker.spark.handle_missing_0.1'
      })
    )
  );
  expect(titleOf(given(node))).toBe('Handle missing');
});
