import { ServerConnection } from '@jupyterlab/services';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import { StateDB } from '@jupyterlab/statedb';
import { Signal } from '@lumino/signaling';

import { FakeClient } from '../../../../testing/fakeClient';
import { flow, flowAnswers, raw } from '../../__tests__/fixtures';
import { StoredTrust } from '../../model/trust';
import { ContextStore } from '../contextStore';
import { KnownFlows } from '../knownFlows';
import { emptyFlow, flowOfFile, flowOfUri } from '../newFlow';

/** Files in memory, as the contents manager has them. */
class FakeContents {
  constructor(readonly files: Record<string, string> = {}) {}

  /** What every request is refused with. */
  refusal: number | null = null;

  get = (
    path: string,
    options?: Contents.IFetchOptions
  ): Promise<Contents.IModel> => {
    const text = this.files[path];
    if (text === undefined || this.refusal) {
      const status = this.refusal ?? 404;
      return Promise.reject(
        new ServerConnection.ResponseError({
          status,
          statusText: ''
        } as Response)
      );
    }
    return Promise.resolve({
      path,
      content: options?.content === true ? text : null
    } as Contents.IModel);
  };

  save = (
    path: string,
    model: Partial<Contents.IModel> = {}
  ): Promise<Contents.IModel> => {
    this.files[path] = String(model.content);
    return Promise.resolve({ path } as Contents.IModel);
  };

  newUntitled = (
    options?: Contents.ICreateOptions
  ): Promise<Contents.IModel> => {
    const path = `${options?.path ?? ''}/untitled${options?.ext ?? ''}`;
    this.files[path] = '';
    return Promise.resolve({ path } as Contents.IModel);
  };
}

function made(files: Record<string, string> = {}) {
  const contents = new FakeContents(files);
  const client = new FakeClient(flowAnswers());
  return { contents, client };
}

describe('a new flow', () => {
  it('lies beside its file and reads it', async () => {
    const { contents, client } = made();
    const path = await flowOfFile({ contents, client }, 'data/customers.csv');
    expect(path).toBe('data/customers.flow');
    expect(contents.files[path]).toContain('SOURCE');
    expect(client.requests('bottega:EditFlow')[0]?.Edit).toEqual({
      Kind: 'add_source',
      Source: { Kind: 'file', Uri: 'customers.csv' }
    });
  });

  it('is the one that is there, where that reads the file', async () => {
    const { contents, client } = made({
      'customers.flow': '{"path": "customers.csv"}'
    });
    expect(await flowOfFile({ contents, client }, 'customers.csv')).toBe(
      'customers.flow'
    );
    expect(client.calls).toEqual([]);
  });

  it('never takes the place of another file’s', async () => {
    const { contents, client } = made({
      'customers.flow': '{"path": "customers.parquet"}'
    });
    expect(await flowOfFile({ contents, client }, 'customers.csv')).toBe(
      'customers-1.flow'
    );
    expect(contents.files['customers.flow']).toContain('parquet');
  });

  it('is not made where the folder cannot be read', async () => {
    const { contents, client } = made();
    contents.refusal = 403;
    await expect(
      flowOfFile({ contents, client }, 'customers.csv')
    ).rejects.toBeInstanceOf(ServerConnection.ResponseError);
    expect(contents.files).toEqual({});
  });

  it('may read the store, or be empty', async () => {
    const { contents, client } = made();
    const path = await flowOfUri({ contents, client }, 's3://b/k/', 'data');
    expect(path).toBe('data/untitled.flow');
    expect(client.requests('bottega:EditFlow')[0]?.Edit.Source).toEqual({
      Kind: 's3',
      Uri: 's3://b/k/'
    });
    await emptyFlow({ contents, client }, 'other');
    expect(contents.files['other/untitled.flow']).toBe('');
  });
});

describe('the flows that are known', () => {
  it('are the latest first, across pages, without those that are gone', async () => {
    const { contents } = made({ 'a.flow': '', 'b.flow': '' });
    const state = new StateDB();
    const flows = new KnownFlows(contents, state);
    let changes = 0;
    flows.changed.connect(() => (changes += 1));
    await flows.remember('a.flow', 1);
    await flows.remember('b.flow', 2);
    await flows.remember('gone.flow', 1);
    await flows.remember('a.flow', 1);
    await flows.remember('a.flow', 1);
    expect(changes).toBe(4);
    const again = new KnownFlows(contents, state);
    expect(
      (await again.list()).map(found => [found.path, found.sources])
    ).toEqual([
      ['a.flow', 1],
      ['b.flow', 2]
    ]);
  });

  it('keep their place under another name', async () => {
    const { contents } = made({ 'new.flow': '' });
    const flows = new KnownFlows(contents, null);
    await flows.remember('old.flow', 3);
    await flows.rename('old.flow', 'new.flow');
    expect(await flows.list()).toMatchObject([
      { path: 'new.flow', sources: 3 }
    ]);
  });

  it('say why they cannot be listed', async () => {
    const { contents } = made();
    const flows = new KnownFlows(contents, null);
    await flows.remember('a.flow', 1);
    contents.refusal = 500;
    await expect(flows.list()).rejects.toBeInstanceOf(
      ServerConnection.ResponseError
    );
  });
});

it('trust is remembered by path and code', async () => {
  const state = new StateDB();
  const trust = new StoredTrust(state);
  await trust.trust('a.flow', 'df');
  const again = new StoredTrust(state);
  expect(await again.isTrusted('a.flow', 'df')).toBe(true);
  expect(await again.isTrusted('a.flow', 'import os')).toBe(false);
  expect(await again.isTrusted('b.flow', 'df')).toBe(false);
});

describe('a document', () => {
  function context(text: string) {
    const model = {
      text,
      contentChanged: new Signal<object, void>({}),
      toString(): string {
        return this.text;
      },
      fromString(value: string): void {
        this.text = value;
        this.contentChanged.emit();
      }
    };
    const saved: string[] = [];
    const made = {
      model,
      path: 'RTC:data/customers.flow',
      localPath: 'data/customers.flow',
      ready: Promise.resolve(),
      contentsModel: { writable: true },
      save: () => {
        saved.push(model.text);
        return Promise.resolve();
      }
    };
    return {
      model,
      saved,
      store: new ContextStore(
        made as unknown as DocumentRegistry.IContext<DocumentRegistry.ICodeModel>
      )
    };
  }

  it('keeps a flow in its file', async () => {
    const { store, saved } = context('');
    expect(store).toMatchObject({
      title: 'customers.flow',
      name: 'customers',
      key: 'RTC:data/customers.flow',
      directory: 'data',
      readOnly: false
    });
    expect(await store.read()).toBe('');
    const text = flow(raw('s', 'SOURCE'));
    await store.write(text);
    expect(saved).toEqual([text]);
  });

  it('tells of what others write, and not of its own', async () => {
    const { store, model } = context('1');
    const told: string[] = [];
    store.changed.connect((_, text) => told.push(text));
    model.fromString('0'); // before it was read: nobody has seen it
    await store.read();
    await store.write('2');
    model.fromString('3');
    model.fromString('3');
    expect(told).toEqual(['3']);
    store.dispose();
    model.fromString('4');
    expect(told).toEqual(['3']);
  });
});
