import { PathExt } from '@jupyterlab/coreutils';

import type {
  FlowSourceKind,
  IFlowSource
} from '../../../../api/types/wrangler';
import type { IFlowNode } from '../../model/types';
import type { Values } from '../json';

/** What the dialog has of a source. */
export interface ISourceDraft {
  kind: FlowSourceKind;
  /** Of a file: its path in the file browser. */
  path: string;
  uri: string;
  /** Of a database: where it is, and what is asked of it. */
  url: string;
  query: string;
  /** What the user said of the reading; what is absent is detected. */
  options: Values;
  name: string;
}

/** What an empty dialog has. */
export function emptyDraft(kind: FlowSourceKind): ISourceDraft {
  return { kind, path: '', uri: '', url: '', query: '', options: {}, name: '' };
}

/**
 * What the dialog has of a source of the flow.
 *
 * @param directory the flow's folder in the file browser.
 */
export function draftOf(node: IFlowNode, directory: string): ISourceDraft {
  const values = node.State?.Values ?? {};
  const kind = values['Kind'];
  const uri = text(values['Uri']);
  const options = values['Options'];
  const common = {
    ...emptyDraft(kind === 's3' || kind === 'sql' ? kind : 'file'),
    options:
      typeof options === 'object' && options !== null
        ? (options as Values)
        : {},
    name: text(values['Name'])
  };
  switch (common.kind) {
    case 's3':
      return { ...common, uri };
    case 'sql':
      return { ...common, url: uri, query: text(values['Query']) };
    default:
      return { ...common, path: uri && PathExt.join(directory, uri) };
  }
}

/**
 * The source that a draft describes; null while it says too little.
 *
 * @param directory the flow's folder in the file browser: paths of files begin there.
 */
export function sourceOf(
  draft: ISourceDraft,
  directory: string
): IFlowSource | null {
  const more = {
    ...(Object.keys(draft.options).length > 0
      ? { Options: { ...draft.options } }
      : {}),
    ...(draft.name.trim() ? { Name: draft.name.trim() } : {})
  };
  switch (draft.kind) {
    case 'file':
      return draft.path
        ? {
            Kind: 'file',
            Uri: PathExt.relative(directory, draft.path),
            ...more
          }
        : null;
    case 's3':
      return /^s3:\/\/[^/]+\/.+/.test(draft.uri.trim())
        ? { Kind: 's3', Uri: draft.uri.trim(), ...more }
        : null;
    case 'sql':
      return draft.url.trim() && draft.query.trim()
        ? { Kind: 'sql', Uri: draft.url.trim(), Query: draft.query, ...more }
        : null;
  }
}

/** A choice of the user; undefined leaves it to the detection again. */
export function withOption(
  options: Values,
  name: string,
  value: unknown
): Values {
  const rest = Object.entries(options).filter(([key]) => key !== name);
  return Object.fromEntries(
    value === undefined ? rest : [...rest, [name, value]]
  );
}

/** The bucket of a URI that is being typed, the folder below which it leads, and what comes after. */
export function splitUri(
  uri: string
): { bucket: string; prefix: string; start: string } | null {
  const found = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri.trim());
  if (!found) {
    return null;
  }
  const [, bucket = '', key = ''] = found;
  const slash = key.lastIndexOf('/') + 1;
  return { bucket, prefix: key.slice(0, slash), start: key.slice(slash) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
