import '../../../testing/canvas';

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { DocumentRegistry } from '@jupyterlab/docregistry';
import type { FileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { ILauncher } from '@jupyterlab/launcher';
import type { Contents } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { FakeClient, FakeStudio } from '../../../testing/fakeClient';
import {
  FACTORY,
  PREPARE_COMMAND,
  PREPARE_FILE_COMMAND,
  wrangler
} from '../plugin';
import { flowAnswers } from './fixtures';

function activate(selected: Array<Partial<Contents.IModel>> = []) {
  const commands = new CommandRegistry();
  const opened: unknown[] = [];
  commands.addCommand('docmanager:open', {
    describedBy: { args: {} },
    execute: args => void opened.push(args)
  });
  const studio = new FakeStudio();
  const cards: ILauncher.IItemOptions[] = [];
  const docRegistry = new DocumentRegistry();
  const contents = {
    newUntitled: ({ path, ext }: Contents.ICreateOptions) =>
      Promise.resolve({ path: `${path}/untitled${ext}` })
  };
  const browser: Pick<FileBrowser, 'selectedItems'> = {
    selectedItems: () => (selected as Contents.IModel[])[Symbol.iterator]()
  };
  void wrangler.activate(
    {
      commands,
      docRegistry,
      serviceManager: { contents }
    } as unknown as JupyterFrontEnd,
    studio,
    new FakeClient(flowAnswers()),
    nullTranslator,
    null,
    { add: (card: ILauncher.IItemOptions) => cards.push(card) },
    null,
    { tracker: { currentWidget: browser } } as unknown as IFileBrowserFactory,
    null,
    null
  );
  return { commands, studio, cards, docRegistry, opened };
}

it('flows are documents of their own', () => {
  const { docRegistry } = activate();
  expect(docRegistry.getFileTypesForPath('a/b.flow')[0]?.name).toBe(
    'bottega-flow'
  );
  expect(docRegistry.defaultWidgetFactory('a/b.flow').name).toBe(FACTORY);
});

it('a command, a card of the Launcher and a section lead to them', async () => {
  const { commands, cards, studio, opened } = activate();
  expect(await commands.describedBy(PREPARE_COMMAND)).toMatchObject({
    args: { properties: { file: {}, uri: {}, cwd: {} } }
  });
  expect(commands.label(PREPARE_COMMAND)).toBe('Prepare data');
  expect(cards).toMatchObject([
    { command: PREPARE_COMMAND, category: 'Machine learning' }
  ]);
  expect(studio.sections).toMatchObject([{ id: 'data', path: 'data' }]);
  expect(studio.screens).toMatchObject([{ id: 'data', named: false }]);
  await commands.execute(PREPARE_COMMAND, { cwd: 'work' });
  expect(opened).toEqual([{ path: 'work/untitled.flow', factory: FACTORY }]);
});

it.each([
  ['a table', [{ name: 'a.csv', path: 'a.csv' }], true],
  ['a workbook', [{ name: 'a.xlsx', path: 'a.xlsx' }], true],
  ['a picture', [{ name: 'a.png', path: 'a.png' }], false],
  ['nothing', [], false],
  [
    'several',
    [
      { name: 'a.csv', path: 'a.csv' },
      { name: 'b.csv', path: 'b.csv' }
    ],
    false
  ]
] as Array<[string, Array<Partial<Contents.IModel>>, boolean]>)(
  'the menu of %s',
  (_, selected, isThere) => {
    const { commands } = activate(selected);
    expect(commands.isVisible(PREPARE_FILE_COMMAND)).toBe(isThere);
  }
);
