import type { ComponentType } from 'react';

import type {
  IDescribeRunResponse,
  IRunOverview,
  ISearchRunsRequest,
  ISearchRunsResponse
} from '../../../api/types/experiments';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import type { ShownScreen } from '../../../testing/liveScreen';
import { showScreen } from '../../../testing/liveScreen';
import type { IScreenProps } from '../../../tokens';

/** A run that took a minute. */
export function aRun(
  id: string,
  change: Partial<IRunOverview> = {}
): IRunOverview {
  return {
    RunId: id,
    RunName: `run-${id}`,
    ExperimentId: '7',
    Status: 'FINISHED',
    StartTime: 1_700_000_000,
    EndTime: 1_700_000_060,
    Metrics: {},
    Params: {},
    Tags: {},
    ...change
  };
}

/** What is known of a run. */
export function described(
  run: IRunOverview,
  change: Partial<IDescribeRunResponse> = {}
): IDescribeRunResponse {
  return {
    Run: run,
    ExperimentName: 'churn',
    Artifacts: [],
    Inputs: [],
    Environment: {},
    LoggedModels: [],
    ...change
  };
}

/** A small store: searches as the server does, for the few filters that tests use. */
export function search(
  runs: readonly IRunOverview[]
): (request: ISearchRunsRequest) => ISearchRunsResponse {
  return request => {
    const filter = request.Filter ?? '';
    const conditions = filter ? filter.split(' and ') : [];
    const matching = runs.filter(run =>
      conditions.every(condition => meets(run, condition))
    );
    const key = request.SortBy ?? 'attributes.start_time';
    const sign = request.SortOrder === 'Ascending' ? 1 : -1;
    const value = (run: IRunOverview): number | string | undefined =>
      key.startsWith('metrics.')
        ? run.Metrics[key.slice(8)]
        : key.startsWith('params.')
          ? run.Params[key.slice(7)]
          : run.StartTime;
    const sorted = [...matching].sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      if (left === undefined || right === undefined) {
        return Number(left === undefined) - Number(right === undefined);
      }
      return left < right ? -sign : left > right ? sign : 0;
    });
    const offset = request.Offset ?? 0;
    return {
      Runs: sorted.slice(offset, offset + (request.MaxResults ?? 50)),
      Total: matching.length
    };
  };
}

function meets(run: IRunOverview, condition: string): boolean {
  const ids = /^attributes\.run_id IN \((.*)\)$/.exec(condition);
  if (ids) {
    return (ids[1] ?? '').includes(`'${run.RunId}'`);
  }
  const missing = /^params\.(\w+) IS NULL$/.exec(condition);
  if (missing) {
    return run.Params[missing[1] ?? ''] === undefined;
  }
  const equal = /^params\.(\w+) = '(.*)'$/.exec(condition);
  if (equal) {
    return run.Params[equal[1] ?? ''] === equal[2];
  }
  const more = /^metrics\.(\w+) > ([\d.]+)$/.exec(condition);
  if (more) {
    return (run.Metrics[more[1] ?? ''] ?? -Infinity) > Number(more[2]);
  }
  throw new Error(`The test's store does not know the condition ${condition}.`);
}

/** Show a screen over a server that answers so. */
export function renderScreen(
  Screen: ComponentType<IScreenProps>,
  answers: Answers,
  place: { name?: string; parameters?: Record<string, string> } = {}
): ShownScreen {
  return showScreen(Screen, screenProps(answers, place));
}

/** What a box or a choice has. */
export function valueOf(element: HTMLElement): string {
  return (element as HTMLInputElement | HTMLSelectElement).value;
}

/** The run that is marked as the best. */
export function bestIn(container: HTMLElement): string | undefined {
  return container.querySelector<HTMLElement>('[data-best]')?.dataset['best'];
}

/** What describes an element for a screen reader. */
export function descriptionOf(element: HTMLElement): string | null {
  const id = element.getAttribute('aria-describedby') ?? '';
  return document.getElementById(id)?.textContent ?? null;
}
