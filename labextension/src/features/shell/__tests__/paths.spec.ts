import { formatPath, parsePath } from '../paths';

it.each([
  ['jobs', { id: 'jobs', name: '', parameters: {} }],
  ['jobs/churn-0412', { id: 'jobs', name: 'churn-0412', parameters: {} }],
  [
    'jobs/churn-0412?tab=logs',
    { id: 'jobs', name: 'churn-0412', parameters: { tab: 'logs' } }
  ],
  [
    'train?file=data%2Fa+b.csv',
    { id: 'train', name: '', parameters: { file: 'data/a b.csv' } }
  ]
])('reads %s, and writes it again', (path, place) => {
  expect(parsePath(path)).toEqual(place);
  expect(parsePath(formatPath(place))).toEqual(place);
});

it('leaves out what is not chosen', () => {
  expect(formatPath({ id: 'jobs', name: '', parameters: { tab: '' } })).toBe(
    'jobs'
  );
});
