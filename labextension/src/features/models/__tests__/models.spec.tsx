import { acceptDialog, waitForDialog } from '@jupyterlab/testing';
import {
  fireEvent,
  render,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type {
  IDescribeModelPackageOutput,
  ILineageNode,
  IModelVersion,
  IRegistryGroup
} from '../../../api/types/registry';
import type { Answers } from '../../../testing/fakeClient';
import { FakeClient, screenProps, trans } from '../../../testing/fakeClient';
import { GroupScreen } from '../group';
import { pathOf } from '../lineage';
import { ModelsScreen } from '../list';
import { modelsSection } from '../section';
import { concernsGroup, metricsText } from '../versions';

// The graph's library measures what jsdom does not lay out.
jest.mock('../../../shared/graph/layeredGraph', () => ({
  LayeredGraph: (props: {
    graph: { nodes: Array<{ id: string }> };
    render: (id: string) => unknown;
    label: string;
  }) => (
    <div role="group" aria-label={props.label}>
      {props.graph.nodes.map(node => (
        <div key={node.id}>{props.render(node.id) as JSX.Element}</div>
      ))}
    </div>
  )
}));

const ARN = 'arn:aws:sagemaker:us-east-1:000000000000:model-package/churn';

const group: IRegistryGroup = {
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

const version = (
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

const described = (
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

const node = (more: Partial<ILineageNode>): ILineageNode => ({
  Id: '1',
  Type: 'TrainingJob',
  Name: 'churn-job',
  Exists: true,
  ...more
});

const answers: Answers = {
  'bottega:ListRegistryGroups': () => ({ Groups: [group], Total: 1 }),
  'bottega:ListModelVersions': () => ({
    Versions: [version(2), version(1, { Approval: 'Approved' })],
    Total: 2
  }),
  'sagemaker:DescribeModelPackage': () => described(),
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

describe('ModelsScreen', () => {
  it('lists groups and opens one', async () => {
    const props = screenProps(answers);
    const { container } = render(<ModelsScreen {...props} />);
    const row = await screen.findByRole('row', { name: /churn/ });
    expect(row.textContent).toContain('2 · Waits for approval');
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.dblClick(within(row).getByText('churn'));
    expect(props.studio.opened).toContain('models/churn');
  });

  it('says how a first model is registered', async () => {
    const props = screenProps({
      'bottega:ListRegistryGroups': () => ({ Groups: [], Total: 0 })
    });
    render(<ModelsScreen {...props} />);
    expect(await screen.findByText(/No model is registered yet/)).toBeTruthy();
  });
});

describe('GroupScreen', () => {
  it('shows the newest version with its lineage, and the way to others', async () => {
    const props = screenProps(answers, { name: 'churn' });
    const { container } = render(<GroupScreen {...props} />);
    expect(
      await screen.findByRole('heading', { name: 'Version 2' })
    ).toBeTruthy();
    const job = await screen.findByRole('button', { name: /churn-job/ });
    await userEvent.click(job);
    expect(props.studio.opened).toContain('jobs/churn-job');
    expect(screen.getByText('gone').closest('button')).toBeNull();
    expect((await axe(container)).violations).toEqual([]);
  });

  it('approves with a reason, after asking', async () => {
    const asked: unknown[] = [];
    const props = screenProps(
      {
        ...answers,
        'sagemaker:UpdateModelPackage': request => {
          asked.push(request);
          return { ModelPackageArn: `${ARN}/2` };
        }
      },
      { name: 'churn' }
    );
    render(<GroupScreen {...props} />);
    const deploy = await screen.findByRole<HTMLButtonElement>('button', {
      name: 'Deploy'
    });
    expect(deploy.disabled).toBe(true);
    await userEvent.click(screen.getByRole('button', { name: 'Approve' }));
    await waitForDialog();
    const reason = document.querySelector<HTMLInputElement>('.jp-Dialog input');
    fireEvent.change(reason as HTMLInputElement, {
      target: { value: 'better' }
    });
    await acceptDialog();
    await waitFor(() =>
      expect(asked).toEqual([
        {
          ModelPackageArn: `${ARN}/2`,
          ModelApprovalStatus: 'Approved',
          ApprovalDescription: 'better'
        }
      ])
    );
  });

  it('deploys an approved version', async () => {
    const props = screenProps(
      {
        ...answers,
        'sagemaker:DescribeModelPackage': () =>
          described({ ModelApprovalStatus: 'Approved' })
      },
      { name: 'churn' }
    );
    render(<GroupScreen {...props} />);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Deploy' })
    );
    expect(props.studio.executed).toContainEqual({
      command: 'bottega:deploy',
      args: { version: 'churn/2' }
    });
  });

  it('says why a version is not valid', async () => {
    const props = screenProps(
      {
        ...answers,
        'sagemaker:DescribeModelPackage': () =>
          described({
            ModelPackageStatus: 'Failed',
            ModelPackageStatusDetails: {
              ValidationStatuses: [
                {
                  Name: 's3://b/model.tar.gz',
                  Status: 'Failed',
                  FailureReason: 'Could not find model data.'
                }
              ]
            }
          })
      },
      { name: 'churn' }
    );
    render(<GroupScreen {...props} />);
    expect((await screen.findByRole('alert')).textContent).toContain(
      'Could not find model data.'
    );
  });

  it('leads back from a group that is not there', async () => {
    const props = screenProps(
      {
        'bottega:ListModelVersions': () => {
          throw new BottegaError(
            'ValidationException',
            'ModelPackageGroup churn does not exist.',
            400
          );
        }
      },
      { name: 'churn' }
    );
    render(<GroupScreen {...props} />);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Show all models' })
    );
    expect(props.studio.opened).toContain('models');
  });
});

describe('words and paths', () => {
  it('are made of what the server says', async () => {
    expect(metricsText(version(1).Metrics)).toBe('validation:rmse 0.4123');
    expect(pathOf(node({ Type: 'ModelPackage', Name: 'churn/2' }))).toBe(
      'models/churn?version=2'
    );
    expect(pathOf(node({ Type: 'Data', Name: 's3://b/k' }))).toBeNull();
    const event = { Time: 0, Type: 'ResourceChanged' as const };
    expect(
      concernsGroup(
        { ...event, Kind: 'ModelPackage', Name: 'churn/2' },
        'Churn'
      )
    ).toBe(true);
    expect(
      concernsGroup({ ...event, Kind: 'Endpoint', Name: 'churn' }, 'churn')
    ).toBe(false);
    const section = modelsSection(new FakeClient(answers), trans);
    expect((await section.load()).items).toEqual([
      {
        label: 'churn',
        path: 'models/churn',
        status: 'Completed',
        note: 'version 2'
      }
    ]);
  });
});
