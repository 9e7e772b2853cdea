import type { IWranglerBundle } from './bundle';

/** What the exported function and its table are called in a notebook. */
export function namesOf(title: string): { prepare: string; prepared: string } {
  const name =
    title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '') || 'df';
  const safe = /^\d/.test(name) ? `table_${name}` : name;
  // The bare name may well be that of the table itself.
  return { prepare: `prepare_${safe}`, prepared: `${safe}_prepared` };
}

/**
 * The code of a cell that prepares the table that is there already.
 *
 * @param module the exported module. What it does when it is run as a program goes, as everything
 *   in a cell is run; so does the function that reads the table of the bundle.
 */
export function cellCode(module: string, bundle: IWranglerBundle): string {
  const main = /\n+if __name__ == ["']__main__["']:\n\s+(.*)\.to_csv\(.*/s;
  const call = main.exec(module)?.[1];
  const definitions = module.replace(main, '').trimEnd();
  if (call === undefined) {
    return `${definitions}\n`;
  }
  const { prepared } = namesOf(bundle.title);
  const loader = loaderOf(definitions, bundle.draftId);
  const lines = (text: string): string => `${text.trimEnd()}\n`;
  if (!loader) {
    return lines(`${definitions}\n\n\n${prepared} = ${call}\n${prepared}`);
  }
  const table = bundle.expression ?? 'df';
  const types = /\.astype\((\w+)\)/.exec(loader.text)?.[1];
  const typed = types ? `${table}[list(${types})].astype(${types})` : table;
  const assignment = `${prepared} = ${call.replace(`${loader.name}()`, () => typed)}`;
  const rest = definitions.replace(loader.text, '');
  return lines(
    bundle.expression === null
      ? // No variable is known to hold it: whoever knows puts it there.
        `${rest}\n\n\n# ${assignment}`
      : `${rest}\n\n\n${assignment}\n${prepared}`
  );
}

/** The function that reads the table of a draft, with the empty lines behind it. */
function loaderOf(
  definitions: string,
  draftId: string
): { name: string; text: string } | null {
  const functions = /^def (\w+)\((?:.|\n(?!\n\n))*\n*/gm;
  for (const [text, name] of definitions.matchAll(functions)) {
    if (name && text.includes(`/drafts/${draftId}/`)) {
      return { name, text };
    }
  }
  return null;
}
