import { useCallback, useEffect, useState } from 'react';

import { BottegaError } from '../../api/request';
import type {
  EndpointOverviewSortKey,
  IDeploymentProgress,
  IEndpointOverview
} from '../../api/types/hosting';
import {
  Button,
  CopyButton,
  FilterBox
} from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, latency, moment, percent } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IColumn } from '../../shared/table/table';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IScreenProps } from '../../tokens';
import { DEPLOY_COMMAND } from './commands';
import { kindName } from './kinds';
import { listPython } from './python';
import { TRAFFIC_MS } from './section';

/** The list of all endpoints. */
export function EndpointsScreen(props: IScreenProps): JSX.Element {
  const { client, studio, trans, frame, parameters } = props;
  const filter = parameters['filter'] ?? '';
  const key = (parameters['sort'] ?? 'CreationTime') as EndpointOverviewSortKey;
  const descending = parameters['order'] !== 'Ascending';
  const [all, setAll] = useState<number | null>(null);
  const rows = useWindowedRows<IEndpointOverview>(
    props,
    async (offset, limit, signal) => {
      const page = await client.call(
        'bottega:ListEndpointOverviews',
        {
          Offset: offset,
          MaxResults: limit,
          Filter: filter,
          SortBy: key,
          SortOrder: descending ? 'Descending' : 'Ascending'
        },
        signal
      );
      if (filter === '') {
        setAll(page.Total);
      }
      return { rows: page.Endpoints, total: page.Total };
    },
    [filter, key, descending],
    event => event.Kind === 'Endpoint'
  );
  useEffect(() => {
    const timer = setInterval(() => {
      if (frame.isVisible) {
        rows.refresh();
      }
    }, TRAFFIC_MS);
    return () => clearInterval(timer);
  }, [frame, rows]);
  const now = useNow(frame, true);
  const setFilter = useCallback(
    (value: string) => frame.setParameters({ filter: value }),
    [frame]
  );
  const refused =
    rows.problem instanceof BottegaError && rows.problem.status === 400;
  const deploy = (): void => void studio.execute(DEPLOY_COMMAND);
  const code = (): string => listPython(filter, key, descending);
  const columns: Array<IColumn<IEndpointOverview>> = [
    {
      id: 'status',
      label: trans.__('Status'),
      width: 135,
      sortKey: 'Status',
      render: row => (
        <StatusChip
          status={row.Status}
          {...(row.Progress ? { detail: rollout(row.Progress) } : {})}
        />
      )
    },
    {
      id: 'name',
      label: trans.__('Name'),
      width: 140,
      sortKey: 'Name',
      render: row => (
        <strong title={row.EndpointName}>{row.EndpointName}</strong>
      )
    },
    {
      id: 'kind',
      label: trans.__('Kind'),
      width: 90,
      render: row => kindName(row.Kind, trans)
    },
    {
      id: 'variants',
      label: trans.__('Variants'),
      width: 85,
      render: row => row.Variants.map(variant => variant.VariantName).join(', ')
    },
    {
      id: 'rate',
      label: trans.__('Requests/s'),
      width: 85,
      align: 'end',
      render: row => row.Traffic.RequestsPerSecond.toFixed(1)
    },
    {
      id: 'p50',
      label: trans.__('p50'),
      width: 70,
      align: 'end',
      render: row => seconds(row.Traffic.LatencyP50)
    },
    {
      id: 'p99',
      label: trans.__('p99'),
      width: 70,
      align: 'end',
      render: row => seconds(row.Traffic.LatencyP99)
    },
    {
      id: 'errors',
      label: trans.__('Errors'),
      width: 65,
      align: 'end',
      render: row =>
        row.Traffic.Requests > 0
          ? percent(row.Traffic.Errors / row.Traffic.Requests)
          : ''
    },
    {
      id: 'instances',
      label: trans.__('Instances'),
      width: 80,
      align: 'end',
      render: row => instances(row)
    },
    {
      id: 'created',
      label: trans.__('Created'),
      width: 85,
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
        <h1>{trans.__('Endpoints')}</h1>
        <span className="jp-BottegaHeader-count" role="status">
          {rows.total ?? ''}
        </span>
        <span className="jp-BottegaHeader-space" />
        <FilterBox
          value={filter}
          onChange={setFilter}
          label={trans.__('Filter endpoints')}
          placeholder={trans.__('status:InService name:churn')}
          problem={refused ? (rows.problem?.message ?? null) : null}
        />
        <CopyButton
          label={trans.__('Copy as Python')}
          trans={trans}
          text={code}
        />
        <Button
          onClick={() =>
            void studio.openInNotebook(code(), trans.__('Endpoints'))
          }
        >
          {trans.__('Open in notebook')}
        </Button>
        <Button kind="primary" onClick={deploy}>
          {trans.__('Deploy a model')}
        </Button>
      </header>
      <Table
        rows={rows}
        columns={columns}
        label={trans.__('Endpoints')}
        trans={trans}
        rowKey={row => row.EndpointName}
        sorting={{ key, descending }}
        onSort={sorting =>
          frame.setParameters({
            sort: sorting.key,
            order: sorting.descending ? 'Descending' : 'Ascending'
          })
        }
        onOpen={row =>
          studio.open(`endpoints/${encodeURIComponent(row.EndpointName)}`)
        }
        failure={trans.__('The endpoints cannot be read.')}
        empty={
          filter !== '' && all !== 0 ? (
            <Empty
              sentence={trans.__('No endpoint matches the filter.')}
              action={{
                label: trans.__('Clear the filter'),
                run: () => setFilter('')
              }}
            />
          ) : (
            <Empty
              sentence={trans.__(
                'Nothing is deployed yet: an endpoint answers requests with a trained model.'
              )}
              action={{ label: trans.__('Deploy a model'), run: deploy }}
            />
          )
        }
      />
    </>
  );
}

/** The share of the traffic that has moved, while an update is under way. */
function rollout(progress: IDeploymentProgress): string {
  return percent(progress.TrafficShare);
}

function seconds(value: number | undefined): string {
  return typeof value === 'number' ? latency(value) : '';
}

/**
 * How many servers answer, and how many there should be where that differs; those of serverless
 * variants come and go with the requests.
 */
export function instances(
  row: Pick<IEndpointOverview, 'Variants' | 'Kind'>
): string {
  const sum = (count: (variant: IEndpointOverview['Variants'][0]) => number) =>
    row.Variants.reduce((total, variant) => total + count(variant), 0);
  const present = sum(variant => variant.CurrentInstanceCount);
  const wanted = sum(variant => variant.DesiredInstanceCount);
  return present === wanted || row.Kind === 'Serverless'
    ? String(present)
    : `${present} / ${wanted}`;
}
