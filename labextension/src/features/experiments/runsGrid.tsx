import { useEffect, useMemo, useRef } from 'react';

import type { IRunOverview } from '../../api/types/experiments';
import { Empty } from '../../shared/components/states';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { WindowedRows } from '../../shared/table/windowedRows';
import type { IScreenProps } from '../../tokens';
import { gridColumns } from './columns';
import type { IColumnLayout } from './model/layout';
import { namesOf } from './model/names';
import type { IRunQuery } from './model/runs';
import { changesRuns, searchRequest } from './model/runs';

/** The runs of a query, of which only the shown columns are asked for. */
export function useRuns(
  props: Pick<IScreenProps, 'client' | 'frame'>,
  query: IRunQuery,
  layout: IColumnLayout
): WindowedRows<IRunOverview> {
  const { experiment, filter, sortBy, descending } = query;
  const rows = useWindowedRows<IRunOverview>(
    props,
    async (offset, limit, signal) => {
      const answer = await props.client.call(
        'bottega:SearchRuns',
        {
          ...searchRequest(query),
          Offset: offset,
          MaxResults: limit,
          Metrics: namesOf(layout.shown, 'metrics'),
          Params: namesOf(layout.shown, 'params'),
          Tags: namesOf(layout.shown, 'tags')
        },
        signal
      );
      return { rows: answer.Runs, total: answer.Total };
    },
    [experiment, filter, sortBy, descending],
    event => changesRuns(event, experiment)
  );

  // Another column is another question about the same rows: they stay until it is answered.
  const asked = [...layout.shown].sort().join('\n');
  const before = useRef(asked);
  useEffect(() => {
    if (before.current !== asked) {
      before.current = asked;
      rows.refresh();
    }
  }, [rows, asked]);
  return rows;
}

/** The grid of the runs. */
export function RunsGrid(
  props: IScreenProps & {
    rows: WindowedRows<IRunOverview>;
    query: IRunQuery;
    layout: IColumnLayout;
    chosen: ReadonlySet<string>;
    best: string | null;
    onSort: (sortBy: string, descending: boolean) => void;
    onChoose: (id: string, isChosen: boolean) => void;
    onClearFilter: () => void;
  }
): JSX.Element {
  const { rows, query, layout, best, frame, studio, trans } = props;
  const columns = useMemo(
    () =>
      gridColumns(layout, {
        trans,
        frame,
        best,
        open: path => studio.open(path)
      }),
    [layout, trans, frame, best, studio]
  );
  return (
    <Table
      rows={rows}
      columns={columns}
      label={trans.__('Runs')}
      trans={trans}
      rowKey={run => run.RunId}
      sorting={{ key: query.sortBy, descending: query.descending }}
      onSort={sorting => props.onSort(sorting.key, sorting.descending)}
      onOpen={run => studio.open(`runs/${run.RunId}`)}
      chosen={props.chosen}
      onChoose={(id, _, isChosen) => props.onChoose(id, isChosen)}
      failure={trans.__('The runs cannot be read.')}
      pinned={layout.pinned}
      empty={
        <Empty
          sentence={trans.__('No run matches the filter.')}
          action={{
            label: trans.__('Clear the filter'),
            run: props.onClearFilter
          }}
        />
      }
    />
  );
}
