import { useEffect } from 'react';

import { BottegaError } from '../../api/request';
import type { IModelVersion } from '../../api/types/registry';
import { Button, CopyButton } from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, moment } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IColumn } from '../../shared/table/table';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IScreenProps } from '../../tokens';
import { versionsPython } from './python';
import { VersionView } from './version';
import { approvalName, concernsGroup, metricsText } from './versions';

/** Versions are always in this order: no column sorts. */
const NEWEST_FIRST = { key: '', descending: true };

/** A group: its versions, and below them the one that is chosen. */
export function GroupScreen(props: IScreenProps): JSX.Element {
  const { client, studio, trans, frame, name, parameters } = props;
  const now = useNow(frame, true);
  const rows = useWindowedRows<IModelVersion>(
    props,
    async (offset, limit, signal) => {
      const page = await client.call(
        'bottega:ListModelVersions',
        { GroupName: name, Offset: offset, MaxResults: limit },
        signal
      );
      return { rows: page.Versions, total: page.Total };
    },
    [name],
    // An endpoint that is made or deleted changes where a version serves.
    event => concernsGroup(event, name) || event.Kind === 'Endpoint'
  );
  useEffect(() => frame.setTitle(name), [frame, name]);
  const missing =
    rows.problem instanceof BottegaError &&
    /does not exist|not found/i.test(rows.problem.message);
  if (missing) {
    return (
      <Empty
        sentence={trans.__('There is no model package group %1.', name)}
        action={{
          label: trans.__('Show all models'),
          run: () => studio.open('models')
        }}
      />
    );
  }
  const newest = rows.row(0);
  const version = Number(parameters['version'] ?? newest?.Version ?? 0);
  const columns: Array<IColumn<IModelVersion>> = [
    {
      id: 'version',
      label: trans.__('Version'),
      width: 80,
      align: 'end',
      render: row => <strong>{row.Version}</strong>
    },
    {
      id: 'approval',
      label: trans.__('Approval'),
      width: 160,
      render: row => approvalName(row.Approval, trans)
    },
    {
      id: 'status',
      label: trans.__('Validation'),
      width: 120,
      render: row => <StatusChip status={row.Status} />
    },
    {
      id: 'metrics',
      label: trans.__('Metrics'),
      width: 260,
      render: row => metricsText(row.Metrics)
    },
    {
      id: 'job',
      label: trans.__('Training job'),
      width: 180,
      render: row => row.TrainingJobName ?? ''
    },
    {
      id: 'endpoints',
      label: trans.__('Deployed at'),
      width: 180,
      render: row => row.Endpoints.join(', ')
    },
    {
      id: 'created',
      label: trans.__('Registered'),
      width: 110,
      render: row => (
        <span title={moment(row.CreationTime)}>
          {ago(row.CreationTime, now, trans)}
        </span>
      )
    }
  ];
  const code = (): string => versionsPython(name);
  return (
    <>
      <header className="jp-BottegaHeader">
        <h1>{name}</h1>
        <span className="jp-BottegaHeader-facts" role="status">
          {rows.total !== null &&
            trans._n('%1 version', '%1 versions', rows.total)}
        </span>
        <span className="jp-BottegaHeader-actions">
          <CopyButton
            label={trans.__('Copy as Python')}
            trans={trans}
            text={code}
          />
          <Button onClick={() => void studio.openInNotebook(code(), name)}>
            {trans.__('Open in notebook')}
          </Button>
        </span>
      </header>
      <div className="jp-BottegaModels-versions">
        <Table
          rows={rows}
          columns={columns}
          label={trans.__('Versions')}
          trans={trans}
          rowKey={row => row.ModelPackageArn}
          sorting={NEWEST_FIRST}
          onSort={() => undefined}
          onOpen={row => frame.setParameters({ version: String(row.Version) })}
          failure={trans.__('The versions cannot be read.')}
          empty={
            <Empty
              sentence={trans.__(
                'The group has no version. job.register("%1") adds one.',
                name
              )}
            />
          }
        />
      </div>
      {newest && version > 0 && (
        <VersionView
          key={version}
          {...props}
          group={name}
          version={version}
          arn={newest.ModelPackageArn.replace(/\/\d+$/, `/${version}`)}
        />
      )}
    </>
  );
}
