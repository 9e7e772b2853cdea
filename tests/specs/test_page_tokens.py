from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bottega.errors import ValidationException
from bottega.specs.models import UnknownOperation, service_model
from bottega.specs.pagination import ListDefaults, decode, encode, list_defaults

KEY = b"k" * 32
positions = st.dictionaries(
    st.text(max_size=10),
    st.one_of(st.none(), st.integers(), st.text(max_size=64), st.floats(allow_nan=False)),
    max_size=4,
).filter(lambda position: float("inf") not in map(abs_or_zero, position.values()))


def abs_or_zero(value: object) -> float:
    return abs(value) if isinstance(value, float) else 0.0


@given(positions, st.text(max_size=40))
def test_a_token_brings_its_position_back(position: dict[str, object], scope: str) -> None:
    token = encode(position, key=KEY, scope=scope)
    assert decode(token, key=KEY, scope=scope) == position
    assert len(token) <= 8192
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")


@pytest.mark.parametrize(
    ("key", "scope"), [(b"other" * 8, "ListModels"), (KEY, "ListEndpoints"), (KEY, "")]
)
def test_a_token_is_good_for_one_listing_of_one_studio(key: bytes, scope: str) -> None:
    token = encode({"name": "m"}, key=KEY, scope="ListModels")
    with pytest.raises(ValidationException, match="NextToken is not valid"):
        decode(token, key=key, scope=scope)


@given(st.integers(0), st.integers(1, 255))
def test_a_changed_token_is_refused(place: int, change: int) -> None:
    token = bytearray(base64.urlsafe_b64decode(encode({"name": "m"}, key=KEY, scope="s")))
    token[place % len(token)] ^= change
    with pytest.raises(ValidationException):
        decode(base64.urlsafe_b64encode(bytes(token)).decode(), key=KEY, scope="s")


def test_a_token_made_by_hand_is_refused() -> None:
    payload = json.dumps({"name": "m"}).encode()
    for forged in (payload, b"\0" * 16 + payload):
        with pytest.raises(ValidationException):
            decode(base64.urlsafe_b64encode(forged).decode(), key=KEY, scope="s")


def test_part_of_the_position_cannot_pass_for_part_of_the_scope() -> None:
    token = encode({"a": 1}, key=KEY, scope="s")
    raw = base64.urlsafe_b64decode(token)
    shifted = base64.urlsafe_b64encode(raw[:16] + raw[17:]).decode()
    with pytest.raises(ValidationException):
        decode(shifted, key=KEY, scope="s" + chr(raw[16]))


@given(st.text())
@example("")
@example("====")
@example("\ud800")
@example("AAAA")
def test_any_other_text_is_refused(token: str) -> None:
    with pytest.raises(ValidationException, match="NextToken is not valid"):
        decode(token, key=KEY, scope="s")


def test_a_position_that_no_client_could_send_back_is_an_error_here() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode({"name": "x" * 8192}, key=KEY, scope="s")
    with pytest.raises(ValueError, match="JSON"):
        encode({"value": float("nan")}, key=KEY, scope="s")


@pytest.mark.parametrize(
    ("service", "operation", "defaults"),
    [
        ("sagemaker", "ListTrainingJobs", ListDefaults("CreationTime", "Ascending", 10, 100)),
        ("sagemaker", "ListModels", ListDefaults("CreationTime", "Descending", 10, 100)),
        ("sagemaker", "ListEndpoints", ListDefaults("CreationTime", "Descending", 10, 100)),
        ("sagemaker", "ListEndpointConfigs", ListDefaults("CreationTime", "Descending", 10, 100)),
        ("sagemaker", "ListTags", ListDefaults("CreationTime", "Descending", 50, 100)),
        ("sagemaker", "Search", ListDefaults("LastModifiedTime", "Descending", 10, 100)),
        ("sagemaker", "ListCodeRepositories", ListDefaults("Name", "Ascending", 10, 100)),
        # Its text names an order where it means a member.
        (
            "sagemaker",
            "ListCandidatesForAutoMLJob",
            ListDefaults("CreationTime", "Ascending", 10, 300),
        ),
        ("sagemaker", "ListMonitoringAlerts", ListDefaults("CreationTime", "Descending", 100, 100)),
        (
            "sagemaker",
            "ListEdgeDeploymentPlans",
            ListDefaults("CREATION_TIME", "Descending", 50, 100),
        ),
        ("logs", "GetLogEvents", ListDefaults("CreationTime", "Descending", 10_000, 10_000)),
        ("logs", "DescribeLogStreams", ListDefaults("CreationTime", "Descending", 50, 50)),
        ("s3", "ListObjectsV2", ListDefaults("CreationTime", "Descending", 1000, 1000)),
    ],
)
def test_defaults(service: str, operation: str, defaults: ListDefaults) -> None:
    assert list_defaults(operation, service) == defaults


def test_every_list_has_defaults_that_a_request_could_hold() -> None:
    model = service_model("sagemaker")
    for name in model.operation_names:
        if name.startswith("List"):
            defaults = list_defaults(name)
            members = model.operation_model(name).input_shape.members
            assert 1 <= defaults.max_results <= defaults.highest_max_results
            for member, value in (
                ("SortBy", defaults.sort_by),
                ("SortOrder", defaults.sort_order),
            ):
                choices = (
                    [choice.casefold() for choice in members[member].enum]
                    if (member in members)
                    else []
                )
                assert not choices or value.casefold() in choices, name


def test_defaults_of_what_is_no_operation() -> None:
    with pytest.raises(UnknownOperation):
        list_defaults("ListNothing")
