import { LogSearch, MATCHES } from '../logSearch';

/** Finds in a log whose every n-th line matches. */
class FakeFinder {
  constructor(
    public total: number,
    readonly every: number
  ) {}

  readonly starts: number[] = [];

  find = async (
    _text: string,
    first: number,
    limit: number
  ): Promise<{ lines: number[]; complete: boolean }> => {
    this.starts.push(first);
    const lines: number[] = [];
    let line = Math.ceil(first / this.every) * this.every;
    for (; line < this.total && lines.length < limit; line += this.every) {
      lines.push(line);
    }
    return { lines, complete: line >= this.total };
  };
}

describe('the search in a log', () => {
  it('jumps from match to match, and around', async () => {
    const finder = new FakeFinder(1000, 250);
    const search = new LogSearch(finder.find);
    await search.setText('loss', 1000);
    expect(search.matches).toEqual([0, 250, 500, 750]);
    expect(search.complete).toBe(true);
    expect(await search.after(250, 1000)).toBe(500);
    expect(await search.after(750, 1000)).toBe(0);
    expect(search.before(250)).toBe(0);
    expect(search.before(0)).toBe(750);
  });

  it('reads further matches of a long log when it comes to them', async () => {
    const finder = new FakeFinder(1_000_000, 10);
    const search = new LogSearch(finder.find);
    await search.setText('loss', 1_000_000);
    expect(search.matches).toHaveLength(MATCHES);
    expect(search.complete).toBe(false);
    const last = search.matches[MATCHES - 1] ?? 0;
    expect(await search.after(last, 1_000_000)).toBe(last + 10);
    expect(finder.starts).toEqual([0, last + 1]);
  });

  it('looks through what a log has grown by, once', async () => {
    const finder = new FakeFinder(100, 50);
    const search = new LogSearch(finder.find);
    await search.setText('loss', 90); // ten lines came while it was looked through
    finder.total = 201;
    await search.extend(201);
    expect(search.matches).toEqual([0, 50, 100, 150, 200]);
    await search.extend(201);
    expect(finder.starts).toEqual([0, 90]);
  });

  it('forgets the answer to a text that was changed meanwhile', async () => {
    const search = new LogSearch(async text =>
      text === 'slow'
        ? { lines: [1], complete: true }
        : { lines: [2], complete: true }
    );
    const slow = search.setText('slow', 10);
    await search.setText('fast', 10);
    await slow;
    expect(search.matches).toEqual([2]);
    await search.setText('', 10);
    expect(search.matches).toEqual([]);
    expect(search.before(5)).toBeNull();
  });

  it('says why nothing was found', async () => {
    const search = new LogSearch(() => Promise.reject(new Error('too long')));
    await search.setText('x', 10);
    expect(search.problem?.message).toBe('too long');
    expect(search.busy).toBe(false);
  });
});
