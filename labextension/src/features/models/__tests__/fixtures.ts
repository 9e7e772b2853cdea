import type {
  IDescribeModelPackageOutput,
  ILineageNode,
  IModelVersion,
  IRegistryGroup
} from '../../../api/types/registry';
import type { IDescribeStudioResponse } from '../../../api/types/studio';
import type { Answers } from '../../../testing/fakeClient';

/** Of the group whose versions the tests show. */
export const ARN =
  'arn:aws:sagemaker:us-east-1:000000000000:model-package/churn';

/** A group of two versions, of which the older one is approved and serves. */
export const group: IRegistryGroup = {
  GroupName: 'churn',
  GroupArn:
    'arn:aws:sagemaker:us-east-1:000000000000:model-package-group/churn',
  CreationTime: Date.now() / 1000 - 600,
  Versions: 2,
  NewestVersion: 2,
  NewestStatus: 'Completed',
  NewestApproval: 'PendingManualApproval',
  NewestApprovedVersion: 1,
  Endpoints: ['live']
};

/** A line of the table of versions. */
export const version = (
  number: number,
  more: Partial<IModelVersion> = {}
): IModelVersion => ({
  Version: number,
  ModelPackageArn: `${ARN}/${number}`,
  Status: 'Completed',
  Approval: 'PendingManualApproval',
  CreationTime: Date.now() / 1000 - 60,
  CreatedBy: 'arn:aws:sts::000000000000:assumed-role/Role/owner',
  TrainingJobName: 'churn-job',
  Metrics: [{ Name: 'validation:rmse', Value: 0.4123 }],
  Models: [],
  Endpoints: [],
  ...more
});

/** DescribeModelPackage's answer about the second version. */
export const described = (
  more: Partial<IDescribeModelPackageOutput> = {}
): IDescribeModelPackageOutput => ({
  ModelPackageName: 'churn/2',
  ModelPackageArn: `${ARN}/2`,
  CreationTime: 1000,
  ModelPackageStatus: 'Completed',
  ModelPackageStatusDetails: { ValidationStatuses: [] },
  ModelApprovalStatus: 'PendingManualApproval',
  InferenceSpecification: {
    Containers: [{ Image: 'xgboost', ModelDataUrl: 's3://b/model.tar.gz' }]
  },
  ...more
});

const studioFacts: IDescribeStudioResponse = {
  Version: '0.1.0',
  Home: '/home/ada/.bottega',
  AccountId: '000000000000',
  Region: 'us-east-1',
  DefaultBucket: 'b',
  RoleArn: 'arn:aws:iam::000000000000:role/Role',
  Slots: 2,
  SlotsInUse: 0
};

/** A training job in a lineage, with what a test wants to be different. */
export const node = (more: Partial<ILineageNode>): ILineageNode => ({
  Id: '1',
  Type: 'TrainingJob',
  Name: 'churn-job',
  Exists: true,
  ...more
});

/** A group of two versions of which the newer one waits for approval. */
export const answers: Answers = {
  'bottega:ListRegistryGroups': () => ({ Groups: [group], Total: 1 }),
  'bottega:ListModelVersions': () => ({
    Versions: [version(2), version(1, { Approval: 'Approved' })],
    Total: 2
  }),
  'sagemaker:DescribeModelPackage': () => described(),
  'bottega:DescribeStudio': () => studioFacts,
  'bottega:DescribeModelLineage': () => ({
    Nodes: [
      node({ Id: 'v', Type: 'ModelPackage', Name: 'churn/2' }),
      node({ Id: 'j' }),
      node({ Id: 'g', Type: 'Endpoint', Name: 'gone', Exists: false })
    ],
    Edges: [{ Source: 'j', Target: 'v' }],
    Focus: 'v',
    Truncated: false
  })
};
