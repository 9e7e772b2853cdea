import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import { ContentsManager } from '@jupyterlab/services';

/** What a folder of the file browser holds, as the dialogs show it. */
export interface IFolderEntry {
  name: string;
  /** In the file browser. */
  path: string;
  isFolder: boolean;
  /** In bytes; null where it is not known. */
  size: number | null;
}

/** What the panels need of the file browser's files. */
export type FlowContents = Pick<Contents.IManager, 'get' | 'save'>;

/** Endings of files that can be a source. */
const SOURCES: readonly string[] = [
  '.csv',
  '.tsv',
  '.txt',
  '.json',
  '.jsonl',
  '.ndjson',
  '.parquet',
  '.xlsx',
  '.xls',
  '.gz',
  '.bz2',
  '.zst'
];

/** The files of the file browser. */
export class FlowFiles {
  constructor(
    private readonly _contents: FlowContents = new ContentsManager()
  ) {}

  /** The folders, and the files that can be a source, of a folder. */
  async list(folder: string): Promise<IFolderEntry[]> {
    const listing = await this._contents.get(folder);
    if (listing.type !== 'directory') {
      throw new Error(`${folder} is no folder.`);
    }
    return (listing.content as Contents.IModel[])
      .filter(
        item =>
          item.type === 'directory' ||
          SOURCES.includes(PathExt.extname(item.name).toLowerCase())
      )
      .map(item => ({
        name: item.name,
        path: item.path,
        isFolder: item.type === 'directory',
        size: item.size ?? null
      }))
      .sort(
        (one, other) =>
          Number(other.isFolder) - Number(one.isFolder) ||
          one.name.localeCompare(other.name)
      );
  }

  /**
   * Write a file under a name that is still free: `prepare.py`, `prepare-1.py`.
   *
   * @returns its path.
   */
  async saveNew(folder: string, name: string, text: string): Promise<string> {
    const listing = await this._contents.get(folder);
    const taken = new Set(
      (listing.content as Contents.IModel[]).map(item => item.name)
    );
    const ending = PathExt.extname(name);
    const stem = PathExt.basename(name, ending);
    let free = name;
    for (let number = 1; taken.has(free); number += 1) {
      free = `${stem}-${number}${ending}`;
    }
    const isNotebook = ending === '.ipynb';
    const saved = await this._contents.save(PathExt.join(folder, free), {
      type: isNotebook ? 'notebook' : 'file',
      format: isNotebook ? 'json' : 'text',
      content: isNotebook ? (JSON.parse(text) as unknown) : text
    });
    return saved.path;
  }
}
