import { PathExt } from '@jupyterlab/coreutils';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';

/** What a path is wanted for. */
export type FileKind = 'table' | 'script' | 'folder';

/** The files of the file browser, as the form needs them. */
export interface IFiles {
  /** The paths below a folder that a path being typed may mean; folders end in a slash. */
  complete(typed: string, kind: FileKind): Promise<string[]>;
  /** Let the user choose in a dialog; null when nothing was chosen. */
  browse(kind: FileKind, title: string): Promise<string | null>;
}

const ENDINGS: Record<FileKind, readonly string[]> = {
  table: ['.csv', '.parquet', '.jsonl', '.libsvm', '.txt'],
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
    if (!chosen || (kind !== 'folder' && chosen.type === 'directory')) {
      return null;
    }
    return chosen.path;
  }
}

function isWanted(name: string, kind: FileKind): boolean {
  return ENDINGS[kind].includes(PathExt.extname(name).toLowerCase());
}
