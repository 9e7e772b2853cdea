import {
  act,
  fireEvent,
  render,
  screen,
  waitFor
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import { screenProps } from '../../../testing/fakeClient';
import { giveSizes } from '../../../testing/liveScreen';
import { LogViewer } from '../logViewer';

beforeAll(giveSizes);

const GROUP = '/aws/sagemaker/TrainingJobs';
const EVERY = 1000;

/** The viewer over streams of so many lines, of which every thousandth is an error. */
function showLog(
  log: { total: number },
  options: { streams?: string[]; growing?: boolean } = {}
) {
  const props = screenProps({
    'logs:DescribeLogStreams': () => {
      const streams = options.streams ?? ['churn/algo-1'];
      if (streams.length === 0) {
        throw new BottegaError('ResourceNotFoundException', 'No group.', 400);
      }
      return { logStreams: streams.map(logStreamName => ({ logStreamName })) };
    },
    'bottega:ReadLogLines': request => {
      const { FirstLine: first, MaxLines: count = 500 } = request;
      const start = first ?? Math.max(0, log.total - count);
      const length = Math.max(0, Math.min(count, log.total - start));
      return {
        TotalLines: log.total,
        Lines: Array.from({ length }, (_, index) => ({
          Number: start + index,
          Time: 0,
          Message: `${(start + index) % EVERY === 0 ? 'ERROR' : 'step'} ${start + index} of ${request.LogStreamName}`
        }))
      };
    },
    'bottega:FindLogLines': ({ Text: text, FirstLine: first = 0 }) => {
      const lines: number[] = [];
      for (let line = 0; line < log.total; line += EVERY) {
        if (line >= first && text === 'error') {
          lines.push(line);
        }
      }
      return { Lines: lines, TotalLines: log.total, Complete: true };
    }
  });
  const shown = render(
    <LogViewer
      {...props}
      group={GROUP}
      prefix="churn/"
      growing={options.growing ?? false}
    />
  );
  return { ...props, ...shown };
}

/** The numbers of the lines that are drawn. */
function drawn(container: HTMLElement): number[] {
  return [...container.querySelectorAll<HTMLElement>('[data-line]')].map(line =>
    Number(line.dataset['line'])
  );
}

async function scroller(): Promise<HTMLElement> {
  return screen.findByRole('group', { name: /^Lines of/ });
}

it('shows the end of a million lines, and few of them at once', async () => {
  const { container } = showLog({ total: 1_000_000 });
  expect(await screen.findByText(/step 999999 of/)).toBeTruthy();
  expect(screen.getByText('1,000,000 lines')).toBeTruthy();
  expect(drawn(container).length).toBeLessThan(60);
  expect((await axe(container)).violations).toEqual([]);
});

it('stops following when one scrolls up, and goes on at the end', async () => {
  const log = { total: 1_000_000 };
  const { container } = showLog(log);
  await screen.findByText(/step 999999 of/);
  const view = await scroller();
  expect(view.dataset['follow']).toBe('true');
  view.scrollTop = 0;
  fireEvent.scroll(view);
  expect(await screen.findByText(/ERROR 0 of/)).toBeTruthy();
  expect(view.dataset['follow']).toBe('false');
  expect(drawn(container)[0]).toBe(0);
  await userEvent.click(screen.getByRole('checkbox', { name: 'Follow' }));
  expect(await screen.findByText(/step 999999 of/)).toBeTruthy();
  expect(view.dataset['follow']).toBe('true');
});

it('leads to a line again when it is asked for again', async () => {
  const shown = showLog({ total: 10_000 });
  const lead = (asked: string): void =>
    shown.rerender(
      <LogViewer
        {...shown}
        group={GROUP}
        prefix="churn/"
        growing={false}
        place={{ stream: 'churn/algo-1', line: 2000, asked }}
      />
    );
  lead('first');
  expect(await screen.findByText(/ERROR 2000 of/)).toBeTruthy();
  const view = await scroller();
  view.scrollTop = 0;
  fireEvent.scroll(view);
  expect(await screen.findByText(/ERROR 0 of/)).toBeTruthy();
  expect(drawn(shown.container)).not.toContain(2000);
  lead('again');
  expect(await screen.findByText(/ERROR 2000 of/)).toBeTruthy();
});

it('follows a log that grows', async () => {
  const log = { total: 20 };
  showLog(log, { growing: true });
  await screen.findByText(/step 19 of/);
  log.total = 5000;
  expect(
    await screen.findByText(/step 4999 of/, undefined, { timeout: 5000 })
  ).toBeTruthy();
});

it('jumps from match to match', async () => {
  const { container } = showLog({ total: 1_000_000 });
  await screen.findByText(/step 999999 of/);
  await userEvent.type(screen.getByRole('searchbox'), 'error');
  expect(await screen.findByText('1 of 1,000')).toBeTruthy();
  expect(drawn(container)).toContain(0);
  await userEvent.click(screen.getByRole('button', { name: 'Next match' }));
  expect(await screen.findByText('2 of 1,000')).toBeTruthy();
  expect(drawn(container)).toContain(1000);
  expect(await screen.findByText('ERROR')).toHaveProperty('tagName', 'MARK');
  await userEvent.click(screen.getByRole('button', { name: 'Previous match' }));
  await userEvent.click(screen.getByRole('button', { name: 'Previous match' }));
  expect(await screen.findByText('1,000 of 1,000')).toBeTruthy();
  expect(drawn(container)).toContain(999_000);
  expect(screen.getAllByRole('img', { name: 'Error' })).toHaveLength(1);
});

it('offers the streams of several hosts', async () => {
  showLog({ total: 3 }, { streams: ['churn/algo-1', 'churn/algo-2'] });
  await screen.findByText(/step 2 of churn\/algo-1/);
  await userEvent.selectOptions(
    screen.getByRole('combobox', { name: 'Stream' }),
    'algo-2'
  );
  expect(await screen.findByText(/step 2 of churn\/algo-2/)).toBeTruthy();
});

it('hides times and wraps lines', async () => {
  const { container } = showLog({ total: 3 });
  await screen.findByText(/step 2 of/);
  expect(container.querySelector('.jp-BottegaLog-time')).toBeTruthy();
  await userEvent.click(screen.getByRole('checkbox', { name: 'Times' }));
  expect(container.querySelector('.jp-BottegaLog-time')).toBeNull();
  await userEvent.click(screen.getByRole('checkbox', { name: 'Wrap' }));
  expect((await scroller()).className).toContain('jp-mod-wrap');
});

it('says that nothing was written', async () => {
  showLog({ total: 0 }, { streams: [] });
  expect(await screen.findByText('Nothing was written.')).toBeTruthy();
});

it('reads nothing while it is hidden', async () => {
  const { client, frame } = showLog({ total: 5 }, { growing: true });
  await screen.findByText(/step 4 of/);
  act(() => frame.show(false));
  const before = client.calls.length;
  act(() => client.events.happen({ Kind: 'TrainingJob' }));
  expect(client.calls).toHaveLength(before);
  act(() => frame.show(true));
  await waitFor(() => expect(client.calls.length).toBeGreaterThan(before));
});

it('shows every stream of a group where there is no prefix', async () => {
  const props = screenProps({
    'logs:DescribeLogStreams': ({ logStreamNamePrefix: prefix }) => {
      if (prefix === '') {
        throw new BottegaError('InvalidParameterException', 'too short', 400);
      }
      return { logStreams: [{ logStreamName: 'v/i-1' }] };
    },
    'bottega:ReadLogLines': () => ({
      TotalLines: 1,
      Lines: [{ Number: 0, Time: 0, Message: 'it listens' }]
    })
  });
  render(<LogViewer {...props} group={GROUP} prefix="" growing={false} />);
  expect(await screen.findByText('it listens')).toBeTruthy();
});
