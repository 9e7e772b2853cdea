import { useCallback, useEffect } from 'react';

import { BottegaError } from '../../api/request';
import type {
  IRegistryGroup,
  RegistryGroupSortKey
} from '../../api/types/registry';
import {
  Button,
  CopyButton,
  FilterBox
} from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { ago, moment } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IColumn } from '../../shared/table/table';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IScreenProps } from '../../tokens';
import { groupsPython } from './python';
import { approvalName, concernsRegistry } from './versions';

/** All model package groups. */
export function ModelsScreen(props: IScreenProps): JSX.Element {
  const { client, studio, trans, frame, parameters } = props;
  const filter = parameters['filter'] ?? '';
  const key: RegistryGroupSortKey =
    parameters['sort'] === 'Name' ? 'Name' : 'CreationTime';
  const descending = parameters['order'] !== 'Ascending';
  const now = useNow(frame, true);
  const rows = useWindowedRows<IRegistryGroup>(
    props,
    async (offset, limit, signal) => {
      const page = await client.call(
        'bottega:ListRegistryGroups',
        {
          Offset: offset,
          MaxResults: limit,
          Filter: filter,
          SortBy: key,
          SortOrder: descending ? 'Descending' : 'Ascending'
        },
        signal
      );
      return { rows: page.Groups, total: page.Total };
    },
    [filter, key, descending],
    concernsRegistry
  );
  useEffect(() => frame.setTitle(trans.__('Models')), [frame, trans]);
  const setFilter = useCallback(
    (value: string) => frame.setParameters({ filter: value }),
    [frame]
  );
  const refused =
    rows.problem instanceof BottegaError && rows.problem.status === 400;
  const columns: Array<IColumn<IRegistryGroup>> = [
    {
      id: 'name',
      label: trans.__('Group'),
      width: 240,
      sortKey: 'Name',
      render: row => <strong title={row.GroupName}>{row.GroupName}</strong>
    },
    {
      id: 'versions',
      label: trans.__('Versions'),
      width: 90,
      align: 'end',
      render: row => String(row.Versions)
    },
    {
      id: 'newest',
      label: trans.__('Newest'),
      width: 200,
      render: row =>
        row.NewestVersion === undefined
          ? ''
          : `${row.NewestVersion} · ${
              row.NewestApproval
                ? approvalName(row.NewestApproval, trans)
                : (row.NewestStatus ?? '')
            }`
    },
    {
      id: 'approved',
      label: trans.__('Newest approved'),
      width: 130,
      align: 'end',
      render: row => row.NewestApprovedVersion?.toString() ?? '—'
    },
    {
      id: 'endpoints',
      label: trans.__('Deployed at'),
      width: 220,
      render: row => row.Endpoints.join(', ')
    },
    {
      id: 'description',
      label: trans.__('Description'),
      width: 260,
      render: row => row.Description ?? ''
    },
    {
      id: 'created',
      label: trans.__('Created'),
      width: 110,
      sortKey: 'CreationTime',
      render: row => (
        <span title={moment(row.CreationTime)}>
          {ago(row.CreationTime, now, trans)}
        </span>
      )
    }
  ];
  return (
    <>
      <header className="jp-BottegaHeader">
        <h1>{trans.__('Models')}</h1>
        <span className="jp-BottegaHeader-count" role="status">
          {rows.total ?? ''}
        </span>
        <span className="jp-BottegaHeader-space" />
        <FilterBox
          value={filter}
          onChange={setFilter}
          label={trans.__('Filter groups')}
          placeholder={trans.__('name:churn')}
          problem={refused ? (rows.problem?.message ?? null) : null}
        />
        <CopyButton
          label={trans.__('Copy as Python')}
          trans={trans}
          text={groupsPython}
        />
        <Button
          onClick={() =>
            void studio.openInNotebook(groupsPython(), trans.__('Models'))
          }
        >
          {trans.__('Open in notebook')}
        </Button>
      </header>
      <Table
        rows={rows}
        columns={columns}
        label={trans.__('Models')}
        trans={trans}
        rowKey={row => row.GroupName}
        sorting={{ key, descending }}
        onSort={sorting =>
          frame.setParameters({
            sort: sorting.key,
            order: sorting.descending ? 'Descending' : 'Ascending'
          })
        }
        onOpen={row =>
          studio.open(`models/${encodeURIComponent(row.GroupName)}`)
        }
        failure={trans.__('The models cannot be read.')}
        empty={
          filter ? (
            <Empty
              sentence={trans.__('No group matches the filter.')}
              action={{
                label: trans.__('Clear the filter'),
                run: () => setFilter('')
              }}
            />
          ) : (
            <Empty
              sentence={trans.__(
                'No model is registered yet. Register on the screen of a completed job puts its model here, as job.register("churn") does.'
              )}
              action={{
                label: trans.__('Show all jobs'),
                run: () => studio.open('jobs')
              }}
            />
          )
        }
      />
    </>
  );
}
