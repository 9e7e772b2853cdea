"""The operations of STS and IAM that the SDKs call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bottega.errors import ClientFault
from bottega.features.access import identity, roles
from bottega.testing.operations import Operations

ROLE = "arn:aws:iam::000000000000:role/Any"


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with Operations(tmp_path, identity, roles) as operations:
        yield operations


def test_the_caller_is_an_assumed_role(operations: Operations) -> None:
    answer = operations.call("sts", "GetCallerIdentity")
    assert answer == {
        "UserId": operations.context.caller.user_id,
        "Account": "000000000000",
        "Arn": "arn:aws:sts::000000000000:assumed-role/BottegaExecutionRole/owner",
    }


def test_every_name_is_a_role_that_sagemaker_may_assume(operations: Operations) -> None:
    role = operations.call("iam", "GetRole", RoleName="MyRole")["Role"]
    assert role["RoleName"] == "MyRole"
    assert role["Arn"] == "arn:aws:iam::000000000000:role/MyRole"
    assert role["Path"] == "/"
    assert re.fullmatch(r"AROA[A-Z0-9]{17}", role["RoleId"])
    assert role["CreateDate"] == int(role["CreateDate"]) > 0
    encoded = role["AssumeRolePolicyDocument"]
    assert encoded.startswith("%7B%22Version%22%3A%222012-10-17%22")
    (statement,) = json.loads(unquote(encoded))["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"


def test_a_role_is_always_the_same(operations: Operations) -> None:
    first = operations.call("iam", "GetRole", RoleName="MyRole")
    assert operations.call("iam", "GetRole", RoleName="MyRole") == first
    other = operations.call("iam", "GetRole", RoleName="Other")
    assert other["Role"]["RoleId"] != first["Role"]["RoleId"]


def test_a_malformed_role_name_is_refused(operations: Operations) -> None:
    with pytest.raises(ClientFault, match="roleName"):
        operations.call("iam", "GetRole", RoleName="no/slashes")


def test_every_action_is_allowed_on_every_resource(operations: Operations) -> None:
    answer = operations.call(
        "iam",
        "SimulatePrincipalPolicy",
        PolicySourceArn=ROLE,
        ActionNames=["s3:PutObject", "sagemaker:CreateTrainingJob"],
    )
    assert answer == {
        "EvaluationResults": [
            {"EvalActionName": name, "EvalResourceName": "*", "EvalDecision": "allowed"}
            for name in ("s3:PutObject", "sagemaker:CreateTrainingJob")
        ],
        "IsTruncated": False,
    }


def test_a_simulation_comes_in_pages(operations: Operations) -> None:
    actions = [f"s3:Action{number}" for number in range(5)]
    resources = ["arn:aws:s3:::a", "arn:aws:s3:::b"]
    request: dict[str, Any] = {
        "PolicySourceArn": ROLE,
        "ActionNames": actions,
        "ResourceArns": resources,
        "MaxItems": 4,
    }
    found, sizes = [], []
    while True:
        answer = operations.call("iam", "SimulatePrincipalPolicy", **request)
        sizes.append(len(answer["EvaluationResults"]))
        found += answer["EvaluationResults"]
        if not answer["IsTruncated"]:
            break
        assert len(answer["Marker"]) <= 320
        request["Marker"] = answer["Marker"]
    assert sizes == [4, 4, 2]
    assert "Marker" not in answer
    pairs = [(item["EvalActionName"], item["EvalResourceName"]) for item in found]
    assert pairs == [(action, resource) for action in actions for resource in resources]


def test_a_made_up_marker_is_refused(operations: Operations) -> None:
    with pytest.raises(ClientFault, match="Invalid Marker") as refused:
        operations.call(
            "iam",
            "SimulatePrincipalPolicy",
            PolicySourceArn=ROLE,
            ActionNames=["s3:PutObject"],
            Marker="made up",
        )
    assert refused.value.code == "ValidationError"
