import { PathExt } from '@jupyterlab/coreutils';
import { useEffect, useState } from 'react';

import type { IPanelProps } from '../../model/types';
import type { FlowFiles, IFolderEntry } from '../flowFiles';
import { CodeEditor } from '../form/codeEditor';
import { FormField } from '../form/field';
import { useLoaded } from '../useLoaded';
import { EntryList } from './entryList';
import type { ISourceDraft } from './sourceDraft';
import { splitUri } from './sourceDraft';

const TYPING_MS = 300;

type IPlaceProps = Pick<IPanelProps, 'client' | 'trans'> & {
  draft: ISourceDraft;
  onChange: (part: Partial<ISourceDraft>) => void;
};

/** A file of the file browser. */
export function FilePlace(
  props: IPlaceProps & { files: FlowFiles; directory: string }
): JSX.Element {
  const { draft, files, trans, onChange } = props;
  const [folder, setFolder] = useState(
    draft.path ? PathExt.dirname(draft.path) : props.directory
  );
  const entries = useLoaded(() => files.list(folder), [files, folder]);
  return (
    <>
      <FormField name="path" label={trans.__('File')}>
        {attributes => (
          <input
            {...attributes}
            data-autofocus=""
            className="jp-BottegaInput"
            value={draft.path}
            placeholder={trans.__('data/customers.csv')}
            spellCheck={false}
            onChange={event =>
              onChange({ path: event.target.value, options: {} })
            }
          />
        )}
      </FormField>
      <EntryList
        label={trans.__('Files in %1', folder || '/')}
        entries={entries}
        chosen={draft.path}
        up={folder === '' ? null : PathExt.dirname(folder)}
        trans={trans}
        onOpen={setFolder}
        onChoose={path => onChange({ path, options: {} })}
      />
    </>
  );
}

/** An object of the store, or all below a prefix. */
export function StorePlace(props: IPlaceProps): JSX.Element {
  const { draft, client, trans, onChange } = props;
  const studio = useLoaded(
    () => client.call('bottega:DescribeStudio', {}),
    [client]
  );
  const bucket = studio.state === 'ready' ? studio.value.DefaultBucket : '';
  useEffect(() => {
    if (bucket && draft.uri === '') {
      onChange({ uri: `s3://${bucket}/` });
    }
    // Once, when the bucket is known: whoever empties the field wants it empty.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [bucket]);
  const place = splitUri(draft.uri);
  const entries = useLoaded(
    place &&
      (async (): Promise<IFolderEntry[]> => {
        const listing = await client.listObjects(place.bucket, {
          prefix: place.prefix,
          delimiter: '/'
        });
        const uri = (key: string): string => `s3://${place.bucket}/${key}`;
        const name = (key: string): string =>
          key.slice(place.prefix.length).replace(/\/$/, '');
        return [
          ...listing.prefixes.map(key => ({
            name: name(key),
            path: uri(key),
            isFolder: true,
            size: null
          })),
          ...listing.objects
            .filter(item => item.key !== place.prefix)
            .map(item => ({
              name: name(item.key),
              path: uri(item.key),
              isFolder: false,
              size: item.size
            }))
        ];
      }),
    [client, place?.bucket, place?.prefix],
    TYPING_MS
  );
  const parent = place?.prefix.replace(/[^/]+\/$/, '');
  return (
    <>
      <FormField
        name="uri"
        label={trans.__('S3 URI')}
        sentence={trans.__(
          'An object, or a prefix that ends in a slash: all objects below it are one table.'
        )}
      >
        {attributes => (
          <input
            {...attributes}
            data-autofocus=""
            className="jp-BottegaInput"
            value={draft.uri}
            placeholder={trans.__('s3://bucket/prefix/')}
            spellCheck={false}
            onChange={event =>
              onChange({ uri: event.target.value, options: {} })
            }
          />
        )}
      </FormField>
      {place && (
        <EntryList
          label={trans.__(
            'Objects below %1',
            `s3://${place.bucket}/${place.prefix}`
          )}
          entries={entries}
          chosen={draft.uri}
          up={
            place.prefix === '' ? null : `s3://${place.bucket}/${parent ?? ''}`
          }
          trans={trans}
          onOpen={uri => onChange({ uri, options: {} })}
          onChoose={uri => onChange({ uri, options: {} })}
        />
      )}
    </>
  );
}

/** A query of a database. */
export function DatabasePlace(props: IPlaceProps): JSX.Element {
  const { draft, trans, onChange } = props;
  return (
    <>
      <FormField
        name="url"
        label={trans.__('Database URL')}
        sentence={trans.__(
          'As SQLAlchemy has it. A password in it is kept in the flow: better leave it to the database’s own means.'
        )}
      >
        {attributes => (
          <input
            {...attributes}
            data-autofocus=""
            className="jp-BottegaInput"
            value={draft.url}
            placeholder={trans.__('postgresql://user@host/database')}
            spellCheck={false}
            onChange={event => onChange({ url: event.target.value })}
          />
        )}
      </FormField>
      <FormField
        name="query"
        label={trans.__('Query')}
        sentence={trans.__('One SELECT; its result is the table.')}
        group
      >
        {attributes => (
          <CodeEditor
            value={draft.query}
            language="sql"
            label={trans.__('Query')}
            describedBy={attributes['aria-describedby']}
            trans={trans}
            onChange={query => onChange({ query })}
          />
        )}
      </FormField>
    </>
  );
}
