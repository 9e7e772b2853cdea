import { useCallback } from 'react';

import type { ITrackedExperiment } from '../../api/types/experiments';
import {
  Button,
  CopyButton,
  FilterBox
} from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { ago, moment } from '../../shared/format';
import type { IColumn } from '../../shared/table/table';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IScreenProps } from '../../tokens';
import { experimentsCode, firstRunCode } from './model/code';
import { changesRuns } from './model/runs';

/** The order of the listing; there is no other. */
const ORDER = { key: 'updated', descending: true };
const NEW_EXPERIMENT = 'my-experiment';

/** The list of the experiments, whoever made them. */
export function ExperimentsScreen(props: IScreenProps): JSX.Element {
  const { client, frame, parameters, studio, trans } = props;
  const filter = parameters['filter'] ?? '';
  const onFilter = useCallback(
    (text: string) => frame.setParameters({ filter: text }),
    [frame]
  );
  const rows = useWindowedRows<ITrackedExperiment>(
    props,
    async (offset, limit, signal) => {
      const answer = await client.call(
        'bottega:ListTrackedExperiments',
        {
          Offset: offset,
          MaxResults: limit,
          ...(filter.trim() ? { Filter: filter.trim() } : {})
        },
        signal
      );
      return { rows: answer.Experiments, total: answer.Total };
    },
    [filter],
    event => changesRuns(event)
  );
  const code = (): string => experimentsCode(filter);
  const columns: Array<IColumn<ITrackedExperiment>> = [
    {
      id: 'name',
      label: trans.__('Experiment'),
      width: 360,
      render: item => <strong title={item.ExperimentId}>{item.Name}</strong>
    },
    {
      id: 'runs',
      label: trans.__('Runs'),
      width: 100,
      align: 'end',
      render: item => item.Runs.toLocaleString()
    },
    {
      id: 'updated',
      label: trans.__('Last used'),
      width: 160,
      render: item => <When time={item.LastUpdateTime} {...props} />
    },
    {
      id: 'created',
      label: trans.__('Created'),
      width: 160,
      render: item => <When time={item.CreationTime} {...props} />
    }
  ];
  return (
    <>
      <div className="jp-BottegaHeader">
        <h1>{trans.__('Experiments')}</h1>
        <span className="jp-BottegaHeader-count">
          {rows.total?.toLocaleString() ?? ''}
        </span>
        <span className="jp-BottegaHeader-space" />
        <FilterBox
          value={filter}
          onChange={onFilter}
          placeholder={trans.__('Words of the name')}
          label={trans.__('Filter experiments')}
        />
        <CopyButton
          text={code}
          label={trans.__('Copy as Python')}
          trans={trans}
        />
        <Button
          onClick={() => void studio.openInNotebook(code(), 'experiments')}
        >
          {trans.__('Open in notebook')}
        </Button>
      </div>
      <Table
        rows={rows}
        columns={columns}
        label={trans.__('Experiments')}
        trans={trans}
        rowKey={item => item.ExperimentId}
        sorting={ORDER}
        onSort={() => undefined}
        onOpen={item => studio.open(`experiments/${item.ExperimentId}`)}
        failure={trans.__('The experiments cannot be read.')}
        empty={
          filter ? (
            <Empty
              sentence={trans.__('No experiment has these words in its name.')}
              action={{
                label: trans.__('Clear the filter'),
                run: () => onFilter('')
              }}
            />
          ) : (
            <Empty
              sentence={trans.__(
                'Runs appear here as soon as a job or a notebook logs to MLflow.'
              )}
              action={{
                label: trans.__('Log a run in a notebook'),
                run: () =>
                  void studio.openInNotebook(
                    firstRunCode(NEW_EXPERIMENT),
                    NEW_EXPERIMENT
                  )
              }}
            />
          )
        }
      />
    </>
  );
}

function When(props: IScreenProps & { time: number | undefined }): JSX.Element {
  const { time, trans } = props;
  return time === undefined ? (
    <></>
  ) : (
    <span title={moment(time)}>{ago(time, Date.now() / 1000, trans)}</span>
  );
}
