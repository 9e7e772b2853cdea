import type { IRowPage } from '../table/windowedRows';
import { PAGE_ROWS, WindowedRows } from '../table/windowedRows';

/** A listing whose answers the test lets through one by one. */
class Listing {
  readonly asked: number[] = [];
  total = 10_000;
  generation = 0;
  waiting: Array<() => void> = [];
  held = false;
  problem: Error | null = null;

  read = async (offset: number, limit: number): Promise<IRowPage<string>> => {
    this.asked.push(offset);
    const { generation, total } = this;
    if (this.held) {
      await new Promise<void>(resolve => this.waiting.push(resolve));
    }
    if (this.problem) {
      throw this.problem;
    }
    const rows = Array.from(
      { length: Math.min(limit, total - offset) },
      (_, index) => `${generation}:${offset + index}`
    );
    return { rows, total };
  };
}

async function settled(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve));
}

describe('WindowedRows', () => {
  it('reads the pages that are looked at, each once', async () => {
    const listing = new Listing();
    const rows = new WindowedRows(listing.read);
    expect(rows.total).toBeNull();
    rows.want(0, 30);
    rows.want(0, 30);
    await settled();
    expect(listing.asked).toEqual([0]);
    expect(rows.total).toBe(10_000);
    expect(rows.row(7)).toBe('0:7');
    expect(rows.row(150)).toBeUndefined();
    rows.want(90, 210);
    await settled();
    expect(listing.asked).toEqual([0, 100, 200]);
    expect(rows.row(210)).toBe('0:210');
  });

  it('keeps old rows until the new ones are there', async () => {
    const listing = new Listing();
    const rows = new WindowedRows(listing.read);
    rows.want(0, 10);
    await settled();
    listing.generation = 1;
    listing.held = true;
    rows.refresh();
    expect(rows.row(3)).toBe('0:3');
    listing.waiting.forEach(go => go());
    await settled();
    expect(rows.row(3)).toBe('1:3');
  });

  it('takes the answer that is on its way, and reads again after it', async () => {
    const listing = new Listing();
    const rows = new WindowedRows(listing.read);
    listing.held = true;
    rows.want(0, 10);
    // Changes that come faster than answers must not keep them from coming.
    listing.generation = 1;
    rows.refresh();
    rows.refresh();
    expect(listing.asked).toEqual([0]);
    listing.waiting.shift()?.();
    await settled();
    expect(rows.row(0)).toBe('0:0');
    expect(listing.asked).toEqual([0, 0]);
    listing.waiting.shift()?.();
    await settled();
    expect(rows.row(0)).toBe('1:0');
    expect(listing.asked).toEqual([0, 0]);
  });

  it('gives up the pages that were scrolled past', async () => {
    const listing = new Listing();
    const signals: AbortSignal[] = [];
    const rows = new WindowedRows<string>((offset, limit, signal) => {
      signals.push(signal);
      return listing.read(offset, limit);
    });
    listing.held = true;
    rows.want(0, 10);
    rows.want(500, 510);
    expect(signals.map(signal => signal.aborted)).toEqual([true, false]);
    listing.waiting.forEach(go => go());
    await settled();
    expect(rows.row(0)).toBeUndefined();
    expect(rows.row(500)).toBe('0:500');
    listing.held = false;
    rows.want(0, 10);
    await settled();
    expect(rows.row(0)).toBe('0:0');
  });

  it('forgets what was not looked at for long, never what is on screen', async () => {
    const listing = new Listing();
    const rows = new WindowedRows(listing.read);
    for (let page = 0; page < 60; page += 1) {
      rows.want(page * PAGE_ROWS, page * PAGE_ROWS + 10);
      await settled();
    }
    expect(rows.row(0)).toBeUndefined();
    expect(rows.row(59 * PAGE_ROWS)).toBe(`0:${59 * PAGE_ROWS}`);
  });

  it('says why a page could not be read, and tries again', async () => {
    const listing = new Listing();
    const rows = new WindowedRows(listing.read);
    listing.problem = new Error('no disk');
    rows.want(0, 10);
    await settled();
    expect(rows.problem?.message).toBe('no disk');
    listing.problem = null;
    rows.refresh();
    await settled();
    expect(rows.problem).toBeNull();
    expect(rows.row(0)).toBe('0:0');
  });

  it('is silent once it is disposed', async () => {
    const listing = new Listing();
    const rows = new WindowedRows(listing.read);
    const heard = jest.fn();
    rows.changed.connect(heard);
    rows.want(0, 10);
    rows.dispose();
    await settled();
    expect(heard).not.toHaveBeenCalled();
  });
});
