import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';

/** Put code into the one cell of a new notebook, and show it. */
export async function openInNotebook(
  app: JupyterFrontEnd,
  code: string,
  title: string
): Promise<void> {
  const { contents, kernelspecs } = app.serviceManager;
  await kernelspecs.ready;
  const spec = kernelspecs.specs?.default ?? 'python3';
  const untitled = await contents.newUntitled({ type: 'notebook' });
  const name = `${title.replace(/[^\w-]+/g, '-').slice(0, 60)}.ipynb`;
  const path = await freeName(app, PathExt.dirname(untitled.path), name);
  await contents.save(untitled.path, {
    type: 'notebook',
    format: 'json',
    content: {
      cells: [
        {
          cell_type: 'code',
          id: 'bottega',
          metadata: {},
          execution_count: null,
          outputs: [],
          source: code.trimEnd()
        }
      ],
      metadata: {
        kernelspec: {
          name: spec,
          display_name:
            kernelspecs.specs?.kernelspecs[spec]?.display_name ?? spec
        }
      },
      nbformat: 4,
      nbformat_minor: 5
    }
  });
  const renamed = await contents.rename(untitled.path, path);
  await app.commands.execute('docmanager:open', { path: renamed.path });
}

/** The name, numbered where the folder has it already. */
async function freeName(
  app: JupyterFrontEnd,
  folder: string,
  name: string
): Promise<string> {
  const listing = await app.serviceManager.contents.get(folder);
  const taken = new Set(
    (listing.content as Array<{ name: string }>).map(item => item.name)
  );
  const stem = PathExt.basename(name, '.ipynb');
  let free = name;
  for (let number = 1; taken.has(free); number += 1) {
    free = `${stem}-${number}.ipynb`;
  }
  return PathExt.join(folder, free);
}
