import type {
  IDescribeHyperParameterTuningJobResponse,
  IDescribeTuningProgressResponse,
  ITuningOverview,
  ITuningTrial
} from '../../../api/types/tuning';
import type { Answers } from '../../../testing/fakeClient';

export const NOW = Date.now() / 1000;

/** A tuning job as a list has it. */
export function overview(
  name: string,
  more: Partial<ITuningOverview> = {}
): ITuningOverview {
  return {
    TuningJobName: name,
    TuningJobArn: `arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/${name}`,
    Status: 'Completed',
    Strategy: 'Bayesian',
    CreationTime: NOW - 120,
    EndTime: NOW - 60,
    Algorithm: 'xgboost',
    ObjectiveMetric: 'validation:rmse',
    ObjectiveType: 'Minimize',
    BestValue: 0.41237,
    Trials: {
      Total: 12,
      InProgress: 0,
      Completed: 10,
      Stopped: 1,
      Failed: 1,
      Succeeded: 11,
      Limit: 12
    },
    ...more
  };
}

/** A trial of the tuning job `churn`. */
export function trial(
  number: number,
  objective: number,
  more: Partial<ITuningTrial> = {}
): ITuningTrial {
  const name = `churn-${String(number).padStart(3, '0')}-0a1b2c3d`;
  return {
    Number: number,
    TrainingJobName: name,
    TrainingJobArn: `arn:aws:sagemaker:us-east-1:000000000000:training-job/${name}`,
    DefinitionName: '',
    Status: 'Completed',
    ObjectiveStatus: 'Succeeded',
    Parameters: { eta: String(objective / 2), booster: '"gbtree"' },
    Objective: objective,
    Best: false,
    CreationTime: NOW - 100,
    StartTime: NOW - 99,
    EndTime: NOW - 97,
    Epochs: 3,
    Course: { Steps: [1, 2, 3], Values: [0.9, 0.7, objective] },
    Deleted: false,
    ...more
  };
}

export const TRIALS = [
  trial(1, 0.6),
  trial(2, 0.4, { Best: true }),
  trial(3, 0.8, {
    Status: 'Stopped',
    StopReason: 'Its objective is worse than the median.'
  })
];

/** How the tuning job `churn` goes. */
export function progress(
  more: Partial<IDescribeTuningProgressResponse> = {}
): IDescribeTuningProgressResponse {
  return {
    TuningJobName: 'churn',
    Status: 'InProgress',
    Strategy: 'Bayesian',
    EarlyStopping: 'Auto',
    CreationTime: NOW - 120,
    RandomSeed: 7,
    Trials: {
      Total: 4,
      InProgress: 1,
      Completed: 2,
      Stopped: 1,
      Failed: 0,
      Succeeded: 3,
      Limit: 20
    },
    Objectives: [
      {
        DefinitionName: '',
        MetricName: 'validation:rmse',
        Type: 'Minimize',
        Algorithm: 'xgboost'
      }
    ],
    Parameters: [
      {
        DefinitionName: '',
        Name: 'booster',
        Type: 'Categorical',
        Values: ['"gbtree"', '"dart"'],
        Importance: 0.2
      },
      {
        DefinitionName: '',
        Name: 'eta',
        Type: 'Continuous',
        MinValue: 0.01,
        MaxValue: 0.5,
        ScalingType: 'Logarithmic',
        Importance: 0.8
      }
    ],
    Best: {
      Numbers: [1, 2, 3],
      Times: [NOW - 97, NOW - 90, NOW - 80],
      Values: [0.6, 0.4, 0.8],
      Best: [0.6, 0.4, 0.4]
    },
    BestTrial: trial(2, 0.4, { Best: true }),
    RuntimeInSeconds: 120,
    NotImproving: 1,
    StoppedEarly: 1,
    ...more
  };
}

/** What the tuning job `churn` was asked to do. */
export function description(
  more: Partial<IDescribeHyperParameterTuningJobResponse> = {}
): IDescribeHyperParameterTuningJobResponse {
  return {
    HyperParameterTuningJobName: 'churn',
    HyperParameterTuningJobArn:
      'arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/churn',
    HyperParameterTuningJobStatus: 'InProgress',
    HyperParameterTuningJobConfig: {
      Strategy: 'Bayesian',
      HyperParameterTuningJobObjective: {
        Type: 'Minimize',
        MetricName: 'validation:rmse'
      },
      ResourceLimits: {
        MaxNumberOfTrainingJobs: 20,
        MaxParallelTrainingJobs: 2
      },
      TuningJobCompletionCriteria: { TargetObjectiveMetricValue: 0.1 }
    },
    TrainingJobDefinition: {
      StaticHyperParameters: { num_round: '100', note: '"quoted"' },
      AlgorithmSpecification: {
        TrainingImage: 'xgboost',
        TrainingInputMode: 'File'
      },
      RoleArn: 'arn:aws:iam::000000000000:role/service-role/Role',
      OutputDataConfig: { S3OutputPath: 's3://bucket/' },
      ResourceConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 30
      },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 }
    },
    CreationTime: NOW - 120,
    TrainingJobStatusCounters: {
      Completed: 2,
      InProgress: 1,
      RetryableError: 0,
      NonRetryableError: 0,
      Stopped: 1
    },
    ObjectiveStatusCounters: { Succeeded: 3, Pending: 1, Failed: 0 },
    ...more
  };
}

/** A studio that knows the tuning job `churn`. */
export function answers(more: Answers = {}): Answers {
  return {
    'bottega:DescribeTuningProgress': () => progress(),
    'sagemaker:DescribeHyperParameterTuningJob': () => description(),
    'sagemaker:ListTags': () => ({ Tags: [{ Key: 'team', Value: 'ml' }] }),
    'bottega:ListTuningTrials': () => ({
      Trials: TRIALS,
      Total: TRIALS.length
    }),
    ...more
  };
}
