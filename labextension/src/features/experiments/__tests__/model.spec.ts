import { experimentsCode, runCode, searchCode } from '../model/code';
import { diffRuns } from '../model/diff';
import {
  bothFilters,
  completions,
  filterKey,
  filterText,
  looksWhole
} from '../model/filter';
import { groupRuns } from '../model/groups';
import {
  defaultLayout,
  movedTo,
  pinToggled,
  readLayout,
  toggled
} from '../model/layout';
import {
  guessDirection,
  guessObjective,
  knownDirection
} from '../model/objective';
import { readRuns, runSeconds, runValue } from '../model/runs';
import { FakeClient } from '../../../testing/fakeClient';
import { readChoices, writeChoices } from '../useChoices';
import { aRun, described, search } from './fixtures';

describe('the direction of a metric', () => {
  it.each([
    ['validation:auc', 'higher'],
    ['valAccuracy', 'higher'],
    ['test_r2', 'higher'],
    ['ndcg@10', 'higher'],
    ['train:logloss', 'lower'],
    ['val_loss', 'lower'],
    ['accuracy_loss', 'lower'],
    ['validation:rmse', 'lower'],
    ['mlogloss', 'lower']
  ])('is guessed for %s', (name, direction) => {
    expect(knownDirection(name)).toBe(direction);
  });

  it('is not known where the name says nothing, and higher then', () => {
    expect(knownDirection('maple')).toBeNull();
    expect(guessDirection('maple')).toBe('higher');
  });

  it('makes a known metric of held-out data the objective', () => {
    expect(
      guessObjective(['epoch', 'train:auc', 'validation:auc', 'system/gpu'])
    ).toBe('validation:auc');
    expect(guessObjective(['epoch', 'step'])).toBe('epoch');
    expect(guessObjective([])).toBe('');
  });
});

describe('a layout', () => {
  const layout = { shown: ['a', 'b', 'c', 'd'], pinned: 2 };

  it('begins with the attributes, the objective and a few columns', () => {
    const found = defaultLayout({
      Metrics: ['a', 'b', 'c', 'd', 'e', 'f', 'val_auc'],
      Params: ['depth'],
      Tags: ['x']
    });
    expect(found.shown).toEqual([
      'attributes.status',
      'attributes.run_name',
      'attributes.start_time',
      'attributes.duration',
      'metrics.val_auc',
      'metrics.a',
      'metrics.b',
      'metrics.c',
      'metrics.d',
      'params.depth',
      'attributes.job'
    ]);
  });

  it('shows and hides', () => {
    expect(toggled(layout, 'e').shown).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(toggled(layout, 'a')).toEqual({ shown: ['b', 'c', 'd'], pinned: 1 });
    expect(toggled(layout, 'd')).toEqual({ shown: ['a', 'b', 'c'], pinned: 2 });
  });

  it('pins behind the pinned columns and lets go in front of the others', () => {
    expect(pinToggled(layout, 'd')).toEqual({
      shown: ['a', 'b', 'd', 'c'],
      pinned: 3
    });
    expect(pinToggled(layout, 'a')).toEqual({
      shown: ['b', 'a', 'c', 'd'],
      pinned: 1
    });
    expect(pinToggled(layout, 'z')).toBe(layout);
  });

  it('moves within, into and out of the pinned columns', () => {
    expect(movedTo(layout, 'd', 2)).toEqual({
      shown: ['a', 'b', 'd', 'c'],
      pinned: 2
    });
    expect(movedTo(layout, 'c', 0)).toEqual({
      shown: ['c', 'a', 'b', 'd'],
      pinned: 3
    });
    expect(movedTo(layout, 'a', 3)).toEqual({
      shown: ['b', 'c', 'd', 'a'],
      pinned: 1
    });
    expect(movedTo(layout, 'a', -1)).toBe(layout);
  });

  it('is read only when it is one', () => {
    expect(readLayout(layout)).toEqual(layout);
    expect(readLayout({ shown: [], pinned: 0 })).toBeNull();
    expect(readLayout({ shown: ['a'], pinned: 2 })).toBeNull();
    expect(readLayout({ shown: [1], pinned: 0 })).toBeNull();
    expect(readLayout(undefined)).toBeNull();
  });
});

describe('a filter', () => {
  it.each([
    '',
    'metrics.auc > 0.8',
    "metrics.`validation:auc` >= 1e-3 and params.max_depth = '6'",
    'tags."a b" LIKE \'%x%\' AND attributes.status != "FAILED"',
    "params.depth IS NULL and attributes.run_id IN ('a', 'b')"
  ])('is whole: %s', filter => {
    expect(looksWhole(filter)).toBe(true);
  });

  it.each(['metrics.auc', 'metrics.auc >', "params.a = '6", 'a > 1 and'])(
    'is not whole: %s',
    filter => {
      expect(looksWhole(filter)).toBe(false);
    }
  );

  it('quotes names and texts', () => {
    expect(filterKey('metrics.auc')).toBe('metrics.auc');
    expect(filterKey('metrics.validation:auc')).toBe(
      'metrics.`validation:auc`'
    );
    expect(filterText("it's")).toBe('"it\'s"');
    expect(filterText('it\'s "so"')).toBeNull();
    expect(bothFilters(' metrics.a > 1 ', 'params.b = 2')).toBe(
      'metrics.a > 1 and params.b = 2'
    );
    expect(bothFilters(' ', 'params.b = 2')).toBe('params.b = 2');
  });

  it('completes columns where a comparison begins', () => {
    const ids = ['metrics.auc', 'metrics.validation:auc', 'params.max_depth'];
    expect(completions('au', 2, ids)).toEqual({
      start: 0,
      options: ['metrics.auc', 'metrics.`validation:auc`']
    });
    const second = 'metrics.auc > 0.8 and params.';
    expect(completions(second, second.length, ids)).toEqual({
      start: 22,
      options: ['params.max_depth']
    });
    expect(completions('metrics.auc > au', 16, ids).options).toEqual([]);
    expect(completions('params.max_depth', 16, ids).options).toEqual([]);
  });
});

describe('the value of a run', () => {
  const run = aRun('a', {
    Metrics: { auc: 0.8 },
    Params: { depth: '6' },
    Tags: { 'mlflow.note': 'x' },
    TrainingJobName: 'job-1'
  });

  it('is found by the id of the column', () => {
    expect(runValue(run, 'metrics.auc')).toBe(0.8);
    expect(runValue(run, 'metrics.loss')).toBeNull();
    expect(runValue(run, 'params.depth')).toBe('6');
    expect(runValue(run, 'tags.mlflow.note')).toBe('x');
    expect(runValue(run, 'attributes.job')).toBe('job-1');
    expect(runValue(run, 'attributes.duration')).toBe(60);
  });

  it('grows while the run runs', () => {
    const running = aRun('r');
    delete running.EndTime;
    expect(runSeconds({ ...running, Status: 'RUNNING' }, 1_700_000_005)).toBe(
      5
    );
    expect(
      runSeconds({ ...running, Status: 'FAILED' }, 1_700_000_005)
    ).toBeNull();
  });
});

describe('reading runs by their ids', () => {
  it('asks in parts that fit a filter and keeps the order', async () => {
    const runs = Array.from({ length: 100 }, (_, n) => aRun(`id${n}`));
    const client = new FakeClient({ 'bottega:SearchRuns': search(runs) });
    const ids = runs.map(run => run.RunId).reverse();
    const found = await readRuns(client, '7', [...ids, 'gone']);
    expect(found.map(run => run.RunId)).toEqual(ids);
    const requests = client.requests('bottega:SearchRuns');
    expect(requests).toHaveLength(3);
    for (const request of requests) {
      expect(request.Filter?.length).toBeLessThan(2048);
    }
  });
});

describe('groups', () => {
  const runs = [
    aRun('a', { Params: { depth: '3' }, Metrics: { auc: 0.7 } }),
    aRun('b', { Params: { depth: '6' }, Metrics: { auc: 0.9 } }),
    aRun('c', { Params: { depth: '6' }, Metrics: { auc: 0.8 } }),
    aRun('d', { Metrics: { auc: 0.5 } }),
    aRun('e', { Params: { depth: '9' } })
  ];
  const grouping = {
    experiment: '7',
    filter: '',
    param: 'depth',
    metric: 'auc',
    direction: 'higher' as const
  };

  it('count all runs and find the best of each', async () => {
    const client = new FakeClient({ 'bottega:SearchRuns': search(runs) });
    const found = await groupRuns(client, grouping, 20);
    expect(
      found.groups.map(group => [
        group.value,
        group.runs,
        group.best?.RunId ?? null
      ])
    ).toEqual([
      ['3', 1, 'a'],
      ['6', 2, 'b'],
      ['9', 1, null],
      [null, 1, 'd']
    ]);
    expect(found.covered).toBe(5);
    expect(found.total).toBe(5);
  });

  it('read no more than two single runs a group', async () => {
    const client = new FakeClient({ 'bottega:SearchRuns': search(runs) });
    const found = await groupRuns(client, grouping, 2);
    expect(found.groups).toHaveLength(2);
    expect(found.covered).toBe(3);
    const requests = client.requests('bottega:SearchRuns');
    expect(requests).toHaveLength(4);
    expect(requests.every(request => request.MaxResults === 1)).toBe(true);
  });

  it('keep to the filter and the other direction', async () => {
    const client = new FakeClient({ 'bottega:SearchRuns': search(runs) });
    const found = await groupRuns(
      client,
      { ...grouping, filter: 'metrics.auc > 0.75', direction: 'lower' },
      20
    );
    expect(found.groups.map(group => [group.value, group.best?.RunId])).toEqual(
      [['6', 'c']]
    );
    expect(found.groups[0]?.filter).toBe(
      "metrics.auc > 0.75 and params.depth = '6'"
    );
  });
});

describe('the difference of two runs', () => {
  it('tells what differs by kind', () => {
    const left = described(
      aRun('a', {
        Params: { depth: '3', seed: '1' },
        Metrics: { auc: 0.7 },
        Source: 'train.py',
        Tags: { 'mlflow.source.git.commit': 'abc' }
      }),
      {
        Inputs: [{ Name: 'churn', Digest: '1f', Context: 'train' }],
        Environment: { numpy: '2.0' }
      }
    );
    const right = described(
      aRun('b', {
        Params: { depth: '6', seed: '1' },
        Metrics: { auc: 0.7, loss: 1 },
        Source: 'train.py'
      }),
      { Environment: { numpy: '2.1' } }
    );
    const differing = diffRuns(left, right).map(section => [
      section.id,
      section.rows
        .filter(row => row.differs)
        .map(row => [row.name, row.left, row.right])
    ]);
    expect(differing).toEqual([
      ['parameters', [['depth', '3', '6']]],
      ['metrics', [['loss', '', '1']]],
      ['code', [['Git commit', 'abc', '']]],
      ['data', [['churn (train)', '1f', '']]],
      ['environment', [['numpy', '2.0', '2.1']]]
    ]);
  });
});

describe('the same as Python', () => {
  const query = {
    experiment: '7',
    filter: "params.depth = '6'",
    sortBy: 'metrics.validation:auc',
    descending: true
  };

  it('searches runs with filter and order', () => {
    expect(searchCode(query)).toBe(
      [
        'import mlflow',
        '',
        'runs = mlflow.search_runs(',
        '    experiment_ids=["7"],',
        '    filter_string="params.depth = \'6\'",',
        '    order_by=["metrics.`validation:auc` DESC"],',
        '    max_results=1000,',
        ')',
        'runs',
        ''
      ].join('\n')
    );
  });

  it('sorts by duration with pandas', () => {
    const code = searchCode({
      ...query,
      filter: '',
      sortBy: 'attributes.duration',
      descending: false
    });
    expect(code).not.toContain('order_by');
    expect(code).not.toContain('filter_string');
    expect(code).toContain('runs.sort_values("duration", ascending=True)');
  });

  it('finds experiments and loads a run with its model', () => {
    expect(experimentsCode('')).toContain('mlflow.search_experiments()');
    expect(experimentsCode('churn xgb')).toContain(
      `"name ILIKE '%churn%' and name ILIKE '%xgb%'"`
    );
    expect(runCode('abc', [])).not.toContain('load_model');
    expect(runCode('abc', ['model'])).toContain(
      'mlflow.pyfunc.load_model("runs:/abc/model")'
    );
  });
});

describe('choices', () => {
  it('come back from a path as they were', () => {
    const choices = {
      filter: 'metrics.auc > 0.8',
      sortBy: 'metrics.auc',
      descending: false,
      chosen: ['a', 'b'],
      isComparing: false,
      tab: 'diff',
      split: 35,
      metric: 'auc',
      direction: 'lower' as const
    };
    expect(readChoices(writeChoices(choices))).toEqual(choices);
  });

  it('have defaults, also for nonsense', () => {
    expect(readChoices({ split: '900', best: 'up' })).toMatchObject({
      split: 50,
      direction: null,
      isComparing: true,
      descending: true
    });
  });
});
