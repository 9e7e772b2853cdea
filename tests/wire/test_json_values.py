"""JSON values by shape, both ways."""

from __future__ import annotations

import math
from typing import Any

import pytest
from botocore.model import ServiceModel

from bottega.errors import SerializationException
from bottega.wire.json_values import read_document, read_value, write_document, write_value

MODEL = ServiceModel(
    {
        "metadata": {"protocol": "json"},
        "shapes": {
            "Top": {
                "type": "structure",
                "members": {
                    "Text": {"shape": "Text", "locationName": "text"},
                    "When": {"shape": "When"},
                    "Data": {"shape": "Data"},
                    "Share": {"shape": "Share"},
                    "Inner": {"shape": "Top"},
                    "List": {"shape": "List"},
                    "Map": {"shape": "Map"},
                    "Document": {"shape": "Document"},
                },
            },
            "Document": {"type": "structure", "members": {}, "document": True},
            "Plain": {"type": "structure", "members": {"Share": {"shape": "Share"}}},
            "Text": {"type": "string"},
            "When": {"type": "timestamp"},
            "Data": {"type": "blob"},
            "Share": {"type": "double"},
            "List": {"type": "list", "member": {"shape": "Top"}},
            "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "When"}},
        },
    }
)
TOP = MODEL.shape_for("Top")


def test_reading() -> None:
    found = read_value(
        {
            "text": "a",
            "When": 1.5,
            "Data": "AP8=",
            "Inner": {"When": "2026-01-01T00:00:00Z"},
            "List": [{"When": "1700000000.25"}],
            "Map": {"a": "2026-01-01T01:00:00+01:00", "b": "2026-01-01"},
            "Unknown": {"a": [1]},
        },
        TOP,
    )
    assert found == {
        "Text": "a",
        "When": 1.5,
        "Data": b"\x00\xff",
        "Inner": {"When": 1767225600.0},
        "List": [{"When": 1700000000.25}],
        "Map": {"a": 1767225600.0, "b": 1767225600.0},
    }


@pytest.mark.parametrize(
    "value", [7, "x", [], {"List": {}}, {"Inner": 3}, {"Map": []}, {"When": True}, {"Data": 5}]
)
def test_what_has_another_type_goes_on_to_validation(value: Any) -> None:
    assert read_value(value, TOP) == value


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"When": "soon"}, "When"),
        ({"Inner": {"Data": "a"}}, "Inner.Data"),
        ({"List": [{}, {"Data": "é"}]}, "List[1].Data"),
        ({"Map": {"k": "99999-01-01"}}, "Map.k"),
    ],
)
def test_what_cannot_be_read_is_named(value: Any, where: str) -> None:
    with pytest.raises(SerializationException) as caught:
        read_value(value, TOP)
    assert caught.value.message.startswith(where + " is ")


def test_shapes_that_hold_themselves_are_not_followed_for_ever() -> None:
    value: Any = {}
    for _ in range(500):
        value = {"Inner": value}
    with pytest.raises(SerializationException, match="too deeply"):
        read_value(value, TOP)


def test_names_that_are_given_twice() -> None:
    assert read_document(b'{"a":{"b":1},"c":{"b":1}}') == {"a": {"b": 1}, "c": {"b": 1}}
    with pytest.raises(SerializationException, match="'b' is given twice"):
        read_document(b'{"a":{"b":1,"b":1}}')


def test_a_written_backslash_is_not_a_nul() -> None:
    assert read_document(rb'"C:\\u0000"') == r"C:\u0000"
    with pytest.raises(SerializationException, match="NUL"):
        read_document(rb'{"a":["\u0000"]}')


def test_writing() -> None:
    value = {
        "Text": "a",
        "When": 1.23456,
        "Data": b"\x00\xff",
        "Share": None,
        "Inner": {"Inner": {"Text": None}},
        "List": [{}, {"Share": 0.0}],
        "Map": {},
        "Unknown": 1,
    }
    assert write_value(value, TOP) == {
        "text": "a",
        "When": 1.235,
        "Data": "AP8=",
        "List": [{}, {"Share": 0.0}],
        "Map": {},
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [(math.nan, b'"NaN"'), (math.inf, b'"Infinity"'), (-math.inf, b'"-Infinity"'), (1.5, b"1.5")],
)
def test_numbers_that_json_has_no_word_for(number: float, text: bytes) -> None:
    written = write_value({"Share": number}, MODEL.shape_for("Plain"))
    assert write_document(written) == b'{"Share":' + text + b"}"


def test_an_empty_document_is_a_value_and_an_empty_structure_is_none() -> None:
    assert write_value({"Document": {}, "Inner": {}}, TOP) == {"Document": {}}
