import { readWholeLog } from '../download';

/** A log of 12,000 lines whose answers hold 5,000 each. */
async function read(
  first: number | null,
  count: number
): Promise<{
  lines: Array<{ number: number; time: number; message: string }>;
  total: number;
}> {
  const start = first ?? 0;
  const length = Math.min(count, 12_000 - start);
  return {
    total: 12_000,
    lines: Array.from({ length }, (_, index) => ({
      number: start + index,
      time: 1,
      message: `line ${start + index}`
    }))
  };
}

/** A blob as text; the blobs of the tests' browser have no `text`. */
function textOf(blob: Blob): Promise<string> {
  return new Promise(resolve => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsText(blob);
  });
}

describe('the download of a log', () => {
  it('has every line, with its time', async () => {
    const parts: number[] = [];
    const content = await readWholeLog(
      read,
      new AbortController().signal,
      part => parts.push(part)
    );
    const lines = (await textOf(content)).trimEnd().split('\n');
    expect(lines).toHaveLength(12_000);
    expect(lines[11_999]).toBe('1970-01-01T00:00:01.000Z line 11999');
    expect(parts[parts.length - 1]).toBe(1);
    expect(parts).toHaveLength(3);
  });

  it('ends when it is given up', async () => {
    const abort = new AbortController();
    await expect(
      readWholeLog(read, abort.signal, () => abort.abort())
    ).rejects.toThrow();
  });
});
