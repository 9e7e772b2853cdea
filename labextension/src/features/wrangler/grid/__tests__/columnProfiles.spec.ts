import type { IProfileFlowRequest } from '../../../../api/types/wrangler';
import { BottegaError } from '../../../../api/request';
import { FakeClient } from '../../../../testing/fakeClient';
import { profile, until } from '../../__tests__/fixtures';
import { ColumnProfiles } from '../columnProfiles';

const TABLE = {
  Flow: '{}',
  Folder: '/data',
  Trusted: true,
  NodeId: 'a',
  OutputName: 'default',
  Compare: true
};

function profilesOf(): { profiles: ColumnProfiles; client: FakeClient } {
  const client = new FakeClient({
    'bottega:ProfileFlow': request => ({
      Rows: 9,
      Scope: 'whole',
      Profiles: (request.Columns ?? [])
        .filter(name => name !== 'gone')
        .map(name => profile(name))
    })
  });
  return { profiles: new ColumnProfiles(client), client };
}

const asked = (client: FakeClient): Array<IProfileFlowRequest['Columns']> =>
  client.requests('bottega:ProfileFlow').map(request => request.Columns);

it('asks for what is in sight when scrolling rests, and for nothing twice', async () => {
  const { profiles, client } = profilesOf();
  profiles.setTable(TABLE, true);
  profiles.want(['a', 'b']);
  profiles.want(['b', 'c']);
  await until(() => profiles.get('c') !== null);
  profiles.want(['b', 'c', 'd']);
  await until(() => profiles.get('d') !== null);
  expect(asked(client)).toEqual([['b', 'c'], ['d']]);
  expect(profiles.get('a')).toBeNull();
  expect(client.requests('bottega:ProfileFlow')[0]).toEqual({
    Flow: '{}',
    Folder: '/data',
    Trusted: true,
    NodeId: 'a',
    OutputName: 'default',
    Columns: ['b', 'c'],
    Whole: true
  });
});

it('keeps what was known until there is news of another table', async () => {
  const { profiles, client } = profilesOf();
  profiles.setTable(TABLE, false);
  profiles.want(['a']);
  await until(() => profiles.get('a') !== null);
  profiles.setTable({ ...TABLE, NodeId: 'b' }, false);
  expect(profiles.get('a')).not.toBeNull();
  await until(() => asked(client).length === 2);
  profiles.setTable({ ...TABLE, NodeId: 'b' }, true);
  await until(() => asked(client).length === 3);
  expect(client.requests('bottega:ProfileFlow').at(-1)?.Whole).toBe(true);
});

it('asks only once for a column that the answer leaves out', async () => {
  const { profiles, client } = profilesOf();
  profiles.setTable(TABLE, true);
  profiles.want(['gone', 'a']);
  await until(() => profiles.get('a') !== null);
  profiles.want(['gone', 'b']);
  await until(() => profiles.get('b') !== null);
  expect(asked(client)).toEqual([['gone', 'a'], ['b']]);
});

it('says what it could not learn, and asks again when it is told to', async () => {
  let works = false;
  const client = new FakeClient({
    'bottega:ProfileFlow': request => {
      if (!works) {
        throw new BottegaError('ValidationException', 'No memory.', 400);
      }
      return {
        Rows: 1,
        Scope: 'whole',
        Profiles: (request.Columns ?? []).map(name => profile(name))
      };
    }
  });
  const profiles = new ColumnProfiles(client);
  profiles.setTable(TABLE, true);
  profiles.want(['a']);
  await until(() => profiles.problem !== null);
  expect(profiles.problem?.message).toBe('No memory.');
  works = true;
  profiles.retry();
  await until(() => profiles.get('a') !== null);
  expect(profiles.problem).toBeNull();
});
