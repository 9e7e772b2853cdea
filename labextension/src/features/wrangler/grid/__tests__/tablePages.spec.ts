import type { IPreviewFlowRequest } from '../../../../api/types/wrangler';
import { BottegaError } from '../../../../api/request';
import { FakeClient } from '../../../../testing/fakeClient';
import { given, Held, page, until } from '../../__tests__/fixtures';
import { TablePages } from '../tablePages';

const TABLE = {
  Flow: '{}',
  Folder: '/data',
  Trusted: true,
  NodeId: 'a',
  OutputName: 'default',
  Compare: false
};

function pagesOf(
  answer: (request: IPreviewFlowRequest) => ReturnType<typeof page>,
  at = 0
): { pages: TablePages; client: FakeClient } {
  const client = new FakeClient({ 'bottega:PreviewFlow': answer });
  return { pages: new TablePages(client, TABLE, at), client };
}

const offsets = (client: FakeClient): Array<number | undefined> =>
  client.requests('bottega:PreviewFlow').map(request => request.Offset);

it('reads what is looked at, and the page behind it in advance', async () => {
  const { pages, client } = pagesOf(request => page(request, 10_000_000));
  await until(() => pages.facts !== null);
  expect(pages.facts).toMatchObject({ total: 10_000_000, sampleRows: null });
  expect(pages.rowCount).toBe(10_000_000);
  expect(pages.row(7)?.cells).toEqual([7, 'city 7']);
  pages.want(9_000_050, 9_000_080);
  expect(pages.row(9_000_050)).toBeUndefined();
  await until(() => pages.row(9_000_150) !== undefined);
  expect(pages.row(9_000_080)?.cells[0]).toBe(9_000_080);
  expect(offsets(client)).toEqual([0, 100, 9_000_000, 9_000_100]);
});

it('leaves what was scrolled past', async () => {
  const held = new Held<'bottega:PreviewFlow'>();
  const { pages, client } = pagesOf(held.answer as never);
  held.give(0, page({ ...TABLE, Offset: 0, Limit: 100 }, 1_000_000));
  await until(() => pages.facts !== null);
  pages.want(500_000, 500_020);
  pages.want(900_000, 900_020);
  await until(() => offsets(client).includes(900_000));
  const index = offsets(client).indexOf(500_000);
  held.give(index, page({ ...TABLE, Offset: 500_000, Limit: 100 }, 1_000_000));
  await new Promise(resolve => setTimeout(resolve, 0));
  expect(pages.row(500_000)).toBeUndefined();
});

it('shows what comes of a sample, then of all, at the place that is looked at', async () => {
  const held = new Held<'bottega:PreviewFlow'>();
  const { pages } = pagesOf(request =>
    request.Whole
      ? (held.answer(request) as never)
      : page(request, 5000, { Scope: 'sample', SampleRows: 100_000 })
  );
  await until(() => pages.facts !== null);
  expect(pages.facts).toMatchObject({ total: 5000, sampleRows: 100_000 });
  expect(pages.isReadingWhole).toBe(true);
  pages.want(200, 230);
  await until(() => pages.row(210) !== undefined);
  held.give(
    0,
    page({ ...given(held.requests[0]), Offset: 0 }, 1_000_000, {
      Scope: 'whole'
    })
  );
  await until(() => !pages.isReadingWhole);
  expect(pages.facts).toMatchObject({ total: 1_000_000, sampleRows: null });
  await until(() => held.requests.length > 1);
  expect(held.requests[1]).toMatchObject({ Whole: true, Offset: 200 });
});

it('says why all cannot be read, keeps the sample, and tries again', async () => {
  let works = false;
  const { pages } = pagesOf(request => {
    if (request.Whole && !works) {
      throw new BottegaError('ValidationException', 'Row 7 is ragged.', 400);
    }
    return page(
      request,
      request.Whole ? 9000 : 500,
      request.Whole ? {} : { Scope: 'sample', SampleRows: 500 }
    );
  });
  await until(() => pages.wholeProblem !== null);
  expect(pages.wholeProblem?.message).toBe('Row 7 is ragged.');
  expect(pages.row(3)).toBeDefined();
  works = true;
  pages.retry();
  await until(() => pages.facts?.total === 9000);
  expect(pages.wholeProblem).toBeNull();
});

it('says why a table cannot be read, and reads it when it is asked again', async () => {
  let works = false;
  const { pages } = pagesOf(request => {
    if (!works) {
      throw new BottegaError('ValidationException', 'No such file.', 400);
    }
    return page(request, 3);
  });
  await until(() => pages.problem !== null);
  expect(pages.facts).toBeNull();
  works = true;
  pages.retry();
  await until(() => pages.facts !== null);
  expect(pages.problem).toBeNull();
  expect(pages.rowCount).toBe(3);
});

it('begins where one looks already', async () => {
  const { pages, client } = pagesOf(request => page(request, 10_000), 4321);
  await until(() => pages.facts !== null);
  expect(offsets(client)[0]).toBe(4300);
  expect(pages.row(4321)?.cells[0]).toBe(4321);
});

it('has fewer rows in the pages of a wide table', async () => {
  const wide = Array.from({ length: 1000 }, (_, index) => ({
    Name: `c${index}`,
    Type: 'long' as const
  }));
  const { pages, client } = pagesOf(request =>
    page(request, 10_000, { Columns: wide })
  );
  await until(() => pages.facts !== null);
  expect(pages.row(99)?.cells[0]).toBe(99);
  pages.want(5000, 5010);
  await until(() => pages.row(5010) !== undefined);
  expect(client.requests('bottega:PreviewFlow').at(-1)?.Limit).toBe(20);
});

it('grows while the length of a table is not known', async () => {
  const { pages } = pagesOf(request => {
    const { TotalRows, ...answer } = page(request, 250);
    expect(TotalRows).toBe(250);
    return answer;
  });
  await until(() => pages.facts !== null);
  pages.want(0, 20);
  await until(() => pages.row(199) !== undefined);
  pages.want(150, 199);
  await until(() => pages.row(249) !== undefined);
  expect(pages.facts?.total).toBeNull();
  expect(pages.rowCount).toBeGreaterThanOrEqual(250);
});

it('tells what changes, row by row', async () => {
  const { pages } = pagesOf(request =>
    page(request, 2, {
      RowChanges: ['changed', 'removed'],
      Before: [{ city: null }, {}] as unknown as Array<Record<string, unknown>>,
      Changes: {
        CellsChanged: 1,
        RowsAdded: 0,
        RowsRemoved: 1,
        ColumnsAdded: 0,
        ColumnsRemoved: 0
      }
    })
  );
  await until(() => pages.facts !== null);
  expect(pages.row(0)).toMatchObject({
    change: 'changed',
    before: { city: null }
  });
  expect(pages.row(1)).toMatchObject({ change: 'removed', before: null });
  expect(pages.facts?.changes?.CellsChanged).toBe(1);
});

it('tells in which columns something changes', async () => {
  const { pages } = pagesOf(request =>
    page(request, 2, {
      Columns: [
        { Name: 'id', Type: 'long' },
        { Name: 'city', Type: 'string' },
        { Name: 'town', Type: 'string', Change: 'added' },
        { Name: 'gone', Type: 'string', Change: 'removed' }
      ],
      Before: [{ city: null }, {}] as unknown as Array<Record<string, unknown>>
    })
  );
  await until(() => pages.facts !== null);
  expect(pages.changedColumns()).toEqual([1, 2]);
});

it('forgets pages that were not looked at for long', async () => {
  const { pages } = pagesOf(request => page(request, 100_000));
  await until(() => pages.facts !== null);
  for (let first = 0; first < 10_000; first += 100) {
    pages.want(first, first + 20);
    await until(() => pages.row(first) !== undefined);
  }
  expect(pages.row(0)).toBeUndefined();
  expect(pages.row(9900)).toBeDefined();
  pages.want(0, 20);
  await until(() => pages.row(0) !== undefined);
});
