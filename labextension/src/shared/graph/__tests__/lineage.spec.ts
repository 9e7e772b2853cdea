import { isName, suggestedName } from '../../names';
import { madeOf, versionPath } from '../lineage';

const node = (id: string) => ({
  Id: id,
  Type: 'Data' as const,
  Name: id,
  Exists: true
});

it('follows what was made of something, not what it was made of', () => {
  const lineage = {
    Focus: 'b',
    Nodes: ['a', 'b', 'c', 'd', 'e'].map(node),
    Edges: [
      { Source: 'a', Target: 'b' },
      { Source: 'a', Target: 'e' },
      { Source: 'b', Target: 'c' },
      { Source: 'c', Target: 'd' },
      // A circle, as two endpoints that shadow each other might make one.
      { Source: 'd', Target: 'b' }
    ],
    Truncated: false
  };
  expect(madeOf(lineage).map(found => found.Id)).toEqual(['c', 'd']);
  expect(madeOf({ ...lineage, Focus: 'd', Edges: [] })).toEqual([]);
});

it('knows the screens of versions', () => {
  expect(versionPath('Churn/3')).toBe('models/Churn?version=3');
  expect(versionPath('arn:aws:sagemaker:x:0:model-package/Churn/12')).toBe(
    'models/Churn?version=12'
  );
  expect(versionPath('alone')).toBeNull();
});

it('knows names, and makes some', () => {
  expect(isName('a-1')).toBe(true);
  for (const text of ['', '-a', 'a-', 'a_b', 'x'.repeat(64)]) {
    expect(isName(text)).toBe(false);
  }
  expect(suggestedName('a job_1.x')).toBe('a-job-1-x');
});
