import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { FileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { ILauncher } from '@jupyterlab/launcher';
import type { Contents } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { FakeClient, FakeStudio } from '../../../testing/fakeClient';
import { BrowserFiles } from '../files';
import {
  training,
  TRAIN_COMMAND,
  TRAIN_ON_FILE_COMMAND,
  TUNE_COMMAND
} from '../plugin';

/** What the file browser has selected. */
type Selected = Array<Partial<Contents.IModel>>;

function activate(selected: Selected = []) {
  const commands = new CommandRegistry();
  const studio = new FakeStudio();
  const cards: ILauncher.IItemOptions[] = [];
  const app = { commands, serviceManager: {} };
  const browser: Pick<FileBrowser, 'selectedItems'> = {
    selectedItems: () => (selected as Contents.IModel[])[Symbol.iterator]()
  };
  void training.activate(
    app as unknown as JupyterFrontEnd,
    studio,
    new FakeClient(),
    nullTranslator,
    null,
    { add: (card: ILauncher.IItemOptions) => cards.push(card) },
    null,
    { tracker: { currentWidget: browser } } as unknown as IFileBrowserFactory
  );
  return { commands, studio, cards };
}

describe('the ways to the training form', () => {
  it('are a command with what it takes, and a card of the Launcher', async () => {
    const { commands, studio, cards } = activate();
    expect(await commands.describedBy(TRAIN_COMMAND)).toMatchObject({
      args: { properties: { file: {}, uri: {}, clone: {} } }
    });
    expect(commands.label(TRAIN_COMMAND)).toBe('Train a model');
    expect(cards).toMatchObject([
      { command: TRAIN_COMMAND, category: 'Machine learning' }
    ]);
    expect(studio.screens).toMatchObject([{ id: 'train', named: false }]);
    await commands.execute(TRAIN_COMMAND);
    await commands.execute(TRAIN_COMMAND, { file: 'a b/c&d.csv' });
    await commands.execute(TRAIN_COMMAND, { clone: 'churn-0' });
    expect(studio.opened).toEqual([
      'train',
      'train?file=a+b%2Fc%26d.csv',
      'train?clone=churn-0'
    ]);
  });

  it('lead to a search, each time anew', async () => {
    const { commands, studio } = activate();
    expect(commands.label(TUNE_COMMAND)).toBe('Tune a model');
    await commands.execute(TUNE_COMMAND, { clone: 'churn-0' });
    expect(studio.opened[0]).toMatch(/^train\?clone=churn-0&tune=\d+$/);
  });

  it.each([
    ['a table', [{ name: 'a.csv', path: 'x/a.csv' }], true],
    ['another table', [{ name: 'a.parquet', path: 'a.parquet' }], true],
    ['something else', [{ name: 'a.png', path: 'a.png' }], false],
    ['nothing', [], false],
    [
      'several',
      [
        { name: 'a.csv', path: 'a.csv' },
        { name: 'b.csv', path: 'b.csv' }
      ],
      false
    ]
  ] as Array<[string, Selected, boolean]>)(
    'are in the menu of %s',
    async (_, selected, there) => {
      const { commands, studio } = activate(selected);
      expect(commands.isVisible(TRAIN_ON_FILE_COMMAND)).toBe(there);
      if (there) {
        await commands.execute(TRAIN_ON_FILE_COMMAND);
        expect(studio.opened).toHaveLength(1);
      }
    }
  );
});

describe('the files of the file browser', () => {
  const entry = (path: string, type: string): Partial<Contents.IModel> => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    path,
    type,
    ...(type === 'file' && { size: 10 })
  });
  const contents = {
    get: (path: string) =>
      Promise.resolve({
        type: path === 'data/a.csv' ? 'file' : 'directory',
        content: [
          entry('data/b.csv', 'file'),
          entry('data/a.parquet', 'file'),
          entry('data/train.py', 'file'),
          entry('data/more', 'directory')
        ]
      })
  } as unknown as Contents.IManager;
  const files = new BrowserFiles({
    contents,
    browser: null,
    translator: nullTranslator
  });

  it('complete what is typed by what is wanted', async () => {
    expect(await files.complete('data/', 'table')).toEqual([
      'data/a.parquet',
      'data/b.csv',
      'data/more/'
    ]);
    expect(await files.complete('data/T', 'script')).toEqual(['data/train.py']);
    expect(await files.complete('data/', 'folder')).toEqual(['data/more/']);
    expect(await files.complete('data/a.csv/', 'folder')).toEqual([]);
  });

  it('may be anything, and folders, where data is wanted', async () => {
    expect(await files.complete('data/', 'data')).toEqual([
      'data/a.parquet',
      'data/b.csv',
      'data/more/',
      'data/train.py'
    ]);
    expect(await files.folder('data/')).toEqual({
      files: 3,
      folders: 1,
      bytes: 30
    });
    expect(await files.folder('data/a.csv')).toBeNull();
  });

  it('are not offered in a dialog where there is no file browser', async () => {
    expect(await files.browse('table', 'Data')).toBeNull();
  });
});
