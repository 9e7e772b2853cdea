import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type { IRunOverview } from '../../../api/types/experiments';
import type { Answers } from '../../../testing/fakeClient';
import { giveSizes } from '../../../testing/liveScreen';
import { experimentScreen } from '../experimentScreen';
import type { IColumnLayout } from '../model/layout';
import { layoutMemory } from '../model/memory';
import {
  aRun,
  bestIn,
  described,
  descriptionOf,
  renderScreen,
  search,
  valueOf
} from './fixtures';

// Plotly draws on canvases, which the tests' browser has none of.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: async (node: HTMLElement, data: unknown) => {
    node.dataset['drawn'] = JSON.stringify(data);
    return node;
  },
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

giveSizes();

const RUNS: IRunOverview[] = [
  aRun('a', { Params: { depth: '3' }, Metrics: { auc: 0.7, loss: 0.5 } }),
  aRun('b', {
    Params: { depth: '6' },
    Metrics: { auc: 0.9, loss: 0.4 },
    TrainingJobName: 'churn-1'
  }),
  aRun('c', { Params: { depth: '6' }, Metrics: { auc: 0.8, loss: 0.1 } })
];

function store(runs: readonly IRunOverview[] = RUNS): Answers {
  return {
    'bottega:ListTrackedExperiments': () => ({
      Experiments: [
        { ExperimentId: '7', Name: 'churn', Runs: runs.length },
        { ExperimentId: '8', Name: 'pricing', Runs: 0 }
      ],
      Total: 2
    }),
    'bottega:ListRunColumns': () => ({
      Metrics: runs.length > 0 ? ['auc', 'loss'] : [],
      Params: runs.length > 0 ? ['depth'] : [],
      Tags: []
    }),
    'bottega:SearchRuns': search(runs),
    'bottega:GetRunMetrics': () => ({ Courses: [] }),
    'bottega:DescribeRun': request =>
      described(
        runs.find(run => run.RunId === request.RunId) ?? aRun(request.RunId)
      ),
    'bottega:GetParameterImportance': () => ({
      Importances: [
        { Param: 'depth', Importance: 0.75 },
        { Param: 'eta', Importance: 0.25 }
      ],
      Runs: 3,
      Method: 'By correlation.'
    })
  };
}

function show(
  answers: Answers,
  parameters: Record<string, string> = {},
  memory = layoutMemory(null)
): ReturnType<typeof renderScreen> {
  return renderScreen(experimentScreen(memory), answers, {
    name: '7',
    parameters
  });
}

const rowOf = async (id: string): Promise<HTMLElement> => {
  const cell = await screen.findByTitle(id);
  return cell.closest<HTMLElement>('[role="row"]') as HTMLElement;
};
const firstKey = (container: HTMLElement): string | undefined =>
  container.querySelector<HTMLElement>('[data-index="0"]')?.dataset['key'];

describe('the grid of an experiment', () => {
  it('names the tab and shows the runs with the columns that it asked for', async () => {
    const { client, frame } = show(store());
    const row = await rowOf('b');
    expect(frame.title.label).toBe('churn');
    expect(row.textContent).toContain('run-b');
    expect(row.textContent).toContain('0.9');
    expect(row.textContent).toContain('1:00');
    expect(client.requests('bottega:SearchRuns')).toContainEqual(
      expect.objectContaining({
        Offset: 0,
        MaxResults: 100,
        Metrics: ['auc', 'loss'],
        Params: ['depth'],
        Tags: []
      })
    );
    expect(screen.getByText('3 runs')).toBeTruthy();
  });

  it('marks the best run, by either direction', async () => {
    const { container } = show(store());
    await rowOf('b');
    await waitFor(() => expect(bestIn(container)).toBe('b'));
    await userEvent.selectOptions(screen.getByLabelText('Best by'), 'loss');
    await waitFor(() => expect(bestIn(container)).toBe('c'));
    await userEvent.selectOptions(screen.getByLabelText('Better is'), 'higher');
    await waitFor(() => expect(bestIn(container)).toBe('a'));
  });

  it('has no best run where none has a number', async () => {
    const { container } = show(store([aRun('a', { Metrics: { auc: NaN } })]));
    expect(await screen.findByText('No run of these has it.')).toBeTruthy();
    expect(bestIn(container)).toBeUndefined();
  });

  it('deploys the best run and opens runs and jobs', async () => {
    const { studio } = show(store());
    await userEvent.click(await screen.findByText('Deploy…'));
    expect(studio.executed).toEqual([
      { command: 'bottega:deploy', args: { run: 'b' } }
    ]);
    await userEvent.click(await rowOf('a'));
    await userEvent.click(screen.getByRole('link', { name: 'churn-1' }));
    expect(studio.opened).toEqual(['runs/a', 'jobs/churn-1']);
  });

  it('sorts on the server, keeping the old rows until the answer', async () => {
    const { container, frame } = show(store());
    await rowOf('a');
    await userEvent.click(screen.getByRole('button', { name: 'loss' }));
    expect(screen.getByRole('grid', { name: 'Runs' })).toBeTruthy();
    await waitFor(() => expect(firstKey(container)).toBe('a'));
    await userEvent.click(screen.getByRole('button', { name: /^loss/ }));
    await waitFor(() => expect(firstKey(container)).toBe('c'));
    expect(frame.parameters).toMatchObject({
      sort: 'metrics.loss',
      order: 'ascending'
    });
  });

  it('filters in the words of the tracking store', async () => {
    const { frame } = show(store());
    await rowOf('a');
    const box = screen.getByRole('combobox', { name: 'Filter runs' });
    await userEvent.type(box, 'metrics.auc > 0.75');
    await waitFor(() => expect(screen.getByText('2 runs')).toBeTruthy());
    expect(frame.parameters['filter']).toBe('metrics.auc > 0.75');
  });

  it('completes the names of columns', async () => {
    show(store());
    await rowOf('a');
    const box = screen.getByRole('combobox', { name: 'Filter runs' });
    await userEvent.type(box, 'dep');
    expect(screen.getByRole('option', { name: 'params.depth' })).toBeTruthy();
    await userEvent.keyboard('{Tab}');
    expect(valueOf(box)).toBe('params.depth ');
    expect(screen.queryByRole('listbox')).toBeNull();
  });

  it('says at the box what is wrong with a filter', async () => {
    const answers = store();
    const { container } = show(
      {
        ...answers,
        'bottega:SearchRuns': request => {
          if (request.Filter?.includes('oops')) {
            throw new BottegaError('ValidationException', 'No number.', 400);
          }
          return search(RUNS)(request);
        }
      },
      { filter: 'metrics.auc > oops' }
    );
    const box = await screen.findByRole('combobox', { name: 'Filter runs' });
    await waitFor(() => expect(descriptionOf(box)).toBe('No number.'));
    expect(box.getAttribute('aria-invalid')).toBe('true');
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.click(
      screen.getByRole('button', { name: 'Clear the filter' })
    );
    expect(await rowOf('a')).toBeTruthy();
  });

  it('says that a filter matches nothing', async () => {
    show(store(), { filter: 'metrics.auc > 5' });
    expect(await screen.findByText('No run matches the filter.')).toBeTruthy();
  });

  it('reads again what is shown when runs change', async () => {
    const runs = [...RUNS];
    const { client } = show({
      ...store(),
      'bottega:SearchRuns': request => search(runs)(request)
    });
    await rowOf('a');
    runs.push(aRun('d', { Metrics: { auc: 0.95 } }));
    client.events.happen({ Type: 'TrackingChanged', Name: '8' });
    client.events.happen({ Type: 'TrackingChanged', Name: '7' });
    expect(await rowOf('d')).toBeTruthy();
  });

  it('chooses up to 100 runs and says when no more can be', async () => {
    const many = Array.from({ length: 101 }, (_, n) => `x${n}`);
    const { frame } = show(store(), { runs: many.slice(0, 99).join(',') });
    await rowOf('a');
    expect(screen.getByText('99 runs chosen')).toBeTruthy();
    const box = (id: string): HTMLElement =>
      screen.getByRole('checkbox', { name: `Choose ${id}` });
    await userEvent.click(box('a'));
    expect(
      screen.getByText('100 runs chosen · more than 100 cannot be compared')
    ).toBeTruthy();
    await userEvent.click(box('b'));
    expect((box('b') as HTMLInputElement).checked).toBe(false);
    await userEvent.click(screen.getByText('Choose none'));
    expect(frame.parameters['runs']).toBe('');
  });

  it('is accessible', async () => {
    const { container } = show(store(), { runs: 'a,b', tab: 'diff' });
    await rowOf('a');
    await screen.findByText('Parameters');
    expect((await axe(container)).violations).toEqual([]);
  });
});

describe('the other states of an experiment', () => {
  it('has a way on where nothing was logged', async () => {
    const { studio } = show(store([]));
    await userEvent.click(await screen.findByText('Open in notebook'));
    await userEvent.click(await screen.findByText('Log a run in a notebook'));
    expect(studio.notebooks.map(item => item.code)).toEqual([
      expect.stringContaining('mlflow.search_runs('),
      expect.stringContaining('mlflow.set_experiment("churn")')
    ]);
  });

  it('says when there is no such experiment', async () => {
    const { studio } = renderScreen(
      experimentScreen(layoutMemory(null)),
      store(),
      { name: '99' }
    );
    expect(await screen.findByText('There is no experiment 99.')).toBeTruthy();
    await userEvent.click(screen.getByText('Show all experiments'));
    expect(studio.opened).toEqual(['experiments']);
  });

  it('finds an experiment behind the first page', async () => {
    const { client } = show({
      ...store(),
      'bottega:ListTrackedExperiments': request => ({
        Experiments: request.Offset
          ? [{ ExperimentId: '7', Name: 'churn', Runs: 3 }]
          : [{ ExperimentId: '1', Name: 'other', Runs: 0 }],
        Total: 501
      })
    });
    await rowOf('a');
    expect(
      client.requests('bottega:ListTrackedExperiments').map(item => item.Offset)
    ).toEqual([0, 500]);
  });

  it('shows what the server said and tries again', async () => {
    let broken = true;
    show({
      ...store(),
      'bottega:ListRunColumns': () => {
        if (broken) {
          throw new BottegaError('ServiceUnavailable', 'Not now.', 503);
        }
        return { Metrics: ['auc'], Params: [], Tags: [] };
      }
    });
    expect(await screen.findByText('Not now.')).toBeTruthy();
    broken = false;
    await userEvent.click(screen.getByText('Try again'));
    expect(await rowOf('a')).toBeTruthy();
  });
});

/** Drag the line of a column to that of another one. */
function dragTo(from: string, to: string): void {
  const data = new Map<string, string>();
  const dataTransfer = {
    setData: (type: string, value: string) => data.set(type, value),
    getData: (type: string) => data.get(type) ?? '',
    get types() {
      return [...data.keys()];
    }
  };
  // The DragEvent of JupyterLab's shims does not bubble.
  const fire = (id: string, type: string): void => {
    const event = new Event(type, { bubbles: true, cancelable: true });
    Object.assign(event, { dataTransfer });
    fireEvent(
      document.querySelector(`[data-column="${id}"]`) as Element,
      event
    );
  };
  fire(from, 'dragstart');
  fire(to, 'dragover');
  fire(to, 'drop');
}

describe('the columns', () => {
  async function open(
    memory = layoutMemory(null)
  ): Promise<ReturnType<typeof renderScreen>> {
    const shown = show(store(), { compare: 'closed' }, memory);
    await rowOf('a');
    await userEvent.click(screen.getByRole('button', { name: 'Columns' }));
    return shown;
  }
  const headings = (): Array<string | null> =>
    screen
      .getAllByRole('columnheader')
      .slice(1)
      .map(heading => heading.textContent);
  const kept = (): {
    memory: ReturnType<typeof layoutMemory>;
    last: () => IColumnLayout | null | undefined;
  } => {
    let last: IColumnLayout | null | undefined;
    const memory = layoutMemory(null);
    return {
      memory: {
        read: memory.read,
        keep: async (experiment, layout) => {
          last = layout;
          await memory.keep(experiment, layout);
        }
      },
      last: () => last
    };
  };

  it('are hidden, and not asked for any more', async () => {
    const { memory, last } = kept();
    const { client } = await open(memory);
    const panel = screen.getByRole('dialog', { name: 'Columns' });
    await userEvent.click(within(panel).getByRole('checkbox', { name: /auc/ }));
    expect(headings()).not.toContain('auc');
    await waitFor(() =>
      expect(client.requests('bottega:SearchRuns')).toContainEqual(
        expect.objectContaining({ MaxResults: 100, Metrics: ['loss'] })
      )
    );
    expect(last()?.shown).not.toContain('metrics.auc');
    await userEvent.click(
      screen.getByRole('button', { name: 'Back to the usual columns' })
    );
    expect(headings()).toContain('auc');
    expect(last()).toBeNull();
  });

  it('are moved by buttons and by dragging, and pinned', async () => {
    const { memory, last } = kept();
    await open(memory);
    await userEvent.click(screen.getByRole('button', { name: 'Move loss up' }));
    expect(headings().slice(4, 6)).toEqual(['loss', 'auc']);
    dragTo('params.depth', 'metrics.loss');
    expect(headings().slice(4, 7)).toEqual(['depth', 'loss', 'auc']);
    await userEvent.click(screen.getByRole('button', { name: 'Pin auc' }));
    expect(headings()[2]).toBe('auc');
    expect(last()?.pinned).toBe(3);
  });

  it('are found by a search, and the list closes at Escape', async () => {
    const { container } = await open();
    const panel = screen.getByRole('dialog', { name: 'Columns' });
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.type(screen.getByLabelText('Search columns'), 'user');
    expect(within(panel).getAllByRole('checkbox')).toHaveLength(1);
    await userEvent.keyboard('{Escape}');
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(document.activeElement).toBe(
      screen.getByRole('button', { name: 'Columns' })
    );
  });

  it('come back as they were kept', async () => {
    const memory = layoutMemory(null);
    await memory.keep('7', { shown: ['metrics.loss'], pinned: 0 });
    show(store(), {}, memory);
    await waitFor(() => expect(headings()).toEqual(['loss']));
  });
});
