import { useMemo } from 'react';

import { BottegaError } from '../../api/request';
import type {
  IListRunColumnsResponse,
  ITrackedExperiment
} from '../../api/types/experiments';
import { Button, CopyButton } from '../../shared/components/controls';
import { Empty } from '../../shared/components/states';
import type { IScreenProps } from '../../tokens';
import { suggestedName } from './acts';
import { BestRun, useBestRun } from './bestRun';
import { ColumnChooser } from './columnChooser';
import { Comparison } from './compare/comparison';
import { Chosen } from './chosen';
import { FilterInput } from './filterInput';
import { firstRunCode, searchCode } from './model/code';
import type { IColumnLayout } from './model/layout';
import { columnIds } from './model/names';
import { guessDirection, guessObjective } from './model/objective';
import type { IRunQuery } from './model/runs';
import { MOST_CHOSEN } from './model/runs';
import { RunsGrid, useRuns } from './runsGrid';
import { Split } from './split';
import { useChoices } from './useChoices';

/** An experiment that is there: its grid, its best run, and the comparison. */
export function ExperimentView(
  props: IScreenProps & {
    experiment: ITrackedExperiment;
    columns: IListRunColumnsResponse;
    layout: IColumnLayout;
    onLayout: (layout: IColumnLayout | null) => void;
  }
): JSX.Element {
  const { columns, experiment, layout, name, studio, trans } = props;
  const { choices, choose } = useChoices(props);
  const query: IRunQuery = {
    experiment: name,
    filter: choices.filter,
    sortBy: choices.sortBy,
    descending: choices.descending
  };
  const metric = choices.metric || guessObjective(columns.Metrics);
  const objective = {
    metric,
    direction: choices.direction ?? guessDirection(metric)
  };
  const rows = useRuns(props, query, layout);
  // The grid comes first: what else there is to ask waits for its first rows.
  const isShown = rows.total !== null;
  const best = useBestRun(props, query, objective, isShown);
  const chosen = useMemo(() => new Set(choices.chosen), [choices.chosen]);
  const ids = useMemo(() => columnIds(columns), [columns]);
  const clearFilter = (): void => choose({ filter: '' });

  const isFilterWrong =
    query.filter.trim() !== '' &&
    rows.problem instanceof BottegaError &&
    rows.problem.status === 400;
  const onChoose = (id: string, isChosen: boolean): void => {
    const others = choices.chosen.filter(other => other !== id);
    if (isChosen && others.length < MOST_CHOSEN) {
      choose({ chosen: [...others, id] });
    } else if (!isChosen) {
      choose({ chosen: others });
    }
  };
  const code = (): string => searchCode(query);
  const total = rows.total;

  return (
    <>
      <div className="jp-BottegaHeader">
        <h1>{experiment.Name}</h1>
        <span className="jp-BottegaHeader-count" data-total={total ?? ''}>
          {total === null
            ? ''
            : trans._n('%1 run', '%2 runs', total, total.toLocaleString())}
        </span>
        <Chosen
          count={choices.chosen.length}
          onClear={() => choose({ chosen: [] })}
          trans={trans}
        />
        <span className="jp-BottegaHeader-space" />
        <FilterInput
          value={choices.filter}
          onChange={filter => choose({ filter })}
          columns={ids}
          problem={isFilterWrong ? (rows.problem?.message ?? null) : null}
          trans={trans}
        />
        <CopyButton
          text={code}
          label={trans.__('Copy as Python')}
          trans={trans}
        />
        <Button
          onClick={() => void studio.openInNotebook(code(), experiment.Name)}
        >
          {trans.__('Open in notebook')}
        </Button>
      </div>
      {experiment.Runs === 0 && total === 0 && !query.filter ? (
        <Empty
          sentence={trans.__('Nothing has been logged to this experiment yet.')}
          action={{
            label: trans.__('Log a run in a notebook'),
            run: () =>
              void studio.openInNotebook(
                firstRunCode(experiment.Name),
                experiment.Name
              )
          }}
        />
      ) : (
        <>
          <div className="jp-BottegaExperiment-bar">
            <BestRun
              {...props}
              best={best}
              objective={objective}
              metrics={columns.Metrics}
              isFilterWrong={isFilterWrong}
              modelName={suggestedName(experiment.Name)}
              onObjective={change =>
                // The direction of another metric is guessed anew.
                choose({ direction: null, ...change })
              }
            />
            <div className="jp-BottegaExperiment-acts">
              <ColumnChooser
                layout={layout}
                columns={ids}
                onChange={props.onLayout}
                onReset={() => props.onLayout(null)}
                trans={trans}
              />
              <button
                type="button"
                className="jp-BottegaButton jp-BottegaExperiment-toggle"
                aria-pressed={choices.isComparing}
                onClick={() => choose({ isComparing: !choices.isComparing })}
              >
                {trans.__('Compare')}
              </button>
            </div>
          </div>
          <Split
            share={choices.split}
            onShare={split => choose({ split })}
            trans={trans}
            first={
              isFilterWrong ? (
                <Empty
                  sentence={trans.__('The filter cannot be read.')}
                  action={{
                    label: trans.__('Clear the filter'),
                    run: clearFilter
                  }}
                />
              ) : (
                <RunsGrid
                  {...props}
                  rows={rows}
                  query={query}
                  chosen={chosen}
                  best={
                    best.state === 'ready' ? (best.value?.RunId ?? null) : null
                  }
                  onSort={(sortBy, descending) =>
                    choose({ sortBy, descending })
                  }
                  onChoose={onChoose}
                  onClearFilter={clearFilter}
                />
              )
            }
            second={
              choices.isComparing && !isFilterWrong
                ? isShown && (
                    <Comparison
                      {...props}
                      query={query}
                      chosen={choices.chosen}
                      objective={objective}
                      tab={choices.tab}
                      onTab={tab => choose({ tab })}
                      onFilter={filter => choose({ filter })}
                      onClose={() => choose({ isComparing: false })}
                    />
                  )
                : null
            }
          />
        </>
      )}
    </>
  );
}
