import { pythonString } from '../../shared/python';

/** A way to call an endpoint from outside the Studio. */
export interface ISnippet {
  id: string;
  /** The client's own name. */
  client: string;
  code: string;
}

/** What a request may ask for besides. */
export interface ICallOptions {
  variant?: string;
  /** The model's archive, of an endpoint that has many. */
  model?: string;
  /** The container, of a pipeline whose containers are called one by one. */
  container?: string;
  /** The inference component, of an endpoint that has some. */
  component?: string;
  inferenceId?: string;
}

/** What the snippets send. */
export interface ICall extends ICallOptions {
  endpoint: string;
  contentType: string;
  body: string;
  /** Whether the endpoint answers later, with an object. */
  asynchronous?: boolean;
}

/** Each option as boto3, the SageMaker SDK and HTTP name it. */
const OPTIONS: Array<{
  of: keyof ICallOptions;
  boto3: string;
  sdk: (value: string) => string;
  header: string;
}> = [
  {
    of: 'variant',
    boto3: 'TargetVariant',
    sdk: value => `target_variant=${value}`,
    header: 'X-Amzn-SageMaker-Target-Variant'
  },
  {
    of: 'model',
    boto3: 'TargetModel',
    sdk: value => `target_model=${value}`,
    header: 'X-Amzn-SageMaker-Target-Model'
  },
  {
    of: 'container',
    boto3: 'TargetContainerHostname',
    sdk: value => `initial_args={"TargetContainerHostname": ${value}}`,
    header: 'X-Amzn-SageMaker-Target-Container-Hostname'
  },
  {
    of: 'component',
    boto3: 'InferenceComponentName',
    sdk: value => `initial_args={"InferenceComponentName": ${value}}`,
    header: 'X-Amzn-SageMaker-Inference-Component'
  },
  {
    of: 'inferenceId',
    boto3: 'InferenceId',
    sdk: value => `inference_id=${value}`,
    header: 'X-Amzn-SageMaker-Inference-Id'
  }
];

/**
 * The same request in the words of each client. All of them run as they are in a notebook of the
 * Studio, or in a shell after `eval "$(bottega env)"`.
 */
export function snippets(call: ICall): ISnippet[] {
  if (call.asynchronous) {
    return [
      { id: 'boto3', client: 'boto3', code: boto3Async(call) },
      { id: 'sagemaker', client: 'SageMaker SDK', code: sagemakerAsync(call) }
    ];
  }
  const all = [
    { id: 'boto3', client: 'boto3', code: boto3(call) },
    { id: 'sagemaker', client: 'SageMaker SDK', code: sagemakerSdk(call) },
    { id: 'bottega', client: 'Bottega SDK', code: bottegaSdk(call) },
    { id: 'requests', client: 'requests', code: requests(call) },
    { id: 'curl', client: 'curl', code: curl(call) }
  ];
  // The Bottega SDK has no words for these.
  return OPTIONS.some(option => call[option.of])
    ? all.filter(snippet => snippet.id !== 'bottega')
    : all;
}

function asked(call: ICall): Array<(typeof OPTIONS)[0] & { value: string }> {
  return OPTIONS.flatMap(option => {
    const value = call[option.of];
    return value ? [{ ...option, value }] : [];
  });
}

function boto3(call: ICall): string {
  const { endpoint, contentType, body } = call;
  const more = asked(call)
    .map(option => `    ${option.boto3}=${pythonString(option.value)},\n`)
    .join('');
  return `import boto3

runtime = boto3.client("sagemaker-runtime")
answer = runtime.invoke_endpoint(
    EndpointName=${pythonString(endpoint)},
    ContentType=${pythonString(contentType)},
${more}    Body=${pythonString(body)},
)
print(answer["Body"].read().decode())
`;
}

function boto3Async({
  endpoint,
  contentType,
  body,
  inferenceId
}: ICall): string {
  const more = inferenceId
    ? `    InferenceId=${pythonString(inferenceId)},\n`
    : '';
  return `from urllib.parse import urlsplit

import boto3

runtime = boto3.client("sagemaker-runtime")
answer = runtime.invoke_endpoint_async(
    EndpointName=${pythonString(endpoint)},
    ContentType=${pythonString(contentType)},
${more}    Body=${pythonString(body)},
)
s3 = boto3.client("s3")
output = urlsplit(answer["OutputLocation"])
place = {"Bucket": output.netloc, "Key": output.path.lstrip("/")}
s3.get_waiter("object_exists").wait(**place, WaiterConfig={"Delay": 1})
print(s3.get_object(**place)["Body"].read().decode())
`;
}

function sagemakerSdk(call: ICall): string {
  const { endpoint, contentType, body } = call;
  const more = asked(call)
    .map(option => `, ${option.sdk(pythonString(option.value))}`)
    .join('');
  return `from sagemaker.predictor import Predictor
from sagemaker.serializers import IdentitySerializer

predictor = Predictor(
    ${pythonString(endpoint)},
    serializer=IdentitySerializer(content_type=${pythonString(contentType)}),
)
print(predictor.predict(${pythonString(body)}${more}).decode())
`;
}

function sagemakerAsync({ endpoint, contentType, body }: ICall): string {
  return `from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.serializers import IdentitySerializer

predictor = AsyncPredictor(
    Predictor(
        ${pythonString(endpoint)},
        serializer=IdentitySerializer(content_type=${pythonString(contentType)}),
    )
)
print(predictor.predict(${pythonString(body)}).decode())
`;
}

function bottegaSdk({ endpoint, contentType, body }: ICall): string {
  return `import bottega

endpoint = bottega.connect().endpoint(${pythonString(endpoint)})
print(endpoint.predict(${pythonString(body)}, content_type=${pythonString(contentType)}))
`;
}

function requests(call: ICall): string {
  const { endpoint, contentType, body } = call;
  const headers = [
    ['Content-Type', contentType] as const,
    ...asked(call).map(option => [option.header, option.value] as const)
  ]
    .map(([name, value]) => `${pythonString(name)}: ${pythonString(value)}`)
    .join(', ');
  return `import os

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

url = os.environ["AWS_ENDPOINT_URL"] + "/endpoints/${encodeURIComponent(endpoint)}/invocations"
session = boto3.Session()
signed = AWSRequest(
    "POST",
    url,
    headers={${headers}},
    data=${pythonString(body)}.encode(),
)
SigV4Auth(session.get_credentials(), "sagemaker", session.region_name).add_auth(signed)
answer = requests.post(url, data=signed.data, headers=dict(signed.headers))
print(answer.text)
`;
}

function curl(call: ICall): string {
  const { endpoint, contentType, body } = call;
  const more = asked(call)
    .map(
      option => `  -H ${shellString(`${option.header}: ${option.value}`)} \\\n`
    )
    .join('');
  return `curl --fail-with-body \\
  --aws-sigv4 "aws:amz:$AWS_REGION:sagemaker" \\
  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
  \${AWS_SESSION_TOKEN:+-H "x-amz-security-token: $AWS_SESSION_TOKEN"} \\
  -H ${shellString(`Content-Type: ${contentType}`)} \\
${more}  --data-binary ${shellString(body)} \\
  "$AWS_ENDPOINT_URL/endpoints/${encodeURIComponent(endpoint)}/invocations"
`;
}

/** A text as one word of a shell, whatever is in it. */
export function shellString(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
