import { Widget } from '@lumino/widgets';
import { act, screen } from '@testing-library/react';

import { FakeClient, FakeStudio, trans } from '../../../testing/fakeClient';
import { StatusItem } from '../statusItem';

const MOMENT_MS = 1000;
const HOUR_MS = 3_600_000;

/** Have the browser show another of its tabs, or this one again. */
function showPage(visible: boolean): void {
  Object.defineProperty(document, 'visibilityState', {
    configurable: true,
    value: visible ? 'visible' : 'hidden'
  });
  document.dispatchEvent(new Event('visibilitychange'));
}

const pass = (milliseconds: number): Promise<void> =>
  act(() => jest.advanceTimersByTimeAsync(milliseconds));

let item: StatusItem;

async function shown(): Promise<{
  client: FakeClient;
  running: { now: number };
}> {
  const running = { now: 1 };
  const client = new FakeClient({
    'bottega:DescribeActivity': () => ({
      ComputeSecondsToday: 5400,
      Kinds: [
        {
          Kind: 'TrainingJob',
          Total: 9,
          Statuses: { InProgress: running.now, Completed: 8 }
        },
        { Kind: 'TransformJob', Total: 1, Statuses: { Stopping: 1 } },
        { Kind: 'Endpoint', Total: 2, Statuses: { InService: 2 } }
      ]
    })
  });
  item = new StatusItem(new FakeStudio(), client, trans);
  Widget.attach(item, document.body);
  await pass(MOMENT_MS);
  return { client, running };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  act(() => Widget.detach(item));
  showPage(true);
  jest.useRealTimers();
});

it('says what runs, and what it has come to today', async () => {
  await shown();
  expect(screen.getByRole('button').textContent).toBe(
    '2 jobs running · 2 endpoints · today 1.5 h'
  );
});

it('asks nothing while the page is hidden, and catches up when it is shown', async () => {
  const { client, running } = await shown();
  const asked = (): number =>
    client.requests('bottega:DescribeActivity').length;
  expect(asked()).toBe(1);
  act(() => showPage(false));
  running.now = 3;
  client.events.happen({ Kind: 'TrainingJob', Name: 'churn' });
  await pass(HOUR_MS);
  expect(asked()).toBe(1);
  await act(async () => showPage(true));
  await pass(MOMENT_MS);
  expect(screen.getByRole('button').textContent).toMatch(/^4 jobs running/);
});
