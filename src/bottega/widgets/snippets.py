"""The same request as code: for a shell, for AWS's clients, and for the SDK."""

from __future__ import annotations

import shlex


def snippets(endpoint: str, body: str, content_type: str, accept: str) -> dict[str, str]:
    """Code by its kind. All but the SDK's find the studio by the variables of ``bottega env``."""
    return {
        "curl": _CURL.format(
            content_type=shlex.quote(f"Content-Type: {content_type}"),
            accept=shlex.quote(f"Accept: {accept}"),
            body=shlex.quote(body),
            endpoint=endpoint,
        ),
        "boto3": _BOTO3.format(
            endpoint=endpoint, body=body.encode(), content_type=content_type, accept=accept
        ),
        "requests": _REQUESTS.format(
            endpoint=endpoint, body=body.encode(), content_type=content_type, accept=accept
        ),
        "SDK": _SDK.format(
            endpoint=endpoint, body=body.encode(), content_type=content_type, accept=accept
        ),
    }


_CURL = """\
eval "$(bottega env)"
curl --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:sagemaker" \\
  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
  --header {content_type} --header {accept} \\
  --data-binary {body} \\
  "$AWS_ENDPOINT_URL/endpoints/{endpoint}/invocations"
"""

_BOTO3 = """\
import boto3

answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName={endpoint!r},
    ContentType={content_type!r},
    Accept={accept!r},
    Body={body!r},
)
print(answer["Body"].read().decode())
"""

_REQUESTS = """\
import os

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session

url = os.environ["AWS_ENDPOINT_URL"] + "/endpoints/{endpoint}/invocations"
body = {body!r}
signed = AWSRequest("POST", url, {{"Content-Type": {content_type!r}, "Accept": {accept!r}}}, body)
SigV4Auth(get_session().get_credentials(), "sagemaker", os.environ["AWS_REGION"]).add_auth(signed)
answer = requests.post(url, data=body, headers=dict(signed.headers))
answer.raise_for_status()
print(answer.text)
"""

_SDK = """\
import bottega

endpoint = bottega.connect().endpoint({endpoint!r})
print(endpoint.predict({body!r}, content_type={content_type!r}, accept={accept!r}))
"""
