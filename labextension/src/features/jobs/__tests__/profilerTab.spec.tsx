import {
  act,
  fireEvent,
  render,
  screen,
  waitFor
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

// Canvases first: what draws looks for them when it is imported.
import type { RecordedContext } from '../../../testing/canvas';
import '../../../testing/canvas';
import { BottegaError } from '../../../api/request';
import type { Answers } from '../../../testing/fakeClient';
import { screenProps } from '../../../testing/fakeClient';
import type { IJobViewProps } from '../jobView';
import { ProfilerTab } from '../profiler/profilerTab';
import { timelineOf } from './debuggerExamples';
import { job, NOON, runningJob } from './examples';

type Listener = (change: unknown) => void;
let relayout: Listener = () => undefined;
const ranges: unknown[] = [];

// Plotly draws on canvases, which the tests' browser has none of.
jest.mock('plotly.js-gl2d-dist-min', () => ({
  react: (
    node: HTMLElement & { on?: unknown },
    _: unknown,
    layout: { xaxis: { range: unknown } }
  ) => {
    ranges.push(layout.xaxis.range);
    node.on = (event: string, listener: Listener) => {
      if (event === 'plotly_relayout') {
        relayout = listener;
      }
    };
    return Promise.resolve(node);
  },
  purge: () => undefined,
  Plots: { resize: () => undefined }
}));

const LINE = { Number: 4, Time: NOON + 24, Message: '[4] train-auc:0.81' };

const ANSWERS: Answers = {
  'bottega:GetTrainingJobTimeline': () => timelineOf(),
  'bottega:ReadLogLines': () => ({
    Lines: [{ ...LINE, Number: 3, Message: '[3]' }, LINE],
    TotalLines: 9,
    LineAtTime: 4
  })
};

function tab(
  answers: Answers = {},
  described = job({ ProfilingStatus: 'Enabled' })
): ReturnType<typeof screenProps> & IJobViewProps {
  return { ...screenProps({ ...ANSWERS, ...answers }), job: described };
}

beforeEach(() => (ranges.length = 0));

it('shows what was at the moment that the keys lead to, and its line of the log', async () => {
  const props = tab();
  const { container } = render(<ProfilerTab {...props} />);
  const moment = await screen.findByRole('slider', {
    name: 'Moment in the timeline'
  });
  expect(screen.getByText(/Point at a moment/)).toBeTruthy();
  moment.focus();
  // 20 times 2 % of a minute: 24 seconds.
  await userEvent.keyboard('{ArrowRight>20/}');
  expect(moment.getAttribute('aria-valuetext')).toBe(
    '24.0 s after the beginning'
  );
  const phases = screen.getByRole('list', { name: 'Phases' });
  expect(phases.textContent).toBe(
    'Step TRAIN 100 phases in 10.0 s, busy for 80 % of it · step 1'
  );
  expect(
    screen.getByRole('list', { name: 'Use of the machine' }).textContent
  ).toMatch(/CPU 90 %/);
  expect(
    screen.getByRole('list', { name: 'Findings at the moment' }).textContent
  ).toBe('StepOutlier A step took 10 s.');
  const line = await screen.findByText(LINE.Message);
  expect(line.closest('li')?.getAttribute('aria-current')).toBe('true');
  await waitFor(() => {
    const asked = props.client.requests('bottega:ReadLogLines').pop();
    expect(asked?.AroundTime).toBeCloseTo(NOON + 24);
  });
  expect((await axe(container)).violations).toEqual([]);
});

it('reads a part anew when it is looked at, and everything again', async () => {
  const props = tab();
  render(<ProfilerTab {...props} />);
  await waitFor(() => expect(ranges).toContainEqual([0, 60]));
  act(() => relayout({ 'xaxis.range[0]': 15, 'xaxis.range[1]': 30 }));
  await waitFor(() => expect(ranges).toContainEqual([15, 30]));
  await waitFor(() =>
    expect(
      props.client.requests('bottega:GetTrainingJobTimeline').pop()
    ).toMatchObject({ From: NOON + 15, To: NOON + 30 })
  );
  const slider = screen.getByRole('slider', { name: 'Moment in the timeline' });
  fireEvent.wheel(slider, { deltaY: -200, ctrlKey: true });
  await waitFor(() => {
    const [from, to] = ranges[ranges.length - 1] as [number, number];
    expect(to - from).toBeLessThan(15);
  });
  await userEvent.click(screen.getByRole('button', { name: 'Show all' }));
  await waitFor(() =>
    expect(
      props.client.requests('bottega:GetTrainingJobTimeline').pop()
    ).not.toHaveProperty('From')
  );
});

it('draws the phases in sight, paler where they are bundled', async () => {
  Object.defineProperty(HTMLCanvasElement.prototype, 'offsetWidth', {
    configurable: true,
    get: () => 600
  });
  const { container } = render(<ProfilerTab {...tab()} />);
  await screen.findByRole('list', { name: 'Lanes of phases' });
  const canvas = container.querySelector('canvas');
  const context = canvas?.getContext('2d') as unknown as RecordedContext;
  // Ten pixels a second: two phases of one lane, one of the other, and the mark of the finding.
  expect(context.boxes.map(box => [box.x, box.width])).toEqual([
    [10, 10],
    [200, 100],
    [5, 2.5],
    [200, 100]
  ]);
  context.boxes.length = 0;
  act(() => relayout({ 'xaxis.range[0]': 15, 'xaxis.range[1]': 45 }));
  await waitFor(() =>
    expect(context.boxes.slice(0, 2).map(box => [box.x, box.width])).toEqual([
      [100, 200],
      [100, 200]
    ])
  );
});

it('keeps what is drawn while another part is read', async () => {
  let answer: () => void = () => undefined;
  const props = tab({
    'bottega:GetTrainingJobTimeline': ({ From }) =>
      From === undefined
        ? timelineOf()
        : new Promise(resolve => (answer = () => resolve(timelineOf())))
  });
  render(<ProfilerTab {...props} />);
  await screen.findByRole('slider');
  await userEvent.click(screen.getByRole('button', { name: 'Zoom in' }));
  await waitFor(() =>
    expect(
      props.client.requests('bottega:GetTrainingJobTimeline')
    ).toHaveLength(2)
  );
  expect(screen.getByRole('slider')).toBeTruthy();
  await act(async () => answer());
});

it('says when there is nothing, and when it cannot be read', async () => {
  const empty = timelineOf({ Hosts: [], Lanes: [], EventCount: 0 });
  delete empty.Begin;
  const { unmount } = render(
    <ProfilerTab {...tab({ 'bottega:GetTrainingJobTimeline': () => empty })} />
  );
  expect(await screen.findByText(/Nothing was measured/)).toBeTruthy();
  unmount();
  const broken = tab({
    'bottega:GetTrainingJobTimeline': () => {
      throw new BottegaError('InternalFailure', 'The disk is gone.', 500);
    }
  });
  render(<ProfilerTab {...broken} />);
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /The disk is gone/
  );
});

describe('profiling', () => {
  it('is switched while the job runs', async () => {
    const props = tab(
      { 'sagemaker:UpdateTrainingJob': () => ({ TrainingJobArn: 'arn' }) },
      runningJob({ ProfilingStatus: 'Disabled' })
    );
    render(<ProfilerTab {...props} />);
    expect(screen.getByText('Profiling is off')).toBeTruthy();
    await userEvent.click(
      screen.getByRole('button', { name: 'Switch profiling on' })
    );
    expect(props.client.requests('sagemaker:UpdateTrainingJob')).toEqual([
      {
        TrainingJobName: 'churn-0412',
        ProfilerConfig: { DisableProfiler: false, S3OutputPath: 's3://b/out/' }
      }
    ]);
  });

  it('says why it could not be switched', async () => {
    const props = tab(
      {
        'sagemaker:UpdateTrainingJob': () => {
          throw new BottegaError('ValidationException', 'It has ended.', 400);
        }
      },
      runningJob({ ProfilingStatus: 'Enabled' })
    );
    render(<ProfilerTab {...props} />);
    await userEvent.click(
      screen.getByRole('button', { name: 'Switch profiling off' })
    );
    expect((await screen.findByRole('alert')).textContent).toMatch(
      /It has ended/
    );
    expect(
      props.client.requests('sagemaker:UpdateTrainingJob')[0]
    ).toMatchObject({ ProfilerConfig: { DisableProfiler: true } });
  });

  it('of a job that has ended can only be looked at', () => {
    render(<ProfilerTab {...tab()} />);
    expect(screen.getByText('Profiling is on')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /Switch/ })).toBeNull();
  });
});
