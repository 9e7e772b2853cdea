import { flowBeside, flowName, folderOf, isTableFile } from '../paths';

it.each([
  ['/home/ada', 'data/x', '/home/ada/data/x'],
  ['/home/ada/', '', '/home/ada'],
  ['~/projects', 'data', '~/projects/data'],
  ['/', '', '/'],
  ['/', 'data', '/data']
])('in %s the folder %p is %s', (root, directory, folder) => {
  expect(folderOf(root, directory)).toBe(folder);
});

it.each([
  ['data/customers.flow', 'customers'],
  ['Überblick 2024.flow', 'uberblick_2024'],
  ['2024.flow', 'flow_2024'],
  ['数据.flow', 'prepare']
])('the flow %s is called %s in code', (path, name) => {
  expect(flowName(path)).toBe(name);
});

it('a flow has its place beside its file', () => {
  expect(flowBeside('data/a.b.csv')).toBe('data/a.b.flow');
  expect(flowBeside('customers.parquet', 2)).toBe('customers-2.flow');
});

it('knows the files that can be a source', () => {
  expect(['a.csv', 'A.CSV', 'a.jsonl', 'a.xlsx'].every(isTableFile)).toBe(true);
  expect(['a.png', 'csv', 'a.ipynb'].some(isTableFile)).toBe(false);
});
