import { Dialog } from '@jupyterlab/apputils';
import {
  acceptDialog,
  dismissDialog,
  waitForDialog
} from '@jupyterlab/testing';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import type { IDeployRequest } from '../../../api/client';
import { BottegaError } from '../../../api/request';
import type {
  IDescribeEndpointConfigOutput,
  IModelFinding
} from '../../../api/types/hosting';
import { FakeClient, trans } from '../../../testing/fakeClient';
import { suggestedName } from '../../../shared/names';
import { deploy, DeployForm } from '../deployDialog';
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

/** A client whose models are as the test says, right ones otherwise. */
function checking(findings: IModelFinding[] = []): FakeClient {
  const client = new FakeClient();
  client.checkModel = () => Promise.resolve(findings);
  return client;
}

const broken: IModelFinding = {
  Severity: 'Error',
  Where: 'code/inference.py',
  Message: 'It has no model_fn(model_dir); add one.'
};

describe('DeployForm', () => {
  it('suggests a name, and takes another', async () => {
    const asked: Array<IDeployRequest | null> = [];
    const { container } = render(
      <DeployForm
        client={checking()}
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
        client={checking()}
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
      <DeployForm
        client={checking()}
        initial={{}}
        jobs={[]}
        trans={trans}
        onChange={jest.fn()}
      />
    );
    expect(screen.getByText(/no completed training job/)).toBeTruthy();
  });

  it('deploys the model of a run', () => {
    const onChange = jest.fn();
    render(
      <DeployForm
        client={checking()}
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

afterEach(() => {
  Dialog.flush();
});

describe('the check of a model', () => {
  it('stops the deployment of what cannot be served, until another is chosen', async () => {
    const client = new FakeClient();
    const asked: unknown[] = [];
    client.checkModel = source => {
      asked.push(source);
      return Promise.resolve(source.job === 'bad' ? [broken] : []);
    };
    const onChange = jest.fn();
    const { container } = render(
      <DeployForm
        client={client}
        initial={{}}
        jobs={['bad', 'good']}
        trans={trans}
        onChange={onChange}
      />
    );
    expect(screen.getByText(/Looking into the model/)).toBeTruthy();
    expect(await screen.findByText(/It has no model_fn/)).toBeTruthy();
    expect(screen.getByRole('alert').textContent).toMatch(/cannot be served/);
    expect(onChange).toHaveBeenLastCalledWith(null);
    expect((await axe(container)).violations).toEqual([]);
    await userEvent.selectOptions(
      screen.getByLabelText('Training job'),
      'good'
    );
    expect(await screen.findByText(/Nothing wrong can be seen/)).toBeTruthy();
    expect(onChange).toHaveBeenLastCalledWith(
      expect.objectContaining({ job: 'good' })
    );
    expect(asked).toEqual([{ job: 'bad' }, { job: 'good' }]);
  });

  it('shows warnings and lets them pass', async () => {
    const onChange = jest.fn();
    const { container } = render(
      <DeployForm
        client={checking([{ ...broken, Severity: 'Warning' }])}
        initial={{ version: 'churn/3' }}
        jobs={null}
        trans={trans}
        onChange={onChange}
      />
    );
    expect(await screen.findByText(/may not be served/)).toBeTruthy();
    expect(screen.getByRole('img', { name: 'Warning' })).toBeTruthy();
    expect(onChange).toHaveBeenLastCalledWith(
      expect.objectContaining({ version: 'churn/3' })
    );
    expect((await axe(container)).violations).toEqual([]);
  });

  it('says why it could not be done, and is done again', async () => {
    const client = new FakeClient();
    let down = true;
    client.checkModel = () =>
      down
        ? Promise.reject(new BottegaError('Down', 'The store is gone.', 503))
        : Promise.resolve([broken]);
    const onChange = jest.fn();
    render(
      <DeployForm
        client={client}
        initial={{ job: 'churn' }}
        jobs={null}
        trans={trans}
        onChange={onChange}
      />
    );
    expect(
      await screen.findByText(/not checked: The store is gone/)
    ).toBeTruthy();
    // What is not known stops nobody.
    expect(onChange).toHaveBeenLastCalledWith(
      expect.objectContaining({ job: 'churn' })
    );
    down = false;
    await userEvent.click(screen.getByRole('button', { name: 'Check again' }));
    expect(await screen.findByText(/It has no model_fn/)).toBeTruthy();
  });

  it('keeps the dialog from being accepted', async () => {
    const client = checking([broken]);
    const deploying = deploy(client, { job: 'churn' }, trans);
    await waitForDialog();
    await screen.findByText(/It has no model_fn/);
    const accept = document.querySelector<HTMLButtonElement>(
      '.jp-Dialog .jp-mod-accept'
    );
    await waitFor(() => expect(accept?.disabled).toBe(true));
    await dismissDialog();
    expect(await deploying).toBeNull();
  });
});

describe('deploying a version that waits for approval', () => {
  const ARN = 'arn:model-package/churn/3';

  function registry(): FakeClient {
    const client = checking();
    Object.assign(client.answers, {
      'sagemaker:DescribeModelPackage': () => ({ ModelPackageArn: ARN }),
      'sagemaker:UpdateModelPackage': () => ({ ModelPackageArn: ARN })
    });
    return client;
  }

  it('approves it first, with the reason', async () => {
    const client = registry();
    client.deploy = request => {
      expect(client.requests('sagemaker:UpdateModelPackage')).toHaveLength(1);
      return Promise.resolve(request.name);
    };
    const deploying = deploy(client, { version: 'churn/3' }, trans, true);
    await waitForDialog();
    fireEvent.change(await screen.findByLabelText(/Why it is approved/), {
      target: { value: 'better' }
    });
    await acceptDialog();
    expect(await deploying).toBe('churn-3');
    expect(client.requests('sagemaker:UpdateModelPackage')).toEqual([
      {
        ModelPackageArn: ARN,
        ModelApprovalStatus: 'Approved',
        ApprovalDescription: 'better'
      }
    ]);
  });

  it('says that it is approved where it cannot be deployed', async () => {
    const client = registry();
    client.deploy = () =>
      Promise.reject(
        new BottegaError('ClientFault', 'The name is taken.', 400)
      );
    const deploying = deploy(client, { version: 'churn/3' }, trans, true);
    await waitForDialog();
    await screen.findByLabelText(/Why it is approved/);
    await acceptDialog();
    await expect(deploying).rejects.toThrow(
      'The version is approved, but not deployed: The name is taken.'
    );
  });

  it('changes nothing when the user thinks better of it', async () => {
    const client = registry();
    const deploying = deploy(client, { version: 'churn/3' }, trans, true);
    await dismissDialog();
    expect(await deploying).toBeNull();
    expect(client.calls).toEqual([]);
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
