import { useEffect, useRef, useState } from 'react';

import type {
  IListRunColumnsResponse,
  IRunOverview
} from '../../../api/types/experiments';
import { Button, Tabs } from '../../../shared/components/controls';
import { Loadable } from '../../../shared/components/states';
import { useLive } from '../../../shared/hooks/useLive';
import type { IScreenProps } from '../../../tokens';
import type { IObjective } from '../bestRun';
import type { IRunQuery } from '../model/runs';
import {
  MOST_CHOSEN,
  followRuns,
  readRuns,
  searchRequest
} from '../model/runs';
import { Curves } from './curves';
import { Diff } from './diff';
import { Groups } from './groups';
import { Importance } from './importance';
import { Parallel } from './parallel';
import { Scatter } from './scatter';

/** What the comparison is about. */
export interface IComparisonProps extends IScreenProps {
  query: IRunQuery;
  columns: IListRunColumnsResponse;
  objective: IObjective;
  /** The ids of the chosen runs. */
  chosen: readonly string[];
  onFilter: (filter: string) => void;
}

/** What the tabs about single runs are given. */
export interface IComparedProps extends IComparisonProps {
  /** The chosen runs, or the first ones of the grid while none is chosen. */
  runs: readonly IRunOverview[];
  /** In pixels: as high as the panel has room for. */
  chartHeight: number;
}

/** What a chart leaves to the tabs and controls above it. */
const ABOVE_CHART = 150;
const LOWEST_CHART = 220;
const HIGHEST_CHART = 480;

/** The comparison of runs: curves, parallel coordinates, scatter, importance, groups, diff. */
export function Comparison(
  props: IComparisonProps & {
    tab: string;
    onTab: (tab: string) => void;
    onClose: () => void;
  }
): JSX.Element {
  const { trans } = props;
  const panel = useRef<HTMLElement>(null);
  const [chartHeight, setChartHeight] = useState(LOWEST_CHART);
  useEffect(() => {
    const element = panel.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() =>
      setChartHeight(
        Math.max(
          LOWEST_CHART,
          Math.min(HIGHEST_CHART, element.clientHeight - ABOVE_CHART)
        )
      )
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const compared =
    (Tab: (props: IComparedProps) => JSX.Element): (() => JSX.Element) =>
    () => <Compared {...props} chartHeight={chartHeight} tab={Tab} />;
  return (
    <section
      ref={panel}
      className="jp-BottegaComparison"
      aria-label={trans.__('Comparison')}
    >
      <Tabs
        label={trans.__('Comparison')}
        chosen={props.tab}
        onChoose={props.onTab}
        tabs={[
          {
            id: 'curves',
            label: trans.__('Curves'),
            render: compared(Curves)
          },
          {
            id: 'parallel',
            label: trans.__('Parallel coordinates'),
            render: compared(Parallel)
          },
          {
            id: 'scatter',
            label: trans.__('Scatter'),
            render: compared(Scatter)
          },
          {
            id: 'importance',
            label: trans.__('Importance'),
            render: () => <Importance {...props} />
          },
          {
            id: 'groups',
            label: trans.__('Groups'),
            render: () => <Groups {...props} />
          },
          { id: 'diff', label: trans.__('Diff'), render: compared(Diff) }
        ]}
        aside={
          <Button
            label={trans.__('Close the comparison')}
            onClick={props.onClose}
          >
            ✕
          </Button>
        }
      />
    </section>
  );
}

/** A tab about single runs: reads them whole, the chosen ones or the first of the grid. */
function Compared(
  props: IComparisonProps & {
    chartHeight: number;
    tab: (props: IComparedProps) => JSX.Element;
  }
): JSX.Element {
  const { chosen, client, query, trans } = props;
  const { experiment, filter, sortBy, descending } = query;
  const ids = chosen.join(',');
  // The grid's order and filter matter only while nothing is chosen.
  const dependencies = ids ? [ids] : [filter, sortBy, descending];
  const live = useLive(
    props,
    async signal =>
      ids
        ? readRuns(client, experiment, chosen, signal)
        : (
            await client.call(
              'bottega:SearchRuns',
              { ...searchRequest(query), MaxResults: MOST_CHOSEN },
              signal
            )
          ).Runs,
    [experiment, dependencies.join('\n')],
    followRuns(experiment)
  );
  const Tab = props.tab;
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={8}
      what={trans.__('The runs cannot be read.')}
    >
      {runs => <Tab {...props} runs={runs} />}
    </Loadable>
  );
}
