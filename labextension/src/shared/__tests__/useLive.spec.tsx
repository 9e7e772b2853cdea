import { act, renderHook } from '@testing-library/react';

import { BottegaError } from '../../api/request';
import { FakeClient, FakeFrame } from '../../testing/fakeClient';
import { UNAVAILABLE_MS, useLive } from '../hooks/useLive';

const context = (): { client: FakeClient; frame: FakeFrame } => ({
  client: new FakeClient(),
  frame: new FakeFrame()
});

async function pass(milliseconds = 0): Promise<void> {
  await act(async () => {
    await jest.advanceTimersByTimeAsync(milliseconds);
  });
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('useLive', () => {
  it('loads, then shows the value', async () => {
    const live = context();
    const { result } = renderHook(() => useLive(live, async () => 7, []));
    expect(result.current).toEqual({ state: 'loading' });
    await pass();
    expect(result.current).toMatchObject({ state: 'ready', value: 7 });
  });

  it('asks again by itself where the server is only not ready yet', async () => {
    const live = context();
    const answers = [503, 400].map(
      status => new BottegaError('Code', 'Not now.', status)
    );
    const { result } = renderHook(() =>
      useLive(live, async () => {
        const error = answers.shift();
        if (error) {
          throw error;
        }
        return 7;
      }, [])
    );
    await pass();
    expect(result.current).toMatchObject({ state: 'error' });
    await pass(UNAVAILABLE_MS);
    expect(answers).toEqual([]);
    // What is refused stays refused.
    await pass(10 * UNAVAILABLE_MS);
    expect(result.current).toMatchObject({ state: 'error' });
  });

  it('reads again when an event concerns it, once for many', async () => {
    const live = context();
    let count = 0;
    renderHook(() =>
      useLive(live, async () => (count += 1), [], {
        concerns: event => event.Name === 'a'
      })
    );
    await pass();
    live.client.events.happen({ Name: 'b' });
    await pass(1000);
    expect(count).toBe(1);
    live.client.events.happen({ Name: 'a' }, { Name: 'a' });
    live.client.events.happen({ Name: 'a' });
    await pass(1000);
    expect(count).toBe(2);
    live.client.events.lose();
    await pass(1000);
    expect(count).toBe(3);
  });

  it('reads nothing while it is hidden, and catches up when it is shown', async () => {
    const live = context();
    let count = 0;
    renderHook(() =>
      useLive(live, async () => (count += 1), [], {
        concerns: () => true,
        every: 1000
      })
    );
    await pass();
    live.frame.show(false);
    live.client.events.happen({ Name: 'a' });
    await pass(60_000);
    expect(count).toBe(1);
    live.frame.show(true);
    await pass();
    expect(count).toBe(2);
  });

  it('shows each answer where events come faster than answers', async () => {
    const live = context();
    let count = 0;
    const { result } = renderHook(() =>
      useLive(
        live,
        () =>
          new Promise<number>(resolve => {
            count += 1;
            setTimeout(resolve, 1000, count);
          }),
        [],
        { concerns: () => true }
      )
    );
    for (let turn = 0; turn < 9; turn += 1) {
      live.client.events.happen({});
      await pass(250);
    }
    expect(result.current).toMatchObject({ state: 'ready', value: 2 });
    await pass(2000);
    expect(result.current).toMatchObject({ state: 'ready', value: 4 });
    expect(count).toBe(4);
  });

  it('keeps the value it has when a later read fails, and says so', async () => {
    const live = context();
    let fail = false;
    const { result } = renderHook(() =>
      useLive(
        live,
        async () => {
          if (fail) {
            throw new Error('gone');
          }
          return 7;
        },
        [],
        { concerns: () => true }
      )
    );
    await pass();
    fail = true;
    live.client.events.happen({});
    await pass(1000);
    expect(result.current).toMatchObject({ state: 'ready', value: 7 });
    expect(
      result.current.state === 'ready' && result.current.problem?.message
    ).toBe('gone');
  });

  it('shows the error of a first read, and retries', async () => {
    const live = context();
    let fail = true;
    const { result } = renderHook(() =>
      useLive(live, async () => {
        if (fail) {
          throw new Error('no');
        }
        return 'yes';
      }, [])
    );
    await pass();
    expect(result.current.state).toBe('error');
    fail = false;
    act(() => {
      if (result.current.state === 'error') {
        result.current.retry();
      }
    });
    await pass();
    expect(result.current).toMatchObject({ state: 'ready', value: 'yes' });
  });

  it('forgets the value and the request of another name', async () => {
    const live = context();
    const aborted: string[] = [];
    const waiting = new Map<string, (value: string) => void>();
    const { result, rerender } = renderHook(
      ({ name }) =>
        useLive(
          live,
          signal =>
            new Promise<string>(resolve => {
              signal.addEventListener('abort', () => aborted.push(name));
              waiting.set(name, resolve);
            }),
          [name]
        ),
      { initialProps: { name: 'a' } }
    );
    rerender({ name: 'b' });
    expect(aborted).toEqual(['a']);
    waiting.get('b')?.('B');
    await pass();
    waiting.get('a')?.('A');
    await pass();
    expect(result.current).toMatchObject({ state: 'ready', value: 'B' });
  });
});
