import plugins from '../../../index';

interface ISchema {
  'jupyter.lab.shortcuts': Array<{ command: string; keys: string[] }>;
}

const shortcuts = [
  'endpoints',
  'experiments',
  'jobs',
  'training',
  'wrangler'
].map(name => {
  const schema = jest.requireActual<ISchema>(`../../../../schema/${name}.json`);
  return { name, ...schema['jupyter.lab.shortcuts'][0] };
});

it.each(shortcuts)('$name has a plugin that the settings know', ({ name }) => {
  expect(plugins.map(plugin => plugin.id)).toContain(
    `@bottega/labextension:${name}`
  );
});

it('the screens that are opened most have keys, each its own', () => {
  expect(shortcuts.map(shortcut => shortcut.command)).toEqual([
    'bottega:open-endpoints',
    'bottega:open-experiments',
    'bottega:open-jobs',
    'bottega:train',
    'bottega:prepare-data'
  ]);
  const keys = shortcuts.map(shortcut => shortcut.keys?.join(' '));
  expect(new Set(keys).size).toBe(keys.length);
});
