import type { TranslationBundle } from '@jupyterlab/translation';

import { Loadable } from '../../../../shared/components/states';
import { bytes } from '../../../../shared/format';
import type { Live } from '../../../../shared/hooks/useLive';
import type { IFolderEntry } from '../flowFiles';

/** What a folder holds, to go on from or to choose. */
export function EntryList(props: {
  label: string;
  entries: Live<IFolderEntry[]>;
  /** The path that is chosen. */
  chosen: string;
  /** Where one step up leads; null at the top. */
  up: string | null;
  trans: TranslationBundle;
  onOpen: (path: string) => void;
  onChoose: (path: string) => void;
}): JSX.Element {
  const { trans, up } = props;
  return (
    <div className="jp-BottegaEntries" role="group" aria-label={props.label}>
      <Loadable
        live={props.entries}
        trans={trans}
        rows={4}
        what={trans.__('The folder cannot be listed.')}
      >
        {entries => (
          <ul>
            {up !== null && (
              <li>
                <button
                  type="button"
                  className="jp-BottegaEntries-item"
                  onClick={() => props.onOpen(up)}
                >
                  {trans.__('↑ One folder up')}
                </button>
              </li>
            )}
            {entries.map(entry => (
              <li key={entry.path}>
                <button
                  type="button"
                  className="jp-BottegaEntries-item"
                  aria-pressed={
                    entry.isFolder ? undefined : entry.path === props.chosen
                  }
                  onClick={() =>
                    entry.isFolder
                      ? props.onOpen(entry.path)
                      : props.onChoose(entry.path)
                  }
                >
                  <span>
                    {entry.name}
                    {entry.isFolder && '/'}
                  </span>
                  {entry.size !== null && !entry.isFolder && (
                    <span className="jp-BottegaPanel-hint">
                      {bytes(entry.size)}
                    </span>
                  )}
                </button>
              </li>
            ))}
            {entries.length === 0 && (
              <li className="jp-BottegaPanel-hint">
                {trans.__('There is nothing here that can be read as a table.')}
              </li>
            )}
          </ul>
        )}
      </Loadable>
    </div>
  );
}
