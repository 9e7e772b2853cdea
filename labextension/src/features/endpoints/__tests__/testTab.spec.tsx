import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { axe } from 'jest-axe';

import { BottegaError } from '../../../api/request';
import type {
  IDescribeEndpointOutput,
  IDescribeModelOutput
} from '../../../api/types/hosting';
import { screenProps } from '../../../testing/fakeClient';
import { TestTab } from '../test';

const endpoint: IDescribeEndpointOutput = {
  EndpointName: 'churn',
  EndpointArn: 'arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn',
  EndpointConfigName: 'churn-1',
  EndpointStatus: 'InService',
  CreationTime: 1000,
  LastModifiedTime: 1000,
  ProductionVariants: ['blue', 'green'].map(name => ({
    VariantName: name,
    DeployedImages: [{ SpecifiedImage: 'xgboost' }]
  }))
};

const OUTPUT = 's3://bucket/out/one.out';
const FAILURE = 's3://bucket/failed/one.out';

const shown = (
  more: Partial<IDescribeEndpointOutput> = {},
  model: Partial<IDescribeModelOutput> = {}
) => {
  const props = screenProps(
    {
      'bottega:SuggestInvocation': () => ({
        ContentType: 'text/csv',
        Body: '1,2'
      }),
      'sagemaker:DescribeEndpointConfig': () => ({
        EndpointConfigName: 'churn-1',
        EndpointConfigArn: 'arn:churn-1',
        CreationTime: 1000,
        ProductionVariants: [{ VariantName: 'blue', ModelName: 'm' }]
      }),
      'sagemaker:DescribeModel': () => ({
        ModelName: 'm',
        ModelArn: 'arn:m',
        CreationTime: 1000,
        ...model
      })
    },
    { name: 'churn' }
  );
  const { container } = render(
    <TestTab {...props} endpoint={{ ...endpoint, ...more }} sample={null} />
  );
  return { container, client: props.client };
};

it('asks for a model, a variant and a name of the request, where they apply', async () => {
  const { container, client } = shown(
    {},
    { PrimaryContainer: { Mode: 'MultiModel' } }
  );
  const asked: unknown[] = [];
  client.invoke = async (...args) => {
    asked.push(args);
    return { body: '0.5', contentType: 'text/csv', variant: 'g', seconds: 1 };
  };
  await userEvent.type(
    await screen.findByLabelText('Target model'),
    'a.tar.gz'
  );
  await userEvent.selectOptions(screen.getByLabelText('Variant'), 'green');
  await userEvent.type(screen.getByLabelText('Inference id'), 'seven');
  await userEvent.click(screen.getByRole('button', { name: 'Send' }));
  expect(asked).toEqual([
    [
      'churn',
      '1,2',
      {
        contentType: 'text/csv',
        variant: 'green',
        model: 'a.tar.gz',
        inferenceId: 'seven'
      }
    ]
  ]);
  expect(
    screen.getByLabelText('boto3', { selector: 'pre' }).textContent
  ).toMatch(
    /TargetVariant="green",\s+TargetModel="a.tar.gz",\s+InferenceId="seven"/
  );
  expect((await axe(container)).violations).toEqual([]);
});

it('asks for a container of a pipeline whose containers are called directly', async () => {
  shown(
    {},
    {
      Containers: [
        { ContainerHostname: 'first' },
        { ContainerHostname: 'second' }
      ],
      InferenceExecutionConfig: { Mode: 'Direct' }
    }
  );
  const choice = await screen.findByLabelText<HTMLSelectElement>('Container');
  expect([...choice.options].map(option => option.text)).toEqual([
    'none',
    'first',
    'second'
  ]);
  expect(screen.queryByLabelText('Target model')).toBeNull();
});

describe('of an asynchronous endpoint', () => {
  const asynchronous: Partial<IDescribeEndpointOutput> = {
    AsyncInferenceConfig: { OutputConfig: { S3OutputPath: 's3://bucket/out' } }
  };

  it('waits for the answer, and shows it', async () => {
    const { container, client } = shown(asynchronous);
    const looked: string[] = [];
    client.invokeAsync = async () => ({
      inference_id: 'one',
      output: OUTPUT,
      failure: FAILURE
    });
    client.readObject = async uri => {
      looked.push(uri);
      return uri === OUTPUT && looked.length > 2 ? '{"score": 0.5}' : null;
    };
    await screen.findByDisplayValue('1,2');
    expect(screen.queryByLabelText('Variant')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect(
      await screen.findByText(/Taken in; the answer will be/)
    ).toBeTruthy();
    expect(
      (await screen.findByLabelText('Response', {}, { timeout: 3000 }))
        .textContent
    ).toContain('{\n  "score": 0.5\n}');
    expect(looked).toEqual([OUTPUT, FAILURE, OUTPUT]);
    expect(
      screen.getByLabelText('boto3', { selector: 'pre' }).textContent
    ).toContain('invoke_endpoint_async');
    expect((await axe(container)).violations).toEqual([]);
  });

  it('says that the request failed', async () => {
    const { client } = shown(asynchronous);
    client.invokeAsync = async () => ({
      inference_id: 'one',
      output: OUTPUT,
      failure: FAILURE
    });
    client.readObject = async uri => (uri === FAILURE ? 'no memory' : null);
    await userEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect((await screen.findByRole('alert')).textContent).toContain(FAILURE);
    expect(screen.getByLabelText('Response').textContent).toBe('no memory');
  });

  it('stops waiting when it is told to, or may not look', async () => {
    const { client } = shown(asynchronous);
    client.invokeAsync = async () => ({
      inference_id: 'one',
      output: OUTPUT,
      failure: null
    });
    client.readObject = async () => null;
    const send = screen.getByRole<HTMLButtonElement>('button', {
      name: 'Send'
    });
    await userEvent.click(send);
    const stop = await screen.findByRole('button', { name: 'Stop waiting' });
    expect(send.disabled).toBe(true);
    await userEvent.click(stop);
    expect(send.disabled).toBe(false);
    client.readObject = async () => {
      throw new BottegaError('AccessDenied', 'You may not.', 403);
    };
    await userEvent.click(send);
    expect((await screen.findByRole('alert')).textContent).toMatch(
      /You may not/
    );
  });
});
