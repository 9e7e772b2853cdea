import { PathExt } from '@jupyterlab/coreutils';

/** Endings of files that a flow can begin with. */
export const TABLE_FILES: readonly string[] = [
  '.csv',
  '.tsv',
  '.json',
  '.jsonl',
  '.parquet',
  '.xlsx'
];

/** Whether a file can be the source of a flow. */
export function isTableFile(name: string): boolean {
  return TABLE_FILES.includes(PathExt.extname(name).toLowerCase());
}

/**
 * A folder of the file browser, on the server's machine.
 *
 * @param root where the file browser begins; the server may abbreviate its home to `~`.
 * @param directory from there.
 */
export function folderOf(root: string, directory: string): string {
  const start = root.replace(/[/\\]+$/, '');
  if (directory === '' || directory === '.') {
    return start || '/';
  }
  return `${start}/${directory}`;
}

/** A Python name for a flow: `customers 2024.flow` becomes `customers_2024`. */
export function flowName(path: string): string {
  const stem = PathExt.basename(path, PathExt.extname(path));
  const name = stem
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  return /^[a-z]/.test(name) ? name : name ? `flow_${name}` : 'prepare';
}

/** The flow beside a file: `data/customers.csv` has `data/customers.flow`. */
export function flowBeside(file: string, number = 0): string {
  const folder = PathExt.dirname(file);
  const stem = PathExt.basename(file, PathExt.extname(file));
  return PathExt.join(folder, `${stem}${number ? `-${number}` : ''}.flow`);
}
