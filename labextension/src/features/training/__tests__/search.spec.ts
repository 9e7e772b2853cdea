import { trans } from '../../../testing/fakeClient';
import { cloneDraft } from '../clone';
import { algorithmOf } from '../draft';
import type { IDraft } from '../draft';
import { localFindings } from '../preflight';
import { trainingCode } from '../python';
import { createRequest, nameBase, plannedInput } from '../requests';
import type { IRange, ISearch } from '../search';
import { newSearch, recommendedRange, tuningRequest } from '../search';
import { searchFindings } from '../searchFindings';
import { CATALOG, filledDraft, job, STUDIO, XGBOOST } from './fixtures';

const range = (more: Partial<IRange> = {}): IRange => ({
  name: 'eta',
  kind: 'Continuous',
  low: '0.1',
  high: '0.5',
  scaling: 'Logarithmic',
  choices: '',
  ...more
});

const search = (more: Partial<ISearch> = {}): ISearch => ({
  ...newSearch(XGBOOST, filledDraft()),
  ranges: [
    range(),
    range({ name: 'num_round', kind: 'Integer', low: '10', high: '50' }),
    range({ name: 'booster', kind: 'Categorical', choices: 'gbtree, dart,' })
  ],
  metric: 'train:rmse',
  ...more
});

const said = (found: ISearch): string[] =>
  searchFindings(found, null, {}, trans).map(
    item => `${item.Field}: ${item.Message}`
  );

const planned = (draft: IDraft) =>
  createRequest(
    draft,
    CATALOG,
    STUDIO,
    plannedInput(draft, algorithmOf(draft, CATALOG), STUDIO)
  );

describe('a new search', () => {
  it('begins with what the algorithm recommends', () => {
    expect(newSearch(XGBOOST, filledDraft()).ranges).toEqual([
      range({ scaling: 'Linear' })
    ]);
    const [subsample, booster] = ['subsample', 'booster'].map(name =>
      XGBOOST.HyperParameters.find(item => item.Name === name)
    );
    expect(subsample && recommendedRange(subsample)).toMatchObject({
      low: '0',
      high: '1',
      scaling: 'Auto'
    });
    expect(booster && recommendedRange(booster)).toMatchObject({
      kind: 'Categorical',
      choices: 'gbtree, dart'
    });
  });

  it('goes by the metric that these settings most likely report', () => {
    const metric = (change: Partial<IDraft>): [string, string] => {
      const found = newSearch(XGBOOST, filledDraft(change));
      return [found.metric, found.direction];
    };
    expect(metric({})).toEqual(['validation:rmse', 'Minimize']);
    expect(metric({ hyperparameters: { eval_metric: 'auc,rmse' } })).toEqual([
      'validation:auc',
      'Maximize'
    ]);
  });

  it('of a script has no ranges, and its first metric', () => {
    const found = newSearch(null, {
      ...filledDraft(),
      trainer: {
        kind: 'script',
        image: 'python',
        script: { kind: 'file', path: 'a.py', folder: '' },
        metrics: { loss: 'loss=(.*)' }
      }
    });
    expect(found).toMatchObject({ ranges: [], metric: 'loss' });
  });
});

describe('the request of a search', () => {
  const draft = filledDraft({
    search: search({ trials: 12 }),
    hyperparameters: { num_round: '100', eta: '0.3', subsample: '0.9' },
    experiment: 'churn'
  });

  it('writes whole numbers as such, however they were typed', () => {
    const typed = search({
      ranges: [
        range({ name: 'num_round', kind: 'Integer', low: '2.0', high: '2e1 ' }),
        range({ name: 'eta', low: '0.10', high: '1' })
      ]
    });
    const { ParameterRanges } = tuningRequest(
      planned(draft),
      typed
    ).HyperParameterTuningJobConfig;
    expect(ParameterRanges?.IntegerParameterRanges).toMatchObject([
      { MinValue: '2', MaxValue: '20' }
    ]);
    expect(ParameterRanges?.ContinuousParameterRanges).toMatchObject([
      { MinValue: '0.10', MaxValue: '1' }
    ]);
  });

  it('has the ranges, and what is fixed without what is searched', () => {
    const request = tuningRequest(planned(draft), search({ trials: 12 }));
    expect(request.HyperParameterTuningJobName).toBe('churn-1');
    expect(request.HyperParameterTuningJobConfig).toEqual({
      Strategy: 'Bayesian',
      HyperParameterTuningJobObjective: {
        Type: 'Minimize',
        MetricName: 'train:rmse'
      },
      ResourceLimits: {
        MaxNumberOfTrainingJobs: 12,
        MaxParallelTrainingJobs: 2
      },
      ParameterRanges: {
        IntegerParameterRanges: [
          {
            Name: 'num_round',
            MinValue: '10',
            MaxValue: '50',
            ScalingType: 'Logarithmic'
          }
        ],
        ContinuousParameterRanges: [
          {
            Name: 'eta',
            MinValue: '0.1',
            MaxValue: '0.5',
            ScalingType: 'Logarithmic'
          }
        ],
        CategoricalParameterRanges: [
          { Name: 'booster', Values: ['gbtree', 'dart'] }
        ]
      },
      TrainingJobEarlyStoppingType: 'Off'
    });
    const definition = request.TrainingJobDefinition;
    expect(definition?.StaticHyperParameters).toEqual({ subsample: '0.9' });
    expect(definition).toMatchObject({
      AlgorithmSpecification: { TrainingImage: 'xgboost' },
      StoppingCondition: { MaxRuntimeInSeconds: 86400 }
    });
    expect(definition).not.toHaveProperty('TrainingJobName');
    expect(definition).not.toHaveProperty('ExperimentConfig');
  });

  it('is checked as a training at the beginning of the ranges', () => {
    expect(planned(draft).HyperParameters).toEqual({
      num_round: '10',
      eta: '0.1',
      booster: 'gbtree',
      subsample: '0.9'
    });
    expect(planned(draft)).not.toHaveProperty('ExperimentConfig');
    expect(
      localFindings(
        { ...draft, hyperparameters: { subsample: '0.9' } },
        {},
        CATALOG,
        trans
      ).filter(item => item.Field === 'HyperParameters.num_round')
    ).toEqual([]);
  });

  it('leaves out what a strategy has no use for', () => {
    const config = (more: Partial<ISearch>) =>
      tuningRequest(planned(draft), search(more)).HyperParameterTuningJobConfig;
    expect(config({ strategy: 'Grid' }).ResourceLimits).toEqual({
      MaxParallelTrainingJobs: 2
    });
    expect(config({ earlyStopping: true }).TrainingJobEarlyStoppingType).toBe(
      'Auto'
    );
    const hyperband = config({
      strategy: 'Hyperband',
      earlyStopping: true,
      mostEpochs: 81
    });
    expect(hyperband.TrainingJobEarlyStoppingType).toBe('Off');
    expect(hyperband.StrategyConfig).toEqual({
      HyperbandStrategyConfig: { MaxResource: 81 }
    });
    expect(config({ mostEpochs: 81 }).StrategyConfig).toBeUndefined();
  });

  it('has a name that is short enough', () => {
    const trainer = {
      kind: 'builtin',
      image: 'factorization-machines'
    } as const;
    expect(nameBase(trainer)).toBe('factorization-machines');
    expect(`${nameBase(trainer, search())}-2026-11-26-abc`).toHaveLength(32);
    const long = { ...draft, name: 'a'.repeat(33) };
    expect(
      localFindings(long, {}, CATALOG, trans).map(item => item.Message)
    ).toContain(
      `${long.name} is too long: the name of a tuning job has at most 32 characters.`
    );
  });
});

it('is cloned from a trial without what the trial was told of its tuning job', () => {
  const trial = job({
    HyperParameters: { eta: '0.2', _tuning_objective_metric: 'train:rmse' }
  });
  expect(cloneDraft(trial, [], CATALOG).hyperparameters).toEqual({
    eta: '0.2'
  });
});

describe('the code of a search', () => {
  it('is a call of tune, with Python ranges', () => {
    const draft = filledDraft({
      search: search({ earlyStopping: true }),
      hyperparameters: { num_round: '100', subsample: '0.9' },
      experiment: 'churn'
    });
    const code = trainingCode(draft, CATALOG, STUDIO, planned(draft));
    expect(code).toContain('job = session.tune(');
    expect(code).toContain('objective_metric="train:rmse",');
    expect(code).toContain('"eta": (0.1, 0.5, "Logarithmic"),');
    expect(code).toContain('"num_round": (10, 50, "Logarithmic"),');
    expect(code).toContain('"booster": ["gbtree", "dart"],');
    expect(code).toContain('early_stopping=True,');
    expect(code).toContain('"subsample": "0.9",');
    expect(code).not.toContain('"num_round": "');
    expect(code).not.toContain('experiment');
    expect(code).not.toContain('objective_type');
  });

  it('says which epochs Hyperband goes through', () => {
    const code = (more: Partial<ISearch>): string => {
      const draft = filledDraft({
        search: search({ strategy: 'Hyperband', earlyStopping: true, ...more })
      });
      return trainingCode(draft, CATALOG, STUDIO, planned(draft));
    };
    expect(code({ mostEpochs: 81 })).toContain('resources=(None, 81),');
    expect(code({})).not.toContain('resources');
    expect(code({})).not.toContain('early_stopping');
  });

  it('is boto3 for what the SDK does not take', () => {
    const draft = filledDraft({
      search: search(),
      kept: { EnableNetworkIsolation: true },
      sources: { train: { kind: 's3', uri: 's3://bottega-data/a/train.csv' } },
      target: null
    });
    const code = trainingCode(draft, CATALOG, STUDIO, planned(draft));
    expect(code).toContain('create_hyper_parameter_tuning_job(');
    expect(code).toContain('"EnableNetworkIsolation": True');
  });
});

describe('what is wrong with a search', () => {
  it('is nothing where it is whole', () => {
    expect(said(search())).toEqual([]);
  });

  it.each<[string, Partial<IRange>]>([
    ['needs a lowest and a highest number', { low: '' }],
    ['must be less than the highest', { low: '0.5' }],
    ['only above zero', { low: '0' }],
    ['takes whole numbers', { kind: 'Integer' }],
    [
      'only from 0 to less than 1',
      { scaling: 'ReverseLogarithmic', high: '1' }
    ],
    [
      'have no reverse logarithms',
      { scaling: 'ReverseLogarithmic', kind: 'Integer', low: '1', high: '2' }
    ],
    ['needs values to choose from', { kind: 'Categorical', choices: ' , ' }]
  ])('says that a range %s', (message, more) => {
    const [found, ...others] = said(search({ ranges: [range(more)] }));
    expect(found).toContain(`ParameterRanges.eta: `);
    expect(found).toContain(message);
    expect(others).toEqual([]);
  });

  it('is a metric of data that are not there', () => {
    const validation = { kind: 's3', uri: 's3://b/v.csv' } as const;
    const found = (sources: IDraft['sources']): number =>
      searchFindings(
        search({ metric: 'validation:auc' }),
        XGBOOST,
        sources,
        trans
      ).length;
    expect(found({})).toBe(1);
    expect(found({ validation: null })).toBe(1);
    expect(found({ validation })).toBe(0);
  });

  it('is said of the search itself, too', () => {
    expect(said(search({ ranges: [] }))[0]).toContain('at least one');
    expect(said(search({ metric: ' ' }))[0]).toContain('the metric to go by');
    expect(said(search({ trials: 0 }))[0]).toContain('number of trials');
    expect(said(search({ trials: NaN, strategy: 'Grid' }))).toHaveLength(2);
    expect(said(search({ parallel: 1.5 }))[0]).toContain('whole number');
    expect(
      said(search({ strategy: 'Hyperband', leastEpochs: 0 }))[0]
    ).toContain('Epochs');
  });
});
