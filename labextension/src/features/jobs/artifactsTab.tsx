import { useState } from 'react';

import type { IStoredObject } from '../../api/client';
import { Button } from '../../shared/components/controls';
import { Empty, Failure, Loadable } from '../../shared/components/states';
import { bytes, moment } from '../../shared/format';
import { useDeeds } from '../../shared/hooks/useDeeds';
import { useLive } from '../../shared/hooks/useLive';
import type { IBottegaClient } from '../../tokens';
import { isRunning, notebookOf, outputPrefix, parseS3 } from './facts';
import type { IJobViewProps } from './jobView';

/** A listing stops here: a job that leaves more is looked through in the store itself. */
const MOST_OBJECTS = 1000;

/** What the job left in the store. */
export function ArtifactsTab(props: IJobViewProps): JSX.Element {
  const { client, job, trans } = props;
  const running = isRunning(job.TrainingJobStatus);
  const prefix = outputPrefix(job);
  const place = parseS3(prefix);
  const bucket = place?.bucket ?? '';
  const key = place?.key ?? '';
  const live = useLive(props, () => listAll(client, bucket, key), [
    bucket,
    key,
    job.TrainingJobStatus
  ]);
  return (
    <>
      {notebookOf(job) && !running && <CollectNotebook {...props} />}
      <p className="jp-BottegaHeader-facts">{prefix}</p>
      <Loadable
        live={live}
        trans={trans}
        what={trans.__('The artifacts cannot be listed.')}
      >
        {({ objects, more }) =>
          objects.length === 0 ? (
            <Empty
              sentence={
                running
                  ? trans.__('The job leaves its artifacts when it ends.')
                  : trans.__('The job left no artifacts.')
              }
            />
          ) : (
            <>
              {objects.map(object => (
                <Artifact
                  key={object.key}
                  {...props}
                  bucket={bucket}
                  prefix={key}
                  object={object}
                />
              ))}
              {more && (
                <p>
                  {trans.__(
                    'There are more than %1 objects; the first ones are shown.',
                    MOST_OBJECTS
                  )}
                </p>
              )}
            </>
          )
        }
      </Loadable>
    </>
  );
}

async function listAll(
  client: IBottegaClient,
  bucket: string,
  prefix: string
): Promise<{ objects: IStoredObject[]; more: boolean }> {
  const objects: IStoredObject[] = [];
  let token = '';
  do {
    const page = await client.listObjects(bucket, { prefix, token });
    objects.push(...page.objects);
    token = page.next;
  } while (token && objects.length < MOST_OBJECTS);
  return { objects, more: token !== '' };
}

/** One object; an archive shows what is in it. */
function Artifact(
  props: IJobViewProps & {
    bucket: string;
    prefix: string;
    object: IStoredObject;
  }
): JSX.Element {
  const { bucket, client, object, prefix, trans } = props;
  const isArchive = object.key.endsWith('.tar.gz');
  const [open, setOpen] = useState(object.key.endsWith('/model.tar.gz'));
  const name = object.key.slice(prefix.length);
  return (
    <section className="jp-BottegaCard" aria-label={name}>
      <div className="jp-BottegaArtifact-head">
        <h2>
          {isArchive ? (
            <button
              type="button"
              className="jp-BottegaDisclosure"
              aria-expanded={open}
              onClick={() => setOpen(!open)}
            >
              <span aria-hidden="true">{open ? '▾' : '▸'}</span> {name}
            </button>
          ) : (
            name
          )}
        </h2>
        <span className="jp-BottegaHeader-facts">
          {bytes(object.size)} · {moment(object.modified)}
        </span>
        <a
          className="jp-BottegaButton jp-mod-small"
          href={client.downloadUrl(bucket, object.key)}
          aria-label={trans.__('Download %1', name)}
          download
        >
          {trans.__('Download')}
        </a>
      </div>
      {isArchive && open && <Members {...props} archive={object.key} />}
    </section>
  );
}

function Members(
  props: IJobViewProps & { bucket: string; archive: string }
): JSX.Element {
  const { archive, bucket, client, trans } = props;
  const live = useLive(props, () => client.listArchive(bucket, archive), [
    bucket,
    archive
  ]);
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={2}
      what={trans.__('The archive cannot be read.')}
    >
      {members =>
        members.length === 0 ? (
          <p>{trans.__('The archive is empty.')}</p>
        ) : (
          <table className="jp-BottegaPlainTable">
            <thead>
              <tr>
                <th scope="col">{trans.__('File')}</th>
                <th scope="col" className="jp-mod-end">
                  {trans.__('Size')}
                </th>
              </tr>
            </thead>
            <tbody>
              {members.map(member => (
                <tr key={member.name}>
                  <td>
                    <a
                      href={client.downloadUrl(bucket, archive, member.name)}
                      download
                    >
                      {member.name}
                    </a>
                  </td>
                  <td className="jp-mod-end">{bytes(member.size)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Loadable>
  );
}

/** Fetches the executed copy of the notebook that the job ran, and shows it. */
function CollectNotebook(props: IJobViewProps): JSX.Element {
  const { client, job, studio, trans } = props;
  const { problem, busy, act } = useDeeds();
  const open = async (): Promise<void> => {
    const { notebook } = await client.collectNotebook(job.TrainingJobName);
    await studio.execute('docmanager:open', { path: notebook });
  };
  return (
    <>
      <div>
        <Button kind="primary" disabled={busy} onClick={act(open)}>
          {trans.__('Open executed notebook')}
        </Button>
      </div>
      {problem && (
        <Failure
          error={problem}
          trans={trans}
          what={trans.__('The executed notebook cannot be fetched.')}
        />
      )}
    </>
  );
}
