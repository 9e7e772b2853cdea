"""What holds for every request, of these operations at least."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.errors import (
    InvalidParameterException,
    SerializationException,
    ValidationError,
    ValidationException,
)
from bottega.specs import operation_model, validate

OPERATIONS = [
    ("sagemaker", "CreateTrainingJob"),
    ("sagemaker", "CreateModel"),
    ("sagemaker", "CreateEndpointConfig"),
    ("sagemaker", "CreateAutoMLJobV2"),
    ("sagemaker", "AddTags"),
    ("sagemaker", "ListTrainingJobs"),
    ("sagemaker", "Search"),
    ("sagemaker-runtime", "InvokeEndpoint"),
    ("logs", "FilterLogEvents"),
    ("iam", "SimulatePrincipalPolicy"),
    ("s3", "CompleteMultipartUpload"),
]
EACH_OPERATION = pytest.mark.parametrize(("service", "operation"), OPERATIONS)
REFUSALS = (
    ValidationException,
    SerializationException,
    InvalidParameterException,
    ValidationError,
)

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
TEXTS = (
    *("", "a", "abc", "a-b", "A1", "1", "12", "0.5", "a" * 20, "-", "a b", "a\nb", "é", "数 1"),
    *("text/csv", "/opt/ml/a", "s3://bucket", "s3://bucket/key/é", "https://example.com/a"),
    *("sg-1", "000000000000", "fs-0123456789abcdef0", "arn:aws:iam::000000000000:role/x/R"),
    *(f"{ARN}:{kind}/a-1" for kind in ("model", "model-package", "model-package-group")),
    *(f"{ARN}:{kind}/a-1" for kind in ("endpoint", "inference-component", "mlflow-app")),
    *(f"arn:aws:sagemaker:us-east-1:aws:hub-content/a/{kind}/b" for kind in ("Model", "DataSet")),
    *(f"{ARN}:training-plan/plan", "arn:aws:sns:us-east-1:000000000000:topic"),
    *("arn:aws:lambda:us-east-1:000000000000:function:f", "mig-1g.5gb"),
    *("8K", "1D", "p90", "IT"),
)
"""For each pattern of these operations there is one that matches."""

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400]),
        st.floats(),
        st.text(max_size=40),
        st.text(st.characters(categories=["Cs", "Cc"]), max_size=3),
        st.binary(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)
seeds = st.integers(0, 2**64)


def input_shape(service: str, operation: str) -> Any:
    shape = operation_model(service, operation).input_shape
    assert shape is not None
    return shape


class Sound:
    """Makes values that satisfy a shape, by its model alone."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def value(self, shape: Any, depth: int = 0) -> Any:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        match shape.type_name:
            case "structure":
                return self._structure(shape, depth)
            case "list":
                return [self.value(shape.member, depth + 1) for _ in range(self._few(low, high))]
            case "map":
                return {
                    self.value(shape.key): self.value(shape.value, depth + 1)
                    for _ in range(self._few(low, high))
                }
            case "string":
                return self._random.choice(texts(shape))
            case "integer" | "long":
                bits = 31 if shape.type_name == "integer" else 63
                least = -(2**bits) if low is None else low
                most = 2**bits - 1 if high is None else high
                return self._random.choice([least, most, self._random.randint(least, most)])
            case "float" | "double":
                return self._random.uniform(low or 0, 1e6 if high is None else high)
            case "timestamp":
                return self._random.uniform(0, 4e9)
            case "boolean":
                return self._random.random() < 0.5
            case "blob":
                return self._random.randbytes(8)
        raise AssertionError(shape.type_name)

    def _few(self, low: int | None, high: int | None) -> int:
        least = low or 0
        return self._random.randint(least, least + 2 if high is None else min(high, least + 2))

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        wanted = set(shape.required_members)
        if shape.is_tagged_union:
            wanted = {self._random.choice(list(shape.members))}
        elif depth < 6:
            wanted |= {name for name in shape.members if self._random.random() < 0.5}
        return {
            name: self.value(member, depth + 1)
            for name, member in shape.members.items()
            if name in wanted
        }


@cache
def texts(shape: Any) -> list[str]:
    if shape.enum:
        return list(shape.enum)
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 10**6)
    pattern = shape.metadata.get("pattern", r"[\s\S]*")
    flags = 0 if r"\p{" in pattern else regex.ASCII
    return [
        text
        for text in TEXTS
        if least <= len(text) <= most
        and regex.fullmatch(pattern, text, flags)
        # These stand for ASCII in AWS's patterns, but not in this library's.
        and (text.isascii() or not regex.search(r"\\p\{(ASCII|Alnum|Print)\}", pattern))
    ]


@EACH_OPERATION
@settings(max_examples=50, deadline=None)
@given(seed=seeds)
def test_sound_requests_pass_unchanged(service: str, operation: str, seed: int) -> None:
    request = Sound(seed).value(input_shape(service, operation))
    before = copy.deepcopy(request)
    assert validate(service, operation, request) == before
    assert request == before


@EACH_OPERATION
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_whatever_a_member_holds_it_is_answered(
    service: str, operation: str, data: st.DataObject
) -> None:
    members = st.sampled_from(sorted(input_shape(service, operation).members))
    request = data.draw(st.dictionaries(members, anything, max_size=6))
    assert_answered(service, operation, request)


@EACH_OPERATION
@settings(max_examples=50, deadline=None)
@given(seed=seeds, place=seeds, value=anything)
def test_whatever_stands_somewhere_inside_it_is_answered(
    service: str, operation: str, seed: int, place: int, value: Any
) -> None:
    request = Sound(seed).value(input_shape(service, operation))
    places = list(places_in(request))
    if places:
        holder, key = places[place % len(places)]
        holder[key] = value
    assert_answered(service, operation, request)


def assert_answered(service: str, operation: str, request: dict[str, Any]) -> None:
    """It passes, and so does what came of it; or it is refused in a line of bearable length."""
    try:
        checked = validate(service, operation, request)
    except REFUSALS as raised:
        message = raised.message
    else:
        assert validate(service, operation, checked) == checked
        return
    assert message.isprintable()
    assert len(message) < 100_000


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every dict or list in a value, with each of its keys or indices."""
    if isinstance(value, (dict, list)):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from places_in(inner)
