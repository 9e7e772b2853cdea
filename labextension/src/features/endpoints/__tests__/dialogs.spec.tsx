import { Dialog } from '@jupyterlab/apputils';
import { acceptDialog, dismissDialog } from '@jupyterlab/testing';
import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { IDeployRequest } from '../../../api/client';
import type { IDescribeEndpointConfigOutput } from '../../../api/types/hosting';
import { FakeClient, trans } from '../../../testing/fakeClient';
import { DeployForm, suggestedName } from '../deployDialog';
import { removeEndpoint } from '../removal';
import { configName, newConfig, UpdateForm } from '../updateDialog';

const config: IDescribeEndpointConfigOutput = {
  EndpointConfigName: 'churn-config',
  EndpointConfigArn:
    'arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/churn-config',
  CreationTime: 1000,
  ProductionVariants: [
    { VariantName: 'blue', ModelName: 'churn-1', InitialInstanceCount: 1 },
    { VariantName: 'green', ModelName: 'churn-1', InitialInstanceCount: 1 }
  ]
};

describe('DeployForm', () => {
  it('suggests a name, and takes another', async () => {
    const asked: Array<IDeployRequest | null> = [];
    const { container } = render(
      <DeployForm
        initial={{}}
        jobs={['churn-2', 'churn-1']}
        trans={trans}
        onChange={request => asked.push(request)}
      />
    );
    const last = (): IDeployRequest | null | undefined =>
      asked[asked.length - 1];
    expect(last()).toEqual({
      job: 'churn-2',
      name: 'churn-2',
      instance_count: 1
    });
    await userEvent.selectOptions(
      screen.getByLabelText('Training job'),
      'churn-1'
    );
    const name = screen.getByLabelText('Endpoint name');
    await userEvent.type(name, 'live');
    expect(last()).toEqual({ job: 'churn-1', name: 'live', instance_count: 1 });
    await userEvent.type(name, '_1');
    expect(last()).toBeNull();
    expect(screen.getByRole('alert')).toBeTruthy();
    expect(name.matches(':invalid')).toBe(true);
    expect((await axe(container)).violations).toEqual([]);
  });

  it('deploys serverless or asynchronous, and captures', async () => {
    const onChange = jest.fn();
    render(
      <DeployForm
        initial={{ job: 'churn-1' }}
        jobs={null}
        trans={trans}
        onChange={onChange}
      />
    );
    const kind = screen.getByLabelText('Kind');
    await userEvent.selectOptions(kind, 'serverless');
    fireEvent.change(screen.getByLabelText('Requests at once, at most'), {
      target: { value: '8' }
    });
    expect(onChange).toHaveBeenLastCalledWith({
      job: 'churn-1',
      name: 'churn-1',
      serverless_concurrency: 8
    });
    await userEvent.selectOptions(kind, 'asynchronous');
    fireEvent.change(screen.getByLabelText('Capture, % of the requests'), {
      target: { value: '20' }
    });
    expect(onChange).toHaveBeenLastCalledWith({
      job: 'churn-1',
      name: 'churn-1',
      instance_count: 8,
      asynchronous: true,
      capture_percent: 20
    });
  });

  it('says that there is nothing to deploy', () => {
    render(
      <DeployForm initial={{}} jobs={[]} trans={trans} onChange={jest.fn()} />
    );
    expect(screen.getByText(/no completed training job/)).toBeTruthy();
  });

  it('deploys the model of a run', () => {
    const onChange = jest.fn();
    render(
      <DeployForm
        initial={{ run: 'abc' }}
        jobs={null}
        trans={trans}
        onChange={onChange}
      />
    );
    expect(onChange).toHaveBeenLastCalledWith({
      run: 'abc',
      name: 'run-abc',
      instance_count: 1
    });
  });
});

it('makes names that may be names', () => {
  expect(suggestedName('a job_1.x')).toBe('a-job-1-x');
  expect(suggestedName(`${'x'.repeat(62)}-y`)).toBe('x'.repeat(62));
  expect(configName('churn', new Date('2026-11-26T14:03:12Z'))).toBe(
    'churn-20261126-140312'
  );
  expect(configName('x'.repeat(63), new Date()).length).toBeLessThanOrEqual(63);
});

it('changes variants, and keeps the rest of a configuration', async () => {
  const onChange = jest.fn();
  const { container } = render(
    <UpdateForm
      variants={config.ProductionVariants}
      models={['churn-1', 'churn-2']}
      trans={trans}
      onChange={onChange}
    />
  );
  const [model] = screen.getAllByLabelText('Model');
  await userEvent.selectOptions(model as HTMLElement, 'churn-2');
  const [variants] = onChange.mock.lastCall;
  expect(variants).toEqual([
    { VariantName: 'blue', ModelName: 'churn-2', InitialInstanceCount: 1 },
    config.ProductionVariants[1]
  ]);
  expect(newConfig(config, variants, 'next')).toEqual({
    EndpointConfigName: 'next',
    ProductionVariants: variants
  });
  expect((await axe(container)).violations).toEqual([]);
});

it('shows the model that a variant has, however old it is', () => {
  render(
    <UpdateForm
      variants={config.ProductionVariants}
      models={['newest', 'newer']}
      trans={trans}
      onChange={jest.fn()}
    />
  );
  for (const choice of screen.getAllByLabelText('Model')) {
    expect(choice).toHaveProperty('value', 'churn-1');
  }
});

describe('removeEndpoint', () => {
  afterEach(() => {
    Dialog.flush();
  });

  /** A client whose endpoint has a configuration of its own, and two models of which one is. */
  const studio = (): FakeClient =>
    new FakeClient({
      'sagemaker:DescribeEndpoint': () => ({
        EndpointName: 'churn',
        EndpointArn: 'arn:endpoint/churn',
        EndpointConfigName: 'churn-config',
        EndpointStatus: 'InService',
        CreationTime: 1,
        LastModifiedTime: 1
      }),
      'sagemaker:DescribeEndpointConfig': () => ({
        ...config,
        ProductionVariants: [
          { VariantName: 'blue', ModelName: 'churn-1' },
          { VariantName: 'green', ModelName: 'shared' }
        ]
      }),
      'sagemaker:DescribeModel': ({ ModelName: name }) => ({
        ModelName: name,
        ModelArn: `arn:model/${name}`,
        CreationTime: 1
      }),
      'sagemaker:ListTags': ({ ResourceArn: arn }) => ({
        Tags: arn.endsWith('shared')
          ? []
          : [{ Key: 'bottega:endpoint', Value: 'churn' }]
      }),
      'sagemaker:DeleteEndpoint': () => ({}),
      'sagemaker:DeleteEndpointConfig': () => ({}),
      'sagemaker:DeleteModel': () => ({})
    });

  it('deletes what was made for it, in an order that works, and nothing else', async () => {
    const client = studio();
    const removed = removeEndpoint(client, 'churn', trans);
    await acceptDialog();
    expect(await removed).toBe(true);
    const deletions = client.calls.filter(call =>
      call.operation.includes(':Delete')
    );
    expect(deletions).toEqual([
      {
        operation: 'sagemaker:DeleteEndpoint',
        request: { EndpointName: 'churn' }
      },
      {
        operation: 'sagemaker:DeleteEndpointConfig',
        request: { EndpointConfigName: 'churn-config' }
      },
      { operation: 'sagemaker:DeleteModel', request: { ModelName: 'churn-1' } }
    ]);
  });

  it('does nothing when the user thinks better of it', async () => {
    const client = new FakeClient();
    const removed = removeEndpoint(client, 'churn', trans);
    await dismissDialog();
    expect(await removed).toBe(false);
    expect(client.calls).toEqual([]);
  });
});
