import { useCallback, useEffect } from 'react';

import { BottegaError } from '../../api/request';
import type { IListJobsRequest, JobSortKey } from '../../api/types/training';
import {
  Button,
  CopyButton,
  FilterBox
} from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import { useNow } from '../../shared/hooks/useNow';
import { Table } from '../../shared/table/table';
import { useWindowedRows } from '../../shared/table/useWindowedRows';
import type { IScreenProps } from '../../tokens';
import { isOptional, jobColumns, shownColumns, toggledColumn } from './columns';
import { ColumnsMenu } from './columnsMenu';
import { concernsJobs, JOB_KINDS, jobPath, kindLabel, kindOf } from './kinds';
import { listPython } from './python';

/** The filter's words are those of the API, in every language. */
const EXAMPLE = 'status:InProgress,Completed name:churn';

const SORT_KEYS: readonly JobSortKey[] = [
  'CreationTime',
  'Name',
  'Status',
  'Algorithm',
  'Duration',
  'Objective'
];

/** The list of jobs that the screen's parameters ask for. */
function listRequest(
  parameters: Readonly<Record<string, string>>
): Required<IListJobsRequest> {
  const kind = kindOf(parameters['kind']);
  const sort = SORT_KEYS.find(key => key === parameters['sort']);
  return {
    Offset: 0,
    MaxResults: 100,
    Filter: [parameters['filter'], kind && `kind:${kind}`]
      .filter(Boolean)
      .join(' '),
    SortBy: sort ?? 'CreationTime',
    SortOrder: parameters['order'] === 'ascending' ? 'Ascending' : 'Descending'
  };
}

/** Every job, live: filtered, sorted, and as many as there are. */
export function JobsScreen(props: IScreenProps): JSX.Element {
  const { client, studio, trans, frame, parameters } = props;
  const request = listRequest(parameters);
  const { Filter: asked, SortBy: sort, SortOrder: order } = request;
  const filter = parameters['filter'] ?? '';
  const now = useNow(frame, true);
  const rows = useWindowedRows(
    props,
    async (offset, limit, signal) => {
      const page = await client.call(
        'bottega:ListJobs',
        { ...request, Offset: offset, MaxResults: limit },
        signal
      );
      return { rows: page.Jobs, total: page.Total };
    },
    [asked, sort, order],
    concernsJobs
  );
  useEffect(() => frame.setTitle(trans.__('Jobs')), [frame, trans]);

  const setFilter = useCallback(
    (text: string) => frame.setParameters({ filter: text.trim() }),
    [frame]
  );
  const train = (): void => void studio.execute('bottega:train');
  const code = (): string => listPython(request);
  const columns = jobColumns(trans, now);
  const choice = parameters['columns'] ?? '';
  const shown = shownColumns(columns, choice);
  // What is wrong with the filter is said at its box.
  const refusal =
    filter !== '' &&
    rows.problem instanceof BottegaError &&
    rows.problem.code === 'ValidationException'
      ? rows.problem.message
      : null;
  const clear = {
    label: trans.__('Clear the filter'),
    run: () => frame.setParameters({ filter: '', kind: '' })
  };
  const empty =
    asked === '' ? (
      <Empty
        sentence={trans.__('No job has run here yet.')}
        action={{ label: trans.__('Train a model'), run: train }}
      />
    ) : (
      <Empty
        sentence={trans.__('No job matches the filter “%1”.', asked)}
        action={clear}
      />
    );
  return (
    <>
      <header className="jp-BottegaHeader">
        <h1>{trans.__('Jobs')}</h1>
        <span className="jp-BottegaHeader-count" role="status">
          {rows.total !== null && rows.total.toLocaleString()}
        </span>
        <div className="jp-BottegaHeader-actions">
          <FilterBox
            value={filter}
            onChange={setFilter}
            label={trans.__('Filter jobs')}
            placeholder={EXAMPLE}
            problem={refusal}
          />
          <select
            className="jp-BottegaInput"
            aria-label={trans.__('Kind of jobs')}
            value={kindOf(parameters['kind']) ?? ''}
            onChange={event =>
              frame.setParameters({ kind: event.target.value })
            }
          >
            <option value="">{trans.__('All kinds')}</option>
            {JOB_KINDS.map(kind => (
              <option key={kind} value={kind}>
                {kindLabel(kind, trans)}
              </option>
            ))}
          </select>
          <ColumnsMenu
            columns={columns.filter(isOptional).map(column => ({
              id: column.id,
              label: column.label,
              shown: shown.includes(column)
            }))}
            onToggle={id =>
              frame.setParameters({ columns: toggledColumn(choice, id) })
            }
            trans={trans}
          />
          <CopyButton
            text={code}
            label={trans.__('Copy as Python')}
            trans={trans}
          />
          <Button
            onClick={() => void studio.openInNotebook(code(), trans.__('Jobs'))}
          >
            {trans.__('Open in notebook')}
          </Button>
          <Button kind="primary" onClick={train}>
            {trans.__('Train a model')}
          </Button>
        </div>
      </header>
      {refusal && rows.total === null ? (
        <Empty
          sentence={trans.__('The filter “%1” is not understood.', filter)}
          action={clear}
        />
      ) : (
        <Table
          rows={rows}
          columns={shown}
          label={trans.__('Jobs')}
          trans={trans}
          rowKey={job => `${job.Kind}/${job.JobName}`}
          sorting={{ key: sort, descending: order === 'Descending' }}
          onSort={sorting =>
            frame.setParameters({
              sort: sorting.key,
              order: sorting.descending ? '' : 'ascending'
            })
          }
          onOpen={job => studio.open(jobPath(job))}
          failure={trans.__('The jobs cannot be read.')}
          empty={empty}
          pinned={2}
        />
      )}
    </>
  );
}
