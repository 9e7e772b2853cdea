import {
  addableChannels,
  byUse,
  channelTarget,
  chosenContentType,
  contentTypeByName,
  contentTypeChoices,
  isRewritten,
  pendingChannels,
  readsTable,
  sentSources,
  shownChannels
} from '../channels';
import type { IDraft, Source } from '../draft';
import { firstAlgorithm, newDraft } from '../draft';
import {
  CATALOG,
  filledDraft,
  IMAGES,
  KMEANS,
  SEQ2SEQ,
  XGBOOST
} from './fixtures';

const CSV: Source = { kind: 'file', path: 'data/a.csv' };
const STORED: Source = { kind: 's3', uri: 's3://b/a.csv' };
const KEPT: Source = {
  kind: 'kept',
  channel: { ChannelName: 'lookup', DataSource: {} }
};

const draft = (sources: IDraft['sources']): IDraft => filledDraft({ sources });
const names = (list: Array<{ name: string }>): string[] =>
  list.map(item => item.name);

describe('the channels of the form', () => {
  it('are train, what must be there, and what was added', () => {
    expect(names(shownChannels(draft({}), KMEANS))).toEqual(['train']);
    expect(names(shownChannels(draft({ test: null }), KMEANS))).toEqual([
      'train',
      'test'
    ]);
    expect(shownChannels(draft({}), SEQ2SEQ)).toMatchObject([
      { name: 'train', required: true },
      { name: 'validation', required: true },
      { name: 'vocab', required: true }
    ]);
  });

  it('leave out what the algorithm does not read, but not what a clone had', () => {
    const filled = draft({ validation: CSV, lookup: KEPT, train: CSV });
    expect(sentSources(filled, KMEANS)).toEqual([
      ['train', CSV],
      ['lookup', KEPT]
    ]);
    expect(sentSources(filled, XGBOOST).map(([name]) => name)).toEqual([
      'train',
      'validation',
      'lookup'
    ]);
  });

  it('of a script are all that there are', () => {
    const filled = draft({ validation: CSV, other: CSV, none: null });
    expect(sentSources(filled, null).map(([name]) => name)).toEqual([
      'validation',
      'other'
    ]);
    expect(names(addableChannels(draft({}), null))).toEqual(['validation']);
  });

  it('can be added while they are not shown', () => {
    expect(names(addableChannels(draft({}), IMAGES))).toEqual([
      'validation',
      'train_lst',
      'model'
    ]);
    expect(names(addableChannels(draft({ model: null }), IMAGES))).toEqual([
      'validation',
      'train_lst'
    ]);
    expect(addableChannels(draft({}), SEQ2SEQ)).toEqual([]);
  });
});

describe('tables', () => {
  it('are read in channels of those that learn from columns of numbers', () => {
    const found = [XGBOOST, KMEANS, SEQ2SEQ, IMAGES].map(item =>
      readsTable(item, 'train')
    );
    expect(found).toEqual([true, true, false, false]);
    expect(readsTable(XGBOOST, 'no such channel')).toBe(false);
  });

  it('are sent with a label only where one is learned', () => {
    const filled = draft({ train: CSV, test: STORED, validation: STORED });
    expect(channelTarget(filled, XGBOOST, 'train')).toBe('churn');
    expect(channelTarget(filled, XGBOOST, 'validation')).toBe('churn');
    for (const algorithm of [KMEANS, SEQ2SEQ, IMAGES, null]) {
      expect(channelTarget(filled, algorithm, 'train')).toBeNull();
    }
    expect(pendingChannels(filled, XGBOOST)).toEqual(['train', 'validation']);
    expect(pendingChannels(filled, KMEANS)).toEqual(['train']);
  });

  it('lose their header on the way, where they are on the way', () => {
    const filled = draft({ train: CSV, test: STORED });
    expect(isRewritten(filled, KMEANS, 'train')).toBe(true);
    expect(isRewritten(filled, KMEANS, 'test')).toBe(false);
    expect(isRewritten(filled, IMAGES, 'train')).toBe(false);
  });
});

describe('the content type', () => {
  it('is told by the name, by what is given, or by what alone is read', () => {
    const told = (place: string, given?: string): string =>
      contentTypeByName(KMEANS, 'train', place, given);
    expect(told('a/b.csv')).toBe('text/csv;label_size=0');
    expect(told('a/b.pbr')).toBe('application/x-recordio-protobuf');
    expect(told('s3://b/folder.1/', 'text/csv')).toBe('text/csv');
    expect(told('s3://b/folder/')).toBe('');
    expect(contentTypeByName(SEQ2SEQ, 'vocab', 's3://b/vocab/')).toBe(
      'application/json'
    );
    expect(contentTypeByName(null, 'train', 'a.txt')).toBe('text/plain');
    expect(contentTypeByName(null, 'train', '.csv')).toBe('');
  });

  it('can be chosen for what is sent as it is, where there are several', () => {
    const prefix = (contentType?: string): IDraft =>
      draft({
        train: {
          kind: 's3',
          uri: 's3://b/p/',
          ...(contentType && { contentType })
        },
        model: STORED
      });
    expect(contentTypeChoices(prefix(), IMAGES, 'train')).toHaveLength(2);
    expect(contentTypeChoices(prefix(), IMAGES, 'model')).toEqual([]);
    expect(contentTypeChoices(draft({ train: CSV }), XGBOOST, 'train')).toEqual(
      []
    );
    expect(
      chosenContentType(prefix('application/x-image'), IMAGES, 'train')
    ).toBe('application/x-image');
    // Chosen for another algorithm.
    expect(
      chosenContentType(prefix('application/x-image'), KMEANS, 'train')
    ).toBeNull();
  });
});

describe('the algorithms', () => {
  it('begin with the first choice for tables, and then go by what they are for', () => {
    expect(newDraft(CATALOG, '').trainer).toEqual({
      kind: 'builtin',
      image: 'xgboost'
    });
    expect(byUse(CATALOG).map(item => item.Name)).toEqual([
      'xgboost',
      'kmeans',
      'image-classification',
      'seq2seq'
    ]);
  });

  it('that cannot run are not begun with', () => {
    const broken = { ...XGBOOST, Missing: 'It needs xgboost.' };
    const catalog = { ...CATALOG, Algorithms: [SEQ2SEQ, broken] };
    expect(firstAlgorithm(catalog)).toBeNull();
    expect(newDraft(catalog, '').trainer.kind).toBe('script');
  });
});
