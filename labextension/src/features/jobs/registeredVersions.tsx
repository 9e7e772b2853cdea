import type { ILineageNode } from '../../api/types/registry';
import { madeOf, versionPath } from '../../shared/graph/lineage';
import { useLive } from '../../shared/hooks/useLive';
import type { IJobViewProps } from './jobView';

/** So many versions are named; the others are counted. */
const NAMED = 5;

/** As what the model of a job is registered; nothing where it is not. */
export function RegisteredVersions(props: IJobViewProps): JSX.Element | null {
  const { client, job, studio, trans } = props;
  const name = job.TrainingJobName;
  const live = useLive(
    props,
    async signal =>
      versionsOf(
        madeOf(
          await client.call(
            'bottega:DescribeModelLineage',
            { ResourceType: 'TrainingJob', ResourceName: name },
            signal
          )
        )
      ),
    [name],
    { concerns: event => event.Kind === 'ModelPackage' }
  );
  if (live.state === 'error') {
    return (
      <p role="status" className="jp-BottegaHeader-facts">
        {trans.__('Its versions cannot be read: %1', live.error.message)}{' '}
        <button type="button" className="jp-BottegaLink" onClick={live.retry}>
          {trans.__('Try again')}
        </button>
      </p>
    );
  }
  const versions = live.state === 'ready' ? live.value : [];
  // The region is there before the first version, so that a screen reader tells of it.
  return (
    <p role="status" className="jp-BottegaJob-versions">
      {versions.length > 0 && trans.__('Registered as')}
      {versions.slice(0, NAMED).map(version => (
        <button
          key={version.path}
          type="button"
          className="jp-BottegaLink"
          title={trans.__('Show the version')}
          onClick={() => studio.open(version.path)}
        >
          {version.name}
        </button>
      ))}
      {versions.length > NAMED &&
        trans._n(
          'and %1 earlier version',
          'and %1 earlier versions',
          versions.length - NAMED
        )}
    </p>
  );
}

/** Names and paths of the versions among nodes, newest first. */
export function versionsOf(
  nodes: readonly ILineageNode[]
): Array<{ name: string; path: string }> {
  return nodes
    .filter(node => node.Type === 'ModelPackage' && node.Exists)
    .sort((one, other) => (other.Time ?? 0) - (one.Time ?? 0))
    .flatMap(node => {
      const path = versionPath(node.Name);
      return path === null ? [] : [{ name: node.Name, path }];
    });
}
