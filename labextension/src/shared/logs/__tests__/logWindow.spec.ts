import type { ILogLine } from '../logWindow';
import { KEPT_PAGES, LogWindow, PAGE_LINES } from '../logWindow';

/** A log on a server, of as many lines as one likes. */
class FakeLog {
  constructor(public total: number) {}

  /** The most lines that one answer holds. */
  most = Infinity;
  broken: Error | null = null;
  readonly requests: Array<{ first: number | null; count: number }> = [];

  read = async (
    first: number | null,
    count: number
  ): Promise<{ lines: ILogLine[]; total: number }> => {
    this.requests.push({ first, count });
    if (this.broken) {
      throw this.broken;
    }
    const start = first ?? Math.max(0, this.total - count);
    const end = Math.min(this.total, start + Math.min(count, this.most));
    const lines: ILogLine[] = [];
    for (let number = start; number < end; number += 1) {
      lines.push({ number, time: number / 10, message: `line ${number}` });
    }
    return { lines, total: this.total };
  };
}

/** Let what was begun come to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    await Promise.resolve();
  }
}

describe('the window on a log', () => {
  it('knows the end after the first look', async () => {
    const log = new FakeLog(1_000_000);
    const window = new LogWindow(log.read);
    expect(window.total).toBeNull();
    await window.poll();
    expect(window.total).toBe(1_000_000);
    window.want(999_950, 999_999);
    expect(window.line(999_999)?.message).toBe('line 999999');
    expect(log.requests).toHaveLength(1);
  });

  it('stays bounded while all of a million lines are scrolled through', async () => {
    const log = new FakeLog(1_000_000);
    const window = new LogWindow(log.read);
    await window.poll();
    let most = 0;
    for (let line = 0; line < 1_000_000; line += PAGE_LINES) {
      window.want(line, Math.min(999_999, line + 40));
      await settled();
      expect(window.line(line)?.message).toBe(`line ${line}`);
      most = Math.max(most, window.held);
    }
    expect(most).toBeLessThanOrEqual((KEPT_PAGES + 1) * PAGE_LINES);
    window.want(0, 40);
    expect(window.line(0)).toBeUndefined();
    await settled();
    expect(window.line(0)?.message).toBe('line 0');
  });

  it('fills up the last page of a log that grows', async () => {
    const log = new FakeLog(10);
    const window = new LogWindow(log.read);
    await window.poll();
    window.want(0, 9);
    log.total = 30;
    await window.poll();
    expect(window.total).toBe(30);
    window.want(0, 29);
    await settled();
    expect(window.line(29)?.message).toBe('line 29');
    // Only what is new was read.
    expect(log.requests[1]).toEqual({ first: 10, count: PAGE_LINES });
    expect(log.requests).toHaveLength(2);
  });

  it('goes on where an answer was too short', async () => {
    const log = new FakeLog(PAGE_LINES * 4);
    log.most = 200;
    const window = new LogWindow(log.read);
    await window.poll();
    window.want(0, PAGE_LINES - 1);
    await settled();
    expect(window.line(0)?.message).toBe('line 0');
    expect(window.line(PAGE_LINES - 1)?.message).toBe(`line ${PAGE_LINES - 1}`);
  });

  it('forgets the lines of a log that was begun anew', async () => {
    const log = new FakeLog(600);
    const window = new LogWindow(log.read);
    await window.poll();
    window.want(0, 40);
    await settled();
    log.total = 3;
    await window.poll();
    await settled();
    expect(window.total).toBe(3);
    expect(window.line(599)).toBeUndefined();
    expect(window.line(2)?.message).toBe('line 2');
  });

  it('keeps what it has when reading fails, and recovers', async () => {
    const log = new FakeLog(20);
    const window = new LogWindow(log.read);
    await window.poll();
    log.broken = new Error('no route');
    await window.poll();
    expect(window.problem?.message).toBe('no route');
    expect(window.line(19)?.message).toBe('line 19');
    log.broken = null;
    await window.poll();
    expect(window.problem).toBeNull();
  });

  it('says nothing more once it is disposed of', async () => {
    const log = new FakeLog(20);
    const window = new LogWindow(log.read);
    const changed = jest.fn();
    window.changed.connect(changed);
    const polled = window.poll();
    window.dispose();
    await polled;
    expect(changed).not.toHaveBeenCalled();
  });
});
