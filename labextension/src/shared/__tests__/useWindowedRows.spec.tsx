import { act, renderHook, waitFor } from '@testing-library/react';

import { BottegaError } from '../../api/request';
import { FakeClient, FakeFrame } from '../../testing/fakeClient';
import { UNAVAILABLE_MS } from '../hooks/useLive';
import { useWindowedRows } from '../table/useWindowedRows';
import type { IRowPage } from '../table/windowedRows';

/** Reads that are answered when the test says so. */
function slowReads(): {
  read: (filter: string) => () => Promise<IRowPage<string>>;
  answer: (filter: string) => Promise<void>;
  asked: string[];
} {
  const waiting = new Map<string, (page: IRowPage<string>) => void>();
  const asked: string[] = [];
  return {
    asked,
    read: filter => () => {
      asked.push(filter);
      return new Promise(resolve => waiting.set(filter, resolve));
    },
    answer: filter =>
      act(async () => waiting.get(filter)?.({ rows: [filter], total: 1 }))
  };
}

describe('useWindowedRows', () => {
  it('keeps the old rows until the first answer about the new ones', async () => {
    const context = { client: new FakeClient(), frame: new FakeFrame() };
    const reads = slowReads();
    const { result, rerender } = renderHook(
      ({ filter }) =>
        useWindowedRows(context, reads.read(filter), [filter], () => false),
      { initialProps: { filter: 'old' } }
    );
    await reads.answer('old');
    expect(result.current.row(0)).toBe('old');

    rerender({ filter: 'new' });
    expect(result.current.row(0)).toBe('old');
    await reads.answer('new');
    await waitFor(() => expect(result.current.row(0)).toBe('new'));
  });

  it('lets go of an answer that is not wanted any more', async () => {
    const context = { client: new FakeClient(), frame: new FakeFrame() };
    const reads = slowReads();
    const { result, rerender } = renderHook(
      ({ filter }) =>
        useWindowedRows(context, reads.read(filter), [filter], () => false),
      { initialProps: { filter: 'old' } }
    );
    await reads.answer('old');
    rerender({ filter: 'overtaken' });
    rerender({ filter: 'last' });
    await reads.answer('last');
    await reads.answer('overtaken');
    expect(result.current.row(0)).toBe('last');
  });

  it('reads old rows by their own filter while newer ones are on their way', async () => {
    const context = { client: new FakeClient(), frame: new FakeFrame() };
    const reads = slowReads();
    const { result, rerender } = renderHook(
      ({ filter }) =>
        useWindowedRows(context, reads.read(filter), [filter], () => false),
      { initialProps: { filter: 'old' } }
    );
    await reads.answer('old');
    rerender({ filter: 'new' });
    reads.asked.length = 0;
    result.current.want(500, 500);
    expect(reads.asked).toEqual(['old']);
  });

  it('asks again by itself where the server is only not ready yet', async () => {
    jest.useFakeTimers();
    try {
      const context = { client: new FakeClient(), frame: new FakeFrame() };
      let ready = false;
      const { result } = renderHook(() =>
        useWindowedRows(
          context,
          async () => {
            if (!ready) {
              throw new BottegaError('ServiceUnavailable', 'Not now.', 503);
            }
            return { rows: ['there'], total: 1 };
          },
          [],
          () => false
        )
      );
      await act(() => jest.advanceTimersByTimeAsync(0));
      expect(result.current.problem?.message).toBe('Not now.');
      ready = true;
      await act(() => jest.advanceTimersByTimeAsync(UNAVAILABLE_MS));
      expect(result.current.row(0)).toBe('there');
    } finally {
      jest.useRealTimers();
    }
  });
});
