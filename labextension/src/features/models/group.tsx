import { useCallback, useEffect } from 'react';

import { BottegaError } from '../../api/request';
import type { IModelVersion } from '../../api/types/registry';
import {
  Button,
  CopyButton,
  FilterBox
} from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, moment } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IColumn } from '../../shared/table/table';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IScreenProps } from '../../tokens';
import { versionsPython } from './python';
import { removeGroup } from './removal';
import { VersionView } from './version';
import {
  approvalName,
  concernsGroup,
  isMissing,
  metricsText
} from './versions';

/** Versions are always in this order: no column sorts. */
const NEWEST_FIRST = { key: '', descending: true };

/** A group: its versions, and below them the one that is chosen. */
export function GroupScreen(props: IScreenProps): JSX.Element {
  const { client, studio, trans, frame, name, parameters } = props;
  const filter = parameters['filter'] ?? '';
  const now = useNow(frame, true);
  const rows = useWindowedRows<IModelVersion>(
    props,
    async (offset, limit, signal) => {
      const page = await client.call(
        'bottega:ListModelVersions',
        {
          GroupName: name,
          Offset: offset,
          MaxResults: limit,
          Filter: filter
        },
        signal
      );
      return { rows: page.Versions, total: page.Total };
    },
    [name, filter],
    // An endpoint that is made or deleted changes where a version serves.
    event => concernsGroup(event, name) || event.Kind === 'Endpoint'
  );
  useEffect(() => frame.setTitle(name), [frame, name]);
  const setFilter = useCallback(
    (value: string) => frame.setParameters({ filter: value, version: '' }),
    [frame]
  );
  const refused =
    rows.problem instanceof BottegaError && rows.problem.status === 400;
  if (isMissing(rows.problem)) {
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
  // A version that is no number is none: the newest is shown.
  const version = Number(parameters['version']) || (newest?.Version ?? 0);
  const isEmpty = filter === '' && rows.total === 0;
  const remove = async (): Promise<void> => {
    if (await removeGroup(client, name, trans)) {
      studio.open('models');
      frame.close();
    }
  };
  const columns: Array<IColumn<IModelVersion>> = [
    {
      id: 'version',
      label: trans.__('Version'),
      width: 70,
      align: 'end',
      render: row => <strong>{row.Version}</strong>
    },
    {
      id: 'approval',
      label: trans.__('Approval'),
      width: 130,
      render: row => approvalName(row.Approval, trans)
    },
    {
      id: 'status',
      label: trans.__('Validation'),
      width: 110,
      render: row => <StatusChip status={row.Status} />
    },
    {
      id: 'metrics',
      label: trans.__('Metrics'),
      width: 240,
      render: row => metricsText(row.Metrics)
    },
    {
      id: 'job',
      label: trans.__('Training job'),
      width: 150,
      render: row => row.TrainingJobName ?? ''
    },
    {
      id: 'endpoints',
      label: trans.__('Deployed at'),
      width: 130,
      render: row => row.Endpoints.join(', ')
    },
    {
      id: 'description',
      label: trans.__('Description'),
      width: 160,
      render: row => (
        <span title={row.Description ?? ''}>{row.Description ?? ''}</span>
      )
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
  const code = (): string => versionsPython(name, filter);
  return (
    <>
      <header className="jp-BottegaHeader">
        <h1>{name}</h1>
        <span className="jp-BottegaHeader-facts" role="status">
          {rows.total !== null &&
            trans._n('%1 version', '%1 versions', rows.total)}
        </span>
        <span className="jp-BottegaHeader-actions">
          <FilterBox
            value={filter}
            onChange={setFilter}
            label={trans.__('Filter versions')}
            placeholder={trans.__('approval:Approved tariffs')}
            problem={refused ? (rows.problem?.message ?? null) : null}
          />
          <CopyButton
            label={trans.__('Copy as Python')}
            trans={trans}
            text={code}
          />
          <Button onClick={() => void studio.openInNotebook(code(), name)}>
            {trans.__('Open in notebook')}
          </Button>
          <Button
            kind="danger"
            disabled={!isEmpty}
            title={
              isEmpty
                ? trans.__('Delete this group, which has no versions')
                : trans.__('Only a group without versions can be deleted')
            }
            onClick={() => void remove()}
          >
            {trans.__('Delete group')}
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
            filter === '' ? (
              <Empty
                sentence={trans.__(
                  'The group has no version. Register on the screen of a completed job adds one, as job.register("%1") does.',
                  name
                )}
                action={{
                  label: trans.__('Show all jobs'),
                  run: () => studio.open('jobs')
                }}
              />
            ) : (
              <Empty
                sentence={trans.__('No version matches the filter.')}
                action={{
                  label: trans.__('Clear the filter'),
                  run: () => setFilter('')
                }}
              />
            )
          }
        />
      </div>
      {version > 0 && (
        <VersionView key={version} {...props} group={name} version={version} />
      )}
    </>
  );
}
