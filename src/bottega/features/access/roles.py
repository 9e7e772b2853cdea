"""IAM's operations that the SDKs call before every job.

There are no roles to manage: every role's name stands for the owner of the home, who may do
    everything.
"""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import quote

from bottega.context import Context
from bottega.credentials import file_of
from bottega.errors import ValidationError, ValidationException
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.access import (
    EvaluationResult,
    GetRoleRequest,
    GetRoleResponse,
    SimulatePolicyResponse,
    SimulatePrincipalPolicyRequest,
)

_SESSION_SECONDS = 3600
_PAGE = 100
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@operation(
    "GetRole",
    service="iam",
    note="Every name is a role: it stands for the owner, and SageMaker may assume it.",
)
def get_role(context: Context, request: GetRoleRequest) -> GetRoleResponse:
    """The role of any name, with the trust policy that the SDKs look for."""
    config, name = context.ports.config, request["RoleName"]
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": _role_id(config.account, name),
            "Arn": f"arn:aws:iam::{config.account}:role/{name}",
            # As old as the home.
            "CreateDate": float(int(file_of(config).stat().st_mtime)),
            "AssumeRolePolicyDocument": quote(json.dumps(_TRUST, separators=(",", ":")), safe=""),
            "Description": "Stands for the owner of this bottega.",
            "MaxSessionDuration": _SESSION_SECONDS,
        }
    }


def _role_id(account: str, name: str) -> str:
    """Always the same twenty-one characters for the same role, as AWS makes them."""
    digest = hashlib.sha256(f"{account}\0{name}".encode()).digest()
    return "AROA" + base64.b32encode(digest).decode()[:17]


@operation(
    "SimulatePrincipalPolicy",
    service="iam",
    note="Every action is allowed: until there are policies, the owner may do everything.",
)
def simulate_principal_policy(
    context: Context, request: SimulatePrincipalPolicyRequest
) -> SimulatePolicyResponse:
    """What a role may do; here, everything, because a role stands for the owner."""
    resources = request.get("ResourceArns") or ["*"]
    pairs = [(action, resource) for action in request["ActionNames"] for resource in resources]
    scope = f"SimulatePrincipalPolicy:{request['PolicySourceArn']}:{pairs}"
    key = context.ports.credentials.page_key()
    start = 0
    if "Marker" in request:
        try:
            start = int(pagination.decode(request["Marker"], key=key, scope=scope)["start"])
        except ValidationException as error:
            raise ValidationError("Invalid Marker.") from error
    end = start + request.get("MaxItems", _PAGE)
    answer: SimulatePolicyResponse = {
        "EvaluationResults": [_allowed(*pair) for pair in pairs[start:end]],
        "IsTruncated": end < len(pairs),
    }
    if end < len(pairs):
        answer["Marker"] = pagination.encode({"start": end}, key=key, scope=scope)
    return answer


def _allowed(action: str, resource: str) -> EvaluationResult:
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": "allowed",
    }
