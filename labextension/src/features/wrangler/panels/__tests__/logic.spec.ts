import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import type { Contents } from '@jupyterlab/services';

import { FlowFiles } from '../flowFiles';
import { formulaCompletions, formulaName } from '../form/formula';
import { joinEdit } from '../joinDialog';
import { suggestKeys } from '../joinSuggestions';
import { offered, searchTransforms } from '../searchTransforms';
import {
  draftOf,
  emptyDraft,
  sourceOf,
  splitUri,
  withOption
} from '../source/sourceDraft';
import { FILL, IMPUTE, JOIN, transform } from './fixtures';

describe('the search over transforms', () => {
  const all = [FILL, IMPUTE, JOIN, transform({ Name: 'Drop missing' })];
  const found = (query: string): string[] =>
    searchTransforms(all, query).flatMap(item =>
      item.transforms.map(one => one.Name)
    );

  it('finds by name, by words that people use, and by scattered letters', () => {
    expect(found('')).toHaveLength(4);
    expect(found('median')).toEqual(['Impute']);
    expect(found('fillna')).toEqual(['Fill missing']);
    expect(found('miss drop')).toEqual(['Drop missing']);
    expect(found('mpte')).toEqual(['Impute']);
    expect(found('merge')).toEqual(['Join']);
    expect(found('nothing like it')).toEqual([]);
  });

  it('is over what can be added here: no older forms, and no code for Spark', () => {
    const code = 'sagemaker.spark.custom_code_0.1';
    const known = [
      JOIN,
      transform({ Name: 'a', Operator: 'sagemaker.spark.join_multi_keys_0.1' }),
      transform({ Name: 'a', Operator: 'sagemaker.spark.custom_pandas_0.1' }),
      transform({ Name: 'a', Operator: 'sagemaker.spark.custom_pyspark_0.1' }),
      transform({ Operator: code, Name: 'Python (PySpark)' }),
      transform({ Operator: code, Name: 'SQL (PySpark SQL)' })
    ];
    expect(offered(known)).toEqual([known[0], known[5]]);
  });

  it('has what fits best first, in groups', () => {
    expect(found('impute')[0]).toBe('Impute');
    expect(searchTransforms(all, '').map(item => item.group)).toEqual([
      'Handle missing',
      'Join'
    ]);
  });
});

describe('the completion of formulas', () => {
  const complete = (text: string): string[] => {
    const state = EditorState.create({ doc: text });
    const source = formulaCompletions(() => [
      { Name: 'beer-name', Type: 'string' },
      { Name: 'ounces', Type: 'float' }
    ]);
    const result = source(new CompletionContext(state, text.length, false));
    return result && 'options' in result
      ? result.options.map(item => item.label)
      : [];
  };

  it('offers columns, in backticks where they need them, and functions', () => {
    expect(complete('round(o')).toEqual(
      expect.arrayContaining(['ounces', '`beer-name`', 'round', 'coalesce'])
    );
    expect(complete('round(')).toEqual([]);
    expect(formulaName('a`b')).toBe('`a``b`');
  });
});

describe('joins', () => {
  it('suggests the identifier that both tables have', () => {
    expect(
      suggestKeys(
        [
          { Name: 'name', Type: 'string' },
          { Name: 'brewery_id', Type: 'long' }
        ],
        [
          { Name: 'BreweryId', Type: 'float' },
          { Name: 'name', Type: 'string' }
        ]
      )
    ).toEqual([{ left: 'brewery_id', right: 'BreweryId' }]);
  });

  it('suggests nothing of types that cannot be equal', () => {
    expect(
      suggestKeys(
        [{ Name: 'id', Type: 'long' }],
        [{ Name: 'id', Type: 'string' }]
      )
    ).toEqual([]);
  });

  it('has an operator for one key, and one for several', () => {
    const tables = {
      left: { nodeId: 'l', outputName: 'default' },
      right: { nodeId: 'r', outputName: 'Train' }
    };
    expect(
      joinEdit({ ...tables, kind: 'inner', keys: [{ left: 'a', right: 'b' }] })
    ).toMatchObject({
      Kind: 'join',
      NodeId: 'l',
      OtherNodeId: 'r',
      OtherOutputName: 'Train',
      Operator: 'sagemaker.spark.join_tables_0.1',
      Values: { join_type: 'inner', left_column: 'a', right_column: 'b' }
    });
    expect(
      joinEdit({
        ...tables,
        kind: 'inner',
        keys: [
          { left: 'a', right: 'b' },
          { left: 'c', right: 'd' }
        ]
      }).Operator
    ).toBe('sagemaker.spark.join_multi_keys_0.1');
    expect(joinEdit({ ...tables, kind: 'cross', keys: [] }).Values).toEqual({
      join_type: 'cross'
    });
  });
});

describe('sources', () => {
  it('have paths from the folder of the flow', () => {
    const draft = { ...emptyDraft('file'), path: 'data/raw/beers.csv' };
    expect(sourceOf(draft, 'data')).toEqual({
      Kind: 'file',
      Uri: 'raw/beers.csv'
    });
    expect(sourceOf(draft, '')).toEqual({
      Kind: 'file',
      Uri: 'data/raw/beers.csv'
    });
    expect(sourceOf(draft, 'flows')?.Uri).toBe('../data/raw/beers.csv');
  });

  it('are none while too little is said', () => {
    expect(sourceOf(emptyDraft('file'), '')).toBeNull();
    expect(
      sourceOf({ ...emptyDraft('s3'), uri: 's3://bucket/' }, '')
    ).toBeNull();
    expect(
      sourceOf({ ...emptyDraft('sql'), url: 'sqlite:///x.db' }, '')
    ).toBeNull();
  });

  it('keep only what was said of the reading', () => {
    const options = withOption(
      withOption({}, 'Delimiter', ';'),
      'Encoding',
      'utf-8'
    );
    expect(withOption(options, 'Encoding', undefined)).toEqual({
      Delimiter: ';'
    });
  });

  it('come back from a node of the flow', () => {
    const draft = draftOf(
      {
        NodeId: 'n',
        Type: 'SOURCE',
        Operator: 'bottega.file_source_0.1',
        Disabled: false,
        Outputs: ['default'],
        Inputs: [],
        State: {
          NodeId: 'n',
          Type: 'SOURCE',
          Title: 'beers.csv',
          Summary: '',
          Disabled: false,
          Outputs: ['default'],
          Values: {
            Kind: 'file',
            Uri: 'beers.csv',
            Options: { Delimiter: ';' }
          }
        }
      },
      'data'
    );
    expect(draft).toMatchObject({ kind: 'file', path: 'data/beers.csv' });
    expect(sourceOf(draft, 'data')).toEqual({
      Kind: 'file',
      Uri: 'beers.csv',
      Options: { Delimiter: ';' }
    });
  });

  it('split a URI that is being typed', () => {
    expect(splitUri('s3://bucket/a/b/c')).toEqual({
      bucket: 'bucket',
      prefix: 'a/b/',
      start: 'c'
    });
    expect(splitUri('s3://buck')).toBeNull();
  });
});

describe('files beside the flow', () => {
  const folder = (names: string[]): Contents.IModel =>
    ({
      type: 'directory',
      content: names.map(name => ({
        name,
        path: `data/${name}`,
        type: name.includes('.') ? 'file' : 'directory',
        size: 5
      }))
    }) as unknown as Contents.IModel;

  it('never replace one that is there', async () => {
    const saved: Array<{ path: string; options: unknown }> = [];
    const files = new FlowFiles({
      get: () => Promise.resolve(folder(['beers.py', 'beers-1.py'])),
      save: (path, options) => {
        saved.push({ path, options });
        return Promise.resolve({ path } as Contents.IModel);
      }
    });
    expect(await files.saveNew('data', 'beers.py', 'x = 1\n')).toBe(
      'data/beers-2.py'
    );
    expect(await files.saveNew('data', 'beers.ipynb', '{"cells": []}')).toBe(
      'data/beers.ipynb'
    );
    expect(saved[1]?.options).toEqual({
      type: 'notebook',
      format: 'json',
      content: { cells: [] }
    });
  });

  it('are offered where they can be a source, folders first', async () => {
    const files = new FlowFiles({
      get: () => Promise.resolve(folder(['z.csv', 'a.png', 'sub'])),
      save: () => Promise.reject(new Error('nothing is saved'))
    });
    expect((await files.list('data')).map(item => item.name)).toEqual([
      'sub',
      'z.csv'
    ]);
  });
});
