import { boto3Call, pythonLiteral } from '../python';

it('writes values as Python has them', () => {
  expect(pythonLiteral({ a: [1, true, null], b: 'it"s' })).toBe(
    '{\n    "a": [\n        1,\n        True,\n        None,\n    ],\n    "b": "it\\"s",\n}'
  );
  expect(pythonLiteral({})).toBe('{}');
  expect(pythonLiteral([])).toBe('[]');
  expect(pythonLiteral(NaN)).toBe('float("NaN")');
});

it('writes a call of boto3, without what is not given', () => {
  expect(
    boto3Call('sagemaker-runtime', 'invoke_endpoint', {
      EndpointName: 'churn',
      Body: '1,2',
      Accept: undefined
    })
  ).toBe(
    'import boto3\n\nsagemaker_runtime = boto3.client("sagemaker-runtime")\n' +
      'sagemaker_runtime.invoke_endpoint(\n    EndpointName="churn",\n    Body="1,2",\n)\n'
  );
});
