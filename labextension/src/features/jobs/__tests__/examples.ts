import type {
  IDescribeModelLineageResponse,
  ILineageNode
} from '../../../api/types/registry';
import type {
  IDescribeTrainingJobResponse,
  IJobOverview,
  IMetricCourse
} from '../../../api/types/training';

/** 12:00:00 of some day, in seconds. */
export const NOON = 1_795_694_400;

/** A completed XGBoost job, with what a test wants to be different. */
export function job(
  changes: Partial<IDescribeTrainingJobResponse> = {}
): IDescribeTrainingJobResponse {
  return {
    TrainingJobName: 'churn-0412',
    TrainingJobArn: 'arn:aws:sagemaker:x:0:training-job/churn-0412',
    ModelArtifacts: {
      S3ModelArtifacts: 's3://b/out/churn-0412/output/model.tar.gz'
    },
    TrainingJobStatus: 'Completed',
    SecondaryStatus: 'Completed',
    HyperParameters: { num_round: '300', eta: '0.30', max_depth: '4' },
    AlgorithmSpecification: {
      TrainingImage:
        '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1',
      TrainingInputMode: 'File',
      MetricDefinitions: [{ Name: 'train:auc', Regex: 'auc:(.*)' }]
    },
    RoleArn: 'arn:aws:iam::000000000000:role/Role',
    InputDataConfig: [
      {
        ChannelName: 'train',
        ContentType: 'text/csv',
        DataSource: {
          S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://b/train.csv' }
        }
      }
    ],
    OutputDataConfig: { S3OutputPath: 's3://b/out/' },
    ResourceConfig: {
      InstanceType: 'ml.m5.large',
      InstanceCount: 1,
      VolumeSizeInGB: 30
    },
    StoppingCondition: { MaxRuntimeInSeconds: 3600 },
    EnableNetworkIsolation: false,
    CreationTime: NOON,
    TrainingStartTime: NOON + 1,
    TrainingEndTime: NOON + 61,
    SecondaryStatusTransitions: [
      { Status: 'Starting', StartTime: NOON, EndTime: NOON + 1 },
      { Status: 'Downloading', StartTime: NOON + 1, EndTime: NOON + 2 },
      { Status: 'Training', StartTime: NOON + 2, EndTime: NOON + 60 },
      { Status: 'Uploading', StartTime: NOON + 60, EndTime: NOON + 61 },
      { Status: 'Completed', StartTime: NOON + 61, EndTime: NOON + 61 }
    ],
    MlflowDetails: { MlflowExperimentId: '3', MlflowRunId: 'abcdef0123456789' },
    ExperimentConfig: { ExperimentName: 'churn' },
    ...changes
  };
}

/** The same job while it trains. */
export function runningJob(
  changes: Partial<IDescribeTrainingJobResponse> = {}
): IDescribeTrainingJobResponse {
  const whole = job({
    TrainingJobStatus: 'InProgress',
    SecondaryStatus: 'Training',
    SecondaryStatusTransitions: [
      { Status: 'Starting', StartTime: NOON, EndTime: NOON + 1 },
      { Status: 'Downloading', StartTime: NOON + 1, EndTime: NOON + 2 },
      { Status: 'Training', StartTime: NOON + 2 }
    ],
    ...changes
  });
  delete whole.TrainingEndTime;
  return whole;
}

/** A line of the list. */
export function overview(changes: Partial<IJobOverview> = {}): IJobOverview {
  return {
    JobName: 'churn-0412',
    JobArn: 'arn:aws:sagemaker:x:0:training-job/churn-0412',
    Kind: 'Training',
    Status: 'Completed',
    SecondaryStatus: 'Completed',
    Algorithm: 'xgboost',
    CreationTime: NOON,
    StartTime: NOON + 1,
    EndTime: NOON + 61,
    InstanceType: 'ml.m5.large',
    InstanceCount: 1,
    ObjectiveMetric: 'validation:auc',
    ObjectiveValue: 0.84123,
    ObjectiveTrend: [0.7, 0.8, 0.84],
    ...changes
  };
}

/** A metric with a value a second. */
export function course(name: string, values: number[]): IMetricCourse {
  return {
    Name: name,
    Steps: values.map((_, step) => step),
    Times: values.map((_, step) => NOON + 2 + step),
    Values: values,
    Points: values.length
  };
}

/** The lineage of a job from whose model these things were made. */
export function lineage(
  ...made: Array<Pick<ILineageNode, 'Type' | 'Name'> & Partial<ILineageNode>>
): IDescribeModelLineageResponse {
  const nodes = made.map((node, index) => ({
    Id: `made-${index}`,
    Exists: true,
    ...node
  }));
  return {
    Focus: 'job',
    Nodes: [
      { Id: 'job', Type: 'TrainingJob', Name: 'churn-0412', Exists: true },
      { Id: 'data', Type: 'Data', Name: 's3://b/model.tar.gz', Exists: true },
      ...nodes
    ],
    Edges: [
      { Source: 'job', Target: 'data' },
      ...nodes.map(node => ({ Source: 'data', Target: node.Id }))
    ],
    Truncated: false
  };
}
