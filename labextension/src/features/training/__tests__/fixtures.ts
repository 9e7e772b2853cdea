import type {
  IAlgorithmDescription,
  IDescribeTrainingJobResponse,
  IHyperParameterDescription,
  IListAlgorithmsResponse,
  IPreviewDataResponse
} from '../../../api/types/training';
import type { Answers } from '../../../testing/fakeClient';
import type { IDraft } from '../draft';
import { newDraft } from '../draft';
import type { IFiles } from '../files';

function parameter(
  name: string,
  more: Partial<IHyperParameterDescription>
): IHyperParameterDescription {
  return {
    Name: name,
    Type: 'Continuous',
    Description: `What ${name} is.`,
    Required: false,
    Range: 'any text',
    Tunable: false,
    Essential: false,
    ...more
  };
}

export const XGBOOST: IAlgorithmDescription = {
  Name: 'xgboost',
  DisplayName: 'XGBoost',
  Description: 'Boosted trees for tables.',
  TrainingImage: 'xgboost',
  Supervised: true,
  ReadsTables: true,
  Channels: [
    {
      Name: 'train',
      Required: true,
      ContentTypes: ['text/csv'],
      Description: 'Rows to learn from.'
    },
    {
      Name: 'validation',
      Required: false,
      ContentTypes: ['text/csv'],
      Description: 'Rows to evaluate on.'
    }
  ],
  HyperParameters: [
    parameter('num_round', {
      Type: 'Integer',
      Required: true,
      Essential: true,
      Minimum: 1,
      Range: '[1,∞)'
    }),
    parameter('objective', {
      Type: 'Categorical',
      Essential: true,
      Default: 'reg:squarederror',
      Choices: ['reg:squarederror', 'binary:logistic', 'multi:softmax'],
      Range: 'reg:squarederror, binary:logistic, multi:softmax'
    }),
    parameter('num_class', {
      Type: 'Integer',
      Minimum: 2,
      Range: '[2,∞)',
      RequiredWhen: { Name: 'objective', Values: ['multi:softmax'] },
      UsedWhen: { Name: 'objective', Values: ['multi:softmax'] }
    }),
    parameter('eta', {
      Essential: true,
      Default: '0.3',
      Minimum: 0,
      Maximum: 1,
      ExclusiveMinimum: false,
      ExclusiveMaximum: false,
      Range: '[0,1]',
      Tunable: true,
      TunableRange: { Minimum: 0.1, Maximum: 0.5, ScalingType: 'Linear' }
    }),
    parameter('subsample', {
      Tunable: true,
      Default: '1',
      Minimum: 0,
      Maximum: 1,
      ExclusiveMinimum: true,
      Range: '(0,1]'
    }),
    parameter('booster', {
      Type: 'Categorical',
      Default: 'gbtree',
      Choices: ['gbtree', 'dart'],
      Range: 'gbtree, dart',
      Tunable: true
    }),
    parameter('rate_drop', {
      Default: '0',
      Minimum: 0,
      Maximum: 1,
      Range: '[0,1]',
      UsedWhen: { Name: 'booster', Values: ['dart'] }
    }),
    parameter('eval_metric', { Type: 'FreeText' })
  ],
  Metrics: [
    { Name: 'train:rmse', Direction: 'Minimize' },
    { Name: 'validation:rmse', Direction: 'Minimize' },
    { Name: 'validation:auc', Direction: 'Maximize' }
  ],
  DefaultHyperParameters: { num_round: '100' }
};

export const KMEANS: IAlgorithmDescription = {
  Name: 'kmeans',
  DisplayName: 'K-Means',
  Description: 'Groups of rows that are alike.',
  TrainingImage: 'kmeans',
  Supervised: false,
  ReadsTables: true,
  Channels: ['train', 'test'].map(name => ({
    Name: name,
    Required: name === 'train',
    ContentTypes: [
      'application/x-recordio-protobuf',
      'text/csv;label_size=0',
      'text/csv'
    ],
    Description: `Rows to ${name} on.`
  })),
  HyperParameters: [
    parameter('k', {
      Type: 'Integer',
      Required: true,
      Minimum: 2,
      Range: '[2,∞)'
    }),
    parameter('feature_dim', {
      Type: 'Integer',
      Required: true,
      Minimum: 1,
      Range: '[1,∞)'
    }),
    parameter('extra_center_factor', {
      Type: 'Integer',
      Essential: true,
      Default: 'auto',
      Minimum: 1,
      Range: '[1,∞) or auto',
      AlsoAccepts: ['auto']
    })
  ],
  Metrics: [{ Name: 'test:msd', Direction: 'Minimize' }],
  DefaultHyperParameters: { k: '10' }
};

export const SEQ2SEQ: IAlgorithmDescription = {
  Name: 'seq2seq',
  DisplayName: 'Sequence-to-Sequence',
  Description: 'Turns one sequence into another.',
  Missing: 'The algorithm seq2seq needs torch.',
  TrainingImage: 'seq2seq',
  Supervised: true,
  ReadsTables: false,
  Channels: ['train', 'validation', 'vocab'].map(name => ({
    Name: name,
    Required: true,
    ContentTypes: [
      name === 'vocab' ? 'application/json' : 'application/x-recordio-protobuf'
    ],
    Description: `What ${name} holds.`
  })),
  HyperParameters: [],
  Metrics: [],
  DefaultHyperParameters: {}
};

export const IMAGES: IAlgorithmDescription = {
  Name: 'image-classification',
  DisplayName: 'Image Classification',
  Description: 'Tells what is on an image.',
  TrainingImage: 'image-classification',
  Supervised: true,
  ReadsTables: false,
  Channels: ['train', 'validation', 'train_lst', 'model'].map(name => ({
    Name: name,
    Required: name === 'train',
    ContentTypes:
      name === 'model'
        ? ['application/x-sagemaker-model']
        : ['application/x-recordio', 'application/x-image'],
    Description: `What ${name} holds.`
  })),
  HyperParameters: [],
  Metrics: [],
  DefaultHyperParameters: {}
};

/** As the server lists them. */
export const ALL: readonly IAlgorithmDescription[] = [
  IMAGES,
  KMEANS,
  SEQ2SEQ,
  XGBOOST
];

export const CATALOG: IListAlgorithmsResponse = {
  Algorithms: [...ALL],
  Frameworks: [
    {
      Name: 'scikit-learn',
      DisplayName: 'scikit-learn',
      Description: 'Python with scikit-learn.',
      TrainingImage: 'scikit-learn'
    },
    {
      Name: 'python',
      DisplayName: 'Python',
      Description: 'Python alone.',
      TrainingImage: 'python'
    }
  ],
  InstanceTypes: [
    {
      InstanceType: 'ml.m5.large',
      Description: '2 cores',
      Default: true
    },
    {
      InstanceType: 'ml.m5.xlarge',
      Description: '4 cores',
      Default: false
    }
  ]
};

export const STUDIO = {
  roleArn: 'arn:aws:iam::000000000000:role/bottega',
  bucket: 'bottega-data'
};

export const CHURN: IPreviewDataResponse = {
  S3Uri: '',
  Objects: 1,
  TotalBytes: 2048,
  Format: 'csv',
  HasHeader: true,
  Columns: [
    { Name: 'tenure', Type: 'integer' },
    { Name: 'charges', Type: 'number', Missing: 1 },
    { Name: 'churn', Type: 'integer' }
  ],
  Rows: [
    ['1', '29.85', '0'],
    ['34', '', '1']
  ],
  Truncated: true
};

/** What a daemon would answer to everything that the form asks. */
export function answers(more: Answers = {}): Answers {
  return {
    'bottega:ListAlgorithms': () => CATALOG,
    'bottega:DescribeStudio': () => ({
      Version: '0.1.0',
      Home: '/home/ada/.bottega',
      AccountId: '000000000000',
      Region: 'eu-west-1',
      DefaultBucket: STUDIO.bucket,
      RoleArn: STUDIO.roleArn,
      Slots: 2,
      SlotsInUse: 0
    }),
    'bottega:ListTrackedExperiments': () => ({ Experiments: [], Total: 0 }),
    'bottega:CheckTrainingJob': () => ({
      Findings: [],
      SlotsWanted: 1,
      SlotsFree: 2,
      JobsAhead: 0
    }),
    'bottega:PreviewData': () => CHURN,
    'sagemaker:CreateTrainingJob': () => ({ TrainingJobArn: 'arn:job' }),
    ...more
  };
}

/** The draft of a form that has been filled in. */
export function filledDraft(change: Partial<IDraft> = {}): IDraft {
  return {
    ...newDraft(CATALOG, 'ml.m5.large'),
    name: 'churn-1',
    sources: { train: { kind: 'file', path: 'data/churn.csv' } },
    target: 'churn',
    ...change
  };
}

/** A job as DescribeTrainingJob has it. */
export function job(
  change: Partial<IDescribeTrainingJobResponse> = {}
): IDescribeTrainingJobResponse {
  return {
    TrainingJobName: 'churn-0',
    TrainingJobArn:
      'arn:aws:sagemaker:eu-west-1:000000000000:training-job/churn-0',
    TrainingJobStatus: 'Completed',
    SecondaryStatus: 'Completed',
    CreationTime: 1,
    ModelArtifacts: {
      S3ModelArtifacts: 's3://bottega-data/churn-0/output/model.tar.gz'
    },
    RoleArn: STUDIO.roleArn,
    AlgorithmSpecification: {
      TrainingImage: 'xgboost',
      TrainingInputMode: 'File',
      MetricDefinitions: [{ Name: 'train:rmse', Regex: 'rmse:(.*)' }]
    },
    HyperParameters: { num_round: '20', eta: '0.10', learning_rate_x: '1' },
    InputDataConfig: [
      {
        ChannelName: 'train',
        ContentType: 'text/csv',
        DataSource: {
          S3DataSource: {
            S3DataType: 'S3Prefix',
            S3Uri: 's3://bottega-data/churn-0/input/train/train.csv',
            S3DataDistributionType: 'FullyReplicated'
          }
        }
      }
    ],
    OutputDataConfig: { S3OutputPath: 's3://elsewhere/' },
    ResourceConfig: {
      InstanceType: 'ml.m5.xlarge',
      InstanceCount: 2,
      VolumeSizeInGB: 50
    },
    StoppingCondition: { MaxRuntimeInSeconds: 90 },
    ExperimentConfig: { ExperimentName: 'churn' },
    EnableNetworkIsolation: true,
    EnableManagedSpotTraining: false,
    EnableInterContainerTrafficEncryption: false,
    Environment: { LEVEL: 'debug' },
    ...change
  };
}

/** A file browser with one folder. */
export const FILES: IFiles = {
  complete: () => Promise.resolve(['data/churn.csv', 'data/valid.csv']),
  browse: () => Promise.resolve('data/churn.csv'),
  folder: path =>
    Promise.resolve(
      path.endsWith('/') ? { files: 2, folders: 1, bytes: 2048 } : null
    )
};
