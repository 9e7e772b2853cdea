import { PathExt } from '@jupyterlab/coreutils';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';

import type { IFolder } from './findings';

/** What a path is wanted for. */
export type FileKind = 'table' | 'data' | 'script' | 'folder';

/** The files of the file browser, as the form needs them. */
export interface IFiles {
  /** The paths below a folder that a path being typed may mean; folders end in a slash. */
  complete(typed: string, kind: FileKind): Promise<string[]>;
  /** Let the user choose in a dialog; null when nothing was chosen. */
  browse(kind: FileKind, title: string): Promise<string | null>;
  /** What is in a folder; null where the path names none. */
  folder(path: string): Promise<IFolder | null>;
}

/** What files are for; data may be in any file, and in a folder of them. */
const ENDINGS: Record<Exclude<FileKind, 'data'>, readonly string[]> = {
  table: ['.csv', '.parquet', '.jsonl', '.libsvm', '.pbr', '.txt'],
  script: ['.py'],
  folder: []
};

/** {@link IFiles} over JupyterLab's contents and its file dialog. */
export class BrowserFiles implements IFiles {
  constructor(
    private readonly _options: {
      contents: Contents.IManager;
      /** Whose documents the dialog is about; without it there is no dialog. */
      browser: FileBrowser | null;
      translator: ITranslator;
    }
  ) {}

  async complete(typed: string, kind: FileKind): Promise<string[]> {
    const slash = typed.lastIndexOf('/');
    const folder = slash < 0 ? '' : typed.slice(0, slash);
    const start = typed.slice(slash + 1).toLowerCase();
    const listing = await this._options.contents.get(folder);
    if (listing.type !== 'directory') {
      return [];
    }
    return (listing.content as Contents.IModel[])
      .filter(
        item =>
          item.name.toLowerCase().startsWith(start) &&
          (item.type === 'directory' || isWanted(item.name, kind))
      )
      .map(item => item.path + (item.type === 'directory' ? '/' : ''))
      .sort();
  }

  async browse(kind: FileKind, title: string): Promise<string | null> {
    const { browser, translator } = this._options;
    if (!browser) {
      return null;
    }
    const options = { manager: browser.model.manager, title, translator };
    const result =
      kind === 'folder'
        ? await FileDialog.getExistingDirectory(options)
        : await FileDialog.getOpenFiles({
            ...options,
            filter: item =>
              item.type === 'directory' || isWanted(item.name, kind) ? {} : null
          });
    const chosen = result.button.accept ? result.value?.[0] : undefined;
    if (!chosen || !chosen.path) {
      return null;
    }
    if (chosen.type !== 'directory' || kind === 'folder') {
      return chosen.path;
    }
    return kind === 'data' ? `${chosen.path}/` : null;
  }

  async folder(path: string): Promise<IFolder | null> {
    const listing = await this._options.contents.get(path.replace(/\/+$/, ''));
    if (listing.type !== 'directory') {
      return null;
    }
    const entries = listing.content as Contents.IModel[];
    const files = entries.filter(item => item.type !== 'directory');
    return {
      files: files.length,
      folders: entries.length - files.length,
      bytes: files.reduce((sum, item) => sum + (item.size ?? 0), 0)
    };
  }
}

function isWanted(name: string, kind: FileKind): boolean {
  return (
    kind === 'data' ||
    ENDINGS[kind].includes(PathExt.extname(name).toLowerCase())
  );
}
