import { Dialog } from '@jupyterlab/apputils';
import { acceptDialog, waitForDialog } from '@jupyterlab/testing';
import {
  act,
  fireEvent,
  render,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import { FakeClient, screenProps, trans } from '../../../testing/fakeClient';
import { giveSizes, showScreen } from '../../../testing/liveScreen';
import { GroupScreen } from '../group';
import { joined, pathOf } from '../lineage';
import { ModelsScreen } from '../list';
import { modelsSection } from '../section';
import { concernsGroup, metricsText } from '../versions';
import { answers, ARN, described, node, version } from './fixtures';

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

beforeAll(giveSizes);
beforeEach(() => {
  userEvent.setup(); // gives the clipboard
});
afterEach(() => {
  Dialog.flush();
});

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
    await userEvent.click(
      await screen.findByRole('button', { name: 'Approve' })
    );
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

  it('approves and deploys in one step', async () => {
    const props = screenProps(answers, { name: 'churn' });
    render(<GroupScreen {...props} />);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Approve and deploy' })
    );
    expect(props.studio.executed).toContainEqual({
      command: 'bottega:deploy',
      args: { version: 'churn/2', approve: true }
    });
  });

  it('says why a version is not valid; it can be rejected and copied like others', async () => {
    const props = screenProps(
      {
        ...answers,
        'sagemaker:UpdateModelPackage': () => ({
          ModelPackageArn: `${ARN}/2`
        }),
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
    for (const name of ['Approve', 'Approve and deploy']) {
      expect(
        screen.getByRole<HTMLButtonElement>('button', { name }).disabled
      ).toBe(true);
    }
    const version = within(screen.getByRole('region', { name: 'Version 2' }));
    await userEvent.click(
      version.getByRole('button', { name: 'Copy as Python' })
    );
    expect(await version.findByText('Copied')).toBeTruthy();
    const copied = await navigator.clipboard.readText();
    expect(copied).toContain('describe_model_package');
    expect(copied).toContain('ModelApprovalStatus="Rejected"');
    expect(copied).not.toContain('create_model(');
    await userEvent.click(version.getByRole('button', { name: 'Reject' }));
    await acceptDialog();
    await waitFor(() =>
      expect(props.client.requests('sagemaker:UpdateModelPackage')).toEqual([
        {
          ModelPackageArn: `${ARN}/2`,
          ModelApprovalStatus: 'Rejected',
          ApprovalDescription: ''
        }
      ])
    );
  });

  it('copies a version as code that approves it and makes a model', async () => {
    render(<GroupScreen {...screenProps(answers, { name: 'churn' })} />);
    const version = within(
      await screen.findByRole('region', { name: 'Version 2' })
    );
    await userEvent.click(
      await version.findByRole('button', { name: 'Copy as Python' })
    );
    await version.findByText('Copied');
    const copied = await navigator.clipboard.readText();
    expect(copied).toContain('create_model(');
    expect(copied).toContain('"arn:aws:iam::000000000000:role/Role"');
  });

  it('filters versions, and keeps the one that is shown by name', async () => {
    const props = screenProps(
      {
        ...answers,
        'bottega:ListModelVersions': ({ Filter: filter = '' }) => {
          if (filter === 'colour:red') {
            throw new BottegaError(
              'ValidationException',
              "Filter has the condition 'colour:red'.",
              400
            );
          }
          return filter === 'approval:Approved'
            ? { Versions: [version(1, { Approval: 'Approved' })], Total: 1 }
            : { Versions: [], Total: 0 };
        }
      },
      { name: 'churn', parameters: { filter: 'approval:Approved' } }
    );
    const { container, frame } = showScreen(GroupScreen, props);
    expect(
      await screen.findByRole('heading', { name: 'Version 1' })
    ).toBeTruthy();
    expect(
      screen.getByRole<HTMLButtonElement>('button', { name: 'Delete group' })
        .disabled
    ).toBe(true);
    const box = screen.getByRole('searchbox', { name: 'Filter versions' });
    await userEvent.clear(box);
    await userEvent.type(box, 'nothing{Enter}');
    expect(await screen.findByText(/No version matches/)).toBeTruthy();
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.clear(box);
    await userEvent.type(box, 'colour:red{Enter}');
    await waitFor(() => expect(box.getAttribute('aria-invalid')).toBe('true'));
    expect(
      document.getElementById(box.getAttribute('aria-describedby') ?? '')
        ?.textContent
    ).toMatch(/the condition 'colour:red'/);
    act(() => frame.setParameters({ filter: 'nothing', version: '1' }));
    expect(
      await screen.findByRole('heading', { name: 'Version 1' })
    ).toBeTruthy();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Clear the filter' })
    );
    expect(frame.parameters).toEqual({ filter: '', version: '' });
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
    expect(pathOf(node({ Type: 'Run', Name: 'r1' }))).toBe('runs/r1');
    expect(
      joined([
        { Source: 'a', Target: 'b', Label: 'train' },
        { Source: 'a', Target: 'b', Label: 'validation' },
        { Source: 'b', Target: 'c' }
      ])
    ).toEqual([
      { id: 'a>b', source: 'a', target: 'b', label: 'train, validation' },
      { id: 'b>c', source: 'b', target: 'c' }
    ]);
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
