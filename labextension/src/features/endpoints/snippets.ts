import { pythonString } from '../../shared/python';

/** A way to call an endpoint from outside the Studio. */
export interface ISnippet {
  id: string;
  /** The client's own name. */
  client: string;
  code: string;
}

/** What the snippets send. */
export interface ICall {
  endpoint: string;
  contentType: string;
  body: string;
}

/**
 * The same request in the words of each client. All of them run as they are in a notebook of the
 * Studio, or in a shell after `eval "$(bottega env)"`.
 */
export function snippets(call: ICall): ISnippet[] {
  return [
    { id: 'boto3', client: 'boto3', code: boto3(call) },
    { id: 'sagemaker', client: 'SageMaker SDK', code: sagemakerSdk(call) },
    { id: 'bottega', client: 'Bottega SDK', code: bottegaSdk(call) },
    { id: 'requests', client: 'requests', code: requests(call) },
    { id: 'curl', client: 'curl', code: curl(call) }
  ];
}

function boto3({ endpoint, contentType, body }: ICall): string {
  return `import boto3

runtime = boto3.client("sagemaker-runtime")
answer = runtime.invoke_endpoint(
    EndpointName=${pythonString(endpoint)},
    ContentType=${pythonString(contentType)},
    Body=${pythonString(body)},
)
print(answer["Body"].read().decode())
`;
}

function sagemakerSdk({ endpoint, contentType, body }: ICall): string {
  return `from sagemaker.predictor import Predictor
from sagemaker.serializers import IdentitySerializer

predictor = Predictor(
    ${pythonString(endpoint)},
    serializer=IdentitySerializer(content_type=${pythonString(contentType)}),
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

function requests({ endpoint, contentType, body }: ICall): string {
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
    headers={"Content-Type": ${pythonString(contentType)}},
    data=${pythonString(body)}.encode(),
)
SigV4Auth(session.get_credentials(), "sagemaker", session.region_name).add_auth(signed)
answer = requests.post(url, data=signed.data, headers=dict(signed.headers))
print(answer.text)
`;
}

function curl({ endpoint, contentType, body }: ICall): string {
  return `curl --fail-with-body \\
  --aws-sigv4 "aws:amz:$AWS_REGION:sagemaker" \\
  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
  \${AWS_SESSION_TOKEN:+-H "x-amz-security-token: $AWS_SESSION_TOKEN"} \\
  -H ${shellString(`Content-Type: ${contentType}`)} \\
  --data-binary ${shellString(body)} \\
  "$AWS_ENDPOINT_URL/endpoints/${encodeURIComponent(endpoint)}/invocations"
`;
}

/** A text as one word of a shell, whatever is in it. */
export function shellString(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
