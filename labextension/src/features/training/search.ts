import type {
  IAlgorithmDescription,
  ICreateTrainingJobRequest,
  IHyperParameterDescription,
  MetricDirection
} from '../../api/types/training';
import type {
  HyperParameterScalingType,
  HyperParameterTuningJobStrategyType,
  ICreateHyperParameterTuningJobRequest,
  IHyperParameterTrainingJobDefinition,
  IParameterRanges
} from '../../api/types/tuning';
import type { IBottegaClient } from '../../tokens';
import type { IDraft } from './draft';
import type { Hyperparameters } from './hyperparameters';
import { isUsed } from './hyperparameters';

/** What kind of values a range has. */
export type RangeKind = 'Integer' | 'Continuous' | 'Categorical';

/** Where the values of one hyperparameter are searched, as it is filled in. */
export interface IRange {
  name: string;
  kind: RangeKind;
  /** Of numbers, as text. */
  low: string;
  high: string;
  scaling: HyperParameterScalingType;
  /** Of categories, with commas between them. */
  choices: string;
}

/** A search for hyperparameters, as far as it is filled in. */
export interface ISearch {
  ranges: readonly IRange[];
  metric: string;
  direction: MetricDirection;
  strategy: HyperParameterTuningJobStrategyType;
  /** How many trainings in all, and at a time. */
  trials: number;
  parallel: number;
  earlyStopping: boolean;
  /** Epochs of a training, for Hyperband; NaN where they are left out. */
  leastEpochs: number;
  mostEpochs: number;
}

export const STRATEGIES: readonly HyperParameterTuningJobStrategyType[] = [
  'Bayesian',
  'Random',
  'Hyperband',
  'Grid'
];

export const SCALINGS: readonly HyperParameterScalingType[] = [
  'Auto',
  'Linear',
  'Logarithmic',
  'ReverseLogarithmic'
];

/** The longest name of a tuning job. */
export const LONGEST_NAME = 32;

const DEFAULT_TRIALS = 20;

/** Whose metrics say how good a model is, best first. */
const SIDES = ['validation', 'test', 'train'];

/** The metric that XGBoost reports where none is asked for, by what its objective begins with. */
const USUAL_METRICS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^binary:/, 'logloss'],
  [/^multi:/, 'mlogloss'],
  [/^rank:/, 'ndcg'],
  [/^(reg:|$)/, 'rmse']
];

/** The search that a form begins with: what the algorithm recommends for what most people set. */
export function newSearch(
  algorithm: IAlgorithmDescription | null,
  draft: Pick<IDraft, 'hyperparameters' | 'trainer'>
): ISearch {
  const { hyperparameters: values, trainer } = draft;
  const own = trainer.kind === 'script' ? Object.keys(trainer.metrics) : [];
  const metric = algorithm ? likelyMetric(algorithm, values) : (own[0] ?? '');
  return {
    ranges: algorithm
      ? tunable(algorithm, values)
          .filter(item => item.Essential)
          .map(recommendedRange)
      : [],
    metric,
    direction: directionOf(algorithm, metric) ?? 'Minimize',
    strategy: 'Bayesian',
    trials: DEFAULT_TRIALS,
    parallel: 2,
    earlyStopping: false,
    leastEpochs: NaN,
    mostEpochs: NaN
  };
}

/** The hyperparameters of an algorithm that can be searched, beside the other values. */
export function tunable(
  algorithm: IAlgorithmDescription,
  values: Hyperparameters
): IHyperParameterDescription[] {
  return algorithm.HyperParameters.filter(
    item => item.Tunable && isUsed(item, algorithm, values)
  );
}

/** The range that an algorithm recommends for a hyperparameter, or else all that it allows. */
export function recommendedRange(item: IHyperParameterDescription): IRange {
  const { TunableRange: told } = item;
  const number = (value: number | undefined): string => String(value ?? '');
  const choices = told?.Choices ?? item.Choices ?? [];
  return {
    name: item.Name,
    kind:
      item.Type === 'Integer' || item.Type === 'Continuous'
        ? item.Type
        : 'Categorical',
    low: number(told?.Minimum ?? item.Minimum),
    high: number(told?.Maximum ?? item.Maximum),
    scaling: SCALINGS.find(scaling => scaling === told?.ScalingType) ?? 'Auto',
    choices: choices.join(', ')
  };
}

/** Which way is better for a metric of an algorithm; null where nobody says. */
export function directionOf(
  algorithm: IAlgorithmDescription | null,
  metric: string
): MetricDirection | null {
  return (
    algorithm?.Metrics.find(item => item.Name === metric)?.Direction ?? null
  );
}

/** A guess at the metric to go by, which the user can change. */
function likelyMetric(
  algorithm: IAlgorithmDescription,
  values: Hyperparameters
): string {
  const names = algorithm.Metrics.map(item => item.Name);
  const asked = values['eval_metric']?.split(',')[0]?.trim();
  const usual = USUAL_METRICS.find(([begin]) =>
    begin.test(values['objective'] ?? '')
  )?.[1];
  const wanted = SIDES.flatMap(side =>
    [asked, usual].map(metric => `${side}:${metric ?? ''}`)
  );
  return (
    wanted.find(name => names.includes(name)) ??
    SIDES.map(side => names.find(name => name.startsWith(`${side}:`))).find(
      name => name !== undefined
    ) ??
    names[0] ??
    ''
  );
}

/** The values that a range of categories has. */
export function choicesOf(range: IRange): string[] {
  return range.choices
    .split(',')
    .map(choice => choice.trim())
    .filter(Boolean);
}

/** Values of the tuned hyperparameters with which a training can be checked before there is one. */
export function firstValues(search: ISearch): Record<string, string> {
  return Object.fromEntries(
    search.ranges.map(range => [
      range.name,
      (range.kind === 'Categorical' ? choicesOf(range)[0] : range.low) ?? ''
    ])
  );
}

/** The hyperparameters of one training of the search: the given ones, and those of its beginning. */
export function trialHyperparameters(
  values: Hyperparameters,
  search: ISearch | null
): Record<string, string> {
  return search ? { ...values, ...firstValues(search) } : { ...values };
}

/** An end of a range as the API and Python have it: of whole numbers, 2.0 and 2e1 are 2 and 20. */
export function endText(typed: string, kind: RangeKind): string {
  const text = typed.trim();
  const value = Number(text);
  return kind === 'Integer' && text !== '' && Number.isSafeInteger(value)
    ? String(value)
    : text;
}

/** The ranges as the API has them. */
export function parameterRanges(search: ISearch): IParameterRanges {
  const numeric = (
    kind: RangeKind
  ): Array<{
    Name: string;
    MinValue: string;
    MaxValue: string;
    ScalingType: HyperParameterScalingType;
  }> =>
    search.ranges
      .filter(range => range.kind === kind)
      .map(range => ({
        Name: range.name,
        MinValue: endText(range.low, kind),
        MaxValue: endText(range.high, kind),
        ScalingType: range.scaling
      }));
  const categorical = search.ranges
    .filter(range => range.kind === 'Categorical')
    .map(range => ({ Name: range.name, Values: choicesOf(range) }));
  const integer = numeric('Integer');
  const continuous = numeric('Continuous');
  return {
    ...(integer.length > 0 && { IntegerParameterRanges: integer }),
    ...(continuous.length > 0 && { ContinuousParameterRanges: continuous }),
    ...(categorical.length > 0 && { CategoricalParameterRanges: categorical })
  };
}

/** What a training job and a training job definition have in common. */
const DEFINITION = [
  'AlgorithmSpecification',
  'RoleArn',
  'InputDataConfig',
  'VpcConfig',
  'OutputDataConfig',
  'ResourceConfig',
  'StoppingCondition',
  'EnableNetworkIsolation',
  'EnableInterContainerTrafficEncryption',
  'EnableManagedSpotTraining',
  'CheckpointConfig',
  'RetryStrategy',
  'Environment'
] as const;

/** The request that starts the search, from the one that would start one of its trainings. */
export function tuningRequest(
  training: ICreateTrainingJobRequest,
  search: ISearch
): ICreateHyperParameterTuningJobRequest {
  const tuned = new Set(search.ranges.map(range => range.name));
  const shared = Object.fromEntries(
    DEFINITION.filter(member => training[member] !== undefined).map(member => [
      member,
      training[member]
    ])
  );
  const definition = {
    StaticHyperParameters: Object.fromEntries(
      Object.entries(training.HyperParameters ?? {}).filter(
        ([name]) => !tuned.has(name)
      )
    ),
    ...shared
  } as unknown as IHyperParameterTrainingJobDefinition;
  return {
    HyperParameterTuningJobName: training.TrainingJobName,
    HyperParameterTuningJobConfig: {
      Strategy: search.strategy,
      ...hyperband(search),
      HyperParameterTuningJobObjective: {
        Type: search.direction,
        MetricName: search.metric
      },
      ResourceLimits: {
        // Grid tries every combination.
        ...(search.strategy !== 'Grid' && {
          MaxNumberOfTrainingJobs: search.trials
        }),
        MaxParallelTrainingJobs: search.parallel
      },
      ParameterRanges: parameterRanges(search),
      TrainingJobEarlyStoppingType:
        search.earlyStopping && search.strategy !== 'Hyperband' ? 'Auto' : 'Off'
    },
    TrainingJobDefinition: definition,
    ...(training.Tags && { Tags: training.Tags })
  };
}

/** Start the search, or the one training where there is none. */
export async function createJob(
  client: Pick<IBottegaClient, 'call'>,
  training: ICreateTrainingJobRequest,
  search: ISearch | null
): Promise<void> {
  await (search
    ? client.call(
        'sagemaker:CreateHyperParameterTuningJob',
        tuningRequest(training, search)
      )
    : client.call('sagemaker:CreateTrainingJob', training));
}

function hyperband(search: ISearch): object {
  const { leastEpochs: least, mostEpochs: most } = search;
  if (search.strategy !== 'Hyperband' || (isNaN(least) && isNaN(most))) {
    return {};
  }
  return {
    StrategyConfig: {
      HyperbandStrategyConfig: {
        ...(!isNaN(least) && { MinResource: least }),
        ...(!isNaN(most) && { MaxResource: most })
      }
    }
  };
}
