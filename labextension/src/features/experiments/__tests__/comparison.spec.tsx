import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { Answers } from '../../../testing/fakeClient';
import { Comparison } from '../compare/comparison';
import { clickedRun } from '../compare/scatter';
import { readChoices } from '../useChoices';
import { aRun, described, renderScreen, search, valueOf } from './fixtures';

// Plotly draws on canvases, which the tests' browser has none of.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: async (node: HTMLElement, data: unknown) => {
    node.dataset['drawn'] = JSON.stringify(data);
    return node;
  },
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

const RUNS = [
  aRun('a', {
    Params: { depth: '3', seed: '1' },
    Metrics: { auc: 0.7 }
  }),
  aRun('b', {
    Params: { depth: '6', seed: '1' },
    Metrics: { auc: 0.9 }
  }),
  aRun('c', { Params: { depth: '6', seed: '1' }, Metrics: { auc: 0.8 } })
];

const ANSWERS: Answers = {
  'bottega:SearchRuns': search(RUNS),
  'bottega:GetRunMetrics': request => ({
    Courses: request.RunIds.map(id => ({
      RunId: id,
      Name: 'auc',
      Steps: [0, 1],
      Times: [0, 1],
      Values: [0.5, 0.7],
      Points: 2
    }))
  }),
  'bottega:DescribeRun': request =>
    described(
      RUNS.find(run => run.RunId === request.RunId) ?? aRun(request.RunId),
      { Environment: { numpy: request.RunId === 'a' ? '2.0' : '2.1' } }
    ),
  'bottega:GetParameterImportance': () => ({
    Importances: [
      { Param: 'depth', Importance: 0.75 },
      { Param: 'seed', Importance: 0.25 }
    ],
    Runs: 1234,
    Method: 'By correlation.'
  })
};

const filters: string[] = [];

function show(
  parameters: Record<string, string>,
  answers: Answers = ANSWERS
): ReturnType<typeof renderScreen> {
  filters.length = 0;
  return renderScreen(
    props => {
      const choices = readChoices(props.parameters);
      return (
        <Comparison
          {...props}
          query={{
            experiment: '7',
            filter: choices.filter,
            sortBy: choices.sortBy,
            descending: true
          }}
          columns={{ Metrics: ['auc'], Params: ['depth', 'seed'], Tags: [] }}
          objective={{ metric: 'auc', direction: 'higher' }}
          chosen={choices.chosen}
          tab={choices.tab}
          onTab={tab => props.frame.setParameters({ tab })}
          onFilter={filter => filters.push(filter)}
          onClose={() => props.frame.setParameters({ compare: 'closed' })}
        />
      );
    },
    answers,
    { name: '7', parameters }
  );
}

describe('curves', () => {
  it('are of the chosen runs, with a legend that opens them', async () => {
    const { client, container, studio } = show({ runs: 'b,a' });
    const legend = await screen.findByRole('button', { name: /run-b 0\.9/ });
    expect(client.requests('bottega:GetRunMetrics')[0]).toEqual({
      RunIds: ['b', 'a'],
      Metrics: ['auc']
    });
    await userEvent.hover(legend);
    expect(legend.dataset['highlighted']).toBe('true');
    await userEvent.click(legend);
    expect(studio.opened).toEqual(['runs/b']);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('are of the first runs of the grid while none is chosen', async () => {
    show({});
    expect(
      await screen.findByText(
        'No run is chosen: these are the first 3 runs of the grid.'
      )
    ).toBeTruthy();
  });

  it('keep axis and smoothing in the path', async () => {
    const { frame } = show({ smooth: '0.5' });
    await userEvent.selectOptions(await screen.findByLabelText('Over'), 'time');
    expect(frame.parameters['x']).toBe('time');
    expect(valueOf(screen.getByLabelText('Smoothing', { exact: false }))).toBe(
      '0.5'
    );
  });

  it('say when no run has the metric', async () => {
    show({}, { ...ANSWERS, 'bottega:GetRunMetrics': () => ({ Courses: [] }) });
    expect(await screen.findByText('None of these runs has auc.')).toBeTruthy();
  });
});

describe('parallel coordinates', () => {
  const context = jest.spyOn(HTMLCanvasElement.prototype, 'getContext');
  afterAll(() => context.mockRestore());

  it('say what they need where there is no WebGL, and lead on', async () => {
    context.mockReturnValue(null);
    const { frame } = show({ tab: 'parallel' });
    expect(await screen.findByText(/drawn with WebGL/)).toBeTruthy();
    await userEvent.click(screen.getByText('Show the scatter'));
    expect(frame.parameters['tab']).toBe('scatter');
  });

  it('are over the parameters in which the runs differ, and any others', async () => {
    // That there is a context is all that is asked of it.
    context.mockReturnValue({} as unknown as null);
    const { container, frame } = show({ tab: 'parallel', runs: 'a,b' });
    const chart = await screen.findByRole('img', {
      name: 'Parallel coordinates of 2 runs over depth, auc'
    });
    await waitFor(() =>
      expect(JSON.parse(chart.dataset['drawn'] ?? '[]')).toMatchObject([
        { dimensions: [{ label: 'depth' }, { label: 'auc' }] }
      ])
    );
    await userEvent.click(screen.getByText('Axes: 2'));
    await userEvent.click(screen.getByRole('checkbox', { name: /seed/ }));
    expect(frame.parameters['axes']).toBe(
      'params.depth,params.seed,metrics.auc'
    );
    expect((await axe(container)).violations).toEqual([]);
  });
});

describe('the scatter', () => {
  it('begins with a parameter in which the runs differ and the objective', async () => {
    const { container, frame } = show({ tab: 'scatter' });
    expect(valueOf(await screen.findByLabelText('Across'))).toBe(
      'params.depth'
    );
    expect(valueOf(screen.getByLabelText('Up'))).toBe('metrics.auc');
    await userEvent.selectOptions(
      screen.getByLabelText('Colour'),
      'params.seed'
    );
    expect(frame.parameters['colour']).toBe('params.seed');
    expect(
      screen.getByRole('img', { name: 'auc over depth of 3 runs' })
    ).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
  });

  it('knows which run was clicked', () => {
    expect(clickedRun({ points: [{ customdata: 'b' }] })).toBe('b');
    expect(clickedRun({})).toBeNull();
  });
});

describe('importance', () => {
  it('is over all runs that match the filter', async () => {
    const { client, container } = show({
      tab: 'importance',
      filter: 'metrics.auc > 0.1'
    });
    const row = await screen.findByRole('row', { name: /depth/ });
    expect(row.textContent).toContain('75 %');
    expect(screen.getByText(/1,234 runs/)).toBeTruthy();
    expect(screen.getByText('By correlation.')).toBeTruthy();
    expect(client.requests('bottega:GetParameterImportance')).toEqual([
      { ExperimentIds: ['7'], Filter: 'metrics.auc > 0.1', Metric: 'auc' }
    ]);
    expect((await axe(container)).violations).toEqual([]);
  });
});

describe('groups', () => {
  it('count the runs of each value and show only those', async () => {
    const { container, studio } = show({ tab: 'groups' });
    const row = await screen.findByRole('row', { name: /^6/ });
    expect(
      within(row)
        .getAllByRole('cell')
        .map(cell => cell.textContent)
    ).toEqual(['2', '0.9', 'run-b', 'Only these']);
    await userEvent.click(within(row).getByRole('link', { name: 'run-b' }));
    expect(studio.opened).toEqual(['runs/b']);
    await userEvent.click(within(row).getByRole('button'));
    expect(filters).toEqual(["params.depth = '6'"]);
    expect((await axe(container)).violations).toEqual([]);
  });
});

describe('the difference of two runs', () => {
  const names = (container: HTMLElement): Array<string | undefined> =>
    [...container.querySelectorAll('tr[data-differs] > th')].map(
      cell => cell.textContent ?? undefined
    );

  it('wants two', async () => {
    show({ tab: 'diff', runs: 'a' });
    expect(
      await screen.findByText(
        'Choose two runs in the grid to see how they differ.'
      )
    ).toBeTruthy();
  });

  it('shows what differs, then everything, of any two chosen ones', async () => {
    const { container } = show({ tab: 'diff', runs: 'a,b,c' });
    await waitFor(() =>
      expect(names(container)).toEqual(['depth', 'auc', 'numpy'])
    );
    await userEvent.click(screen.getByLabelText('Show what is the same too'));
    expect(names(container)).toEqual(['depth', 'seed', 'auc', 'numpy']);
    await userEvent.selectOptions(screen.getByLabelText('Left'), 'c');
    expect(
      await screen.findByRole('columnheader', { name: 'run-c' })
    ).toBeTruthy();
  });
});

describe('the comparison', () => {
  it('closes', async () => {
    const { frame } = show({});
    await userEvent.click(
      screen.getByRole('button', { name: 'Close the comparison' })
    );
    expect(frame.parameters['compare']).toBe('closed');
  });

  it('asks again when runs change, but lets an answer through first', async () => {
    let asked = 0;
    let answer: () => void = () => undefined;
    const { client } = show(
      { tab: 'importance' },
      {
        ...ANSWERS,
        'bottega:GetParameterImportance': () => {
          asked += 1;
          return new Promise(resolve => {
            answer = () =>
              resolve({ Importances: [], Runs: asked, Method: '' });
          });
        }
      }
    );
    await waitFor(() => expect(asked).toBe(1));
    client.events.happen({ Type: 'TrackingChanged', Name: '7' });
    client.events.happen({ Type: 'TrackingChanged', Name: '7' });
    answer();
    expect(
      await screen.findByText(/No parameter explains anything/)
    ).toBeTruthy();
    expect(asked).toBe(1);
    await waitFor(() => expect(asked).toBe(2), { timeout: 5000 });
  });
});
