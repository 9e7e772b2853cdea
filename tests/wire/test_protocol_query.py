"""Shapes of the query protocol that STS and IAM have, and those that other services have."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from botocore.model import ServiceModel
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer

from bottega.errors import SerializationException
from bottega.wire import protocol_query
from bottega.wire.message import WireRequest

MEMBERS = {
    "Text": {"shape": "Text"},
    "Whole": {"shape": "Whole"},
    "Share": {"shape": "Share"},
    "Flag": {"shape": "Flag"},
    "When": {"shape": "When"},
    "Data": {"shape": "Data"},
    "Inner": {"shape": "Thing"},
    "List": {"shape": "List"},
    "FlatList": {"shape": "FlatList"},
    "Map": {"shape": "Map"},
    "FlatMap": {"shape": "FlatMap"},
}
MODEL = ServiceModel(
    {
        "metadata": {"protocol": "query", "apiVersion": "2020-01-01", "xmlNamespace": "urn:x"},
        "operations": {
            "Do": {
                "name": "Do",
                "http": {"method": "POST", "requestUri": "/"},
                "input": {"shape": "Thing"},
                "output": {"shape": "Thing", "resultWrapper": "DoResult"},
            }
        },
        "shapes": {
            "Thing": {"type": "structure", "members": MEMBERS},
            "Text": {"type": "string"},
            "Whole": {"type": "long"},
            "Share": {"type": "double"},
            "Flag": {"type": "boolean"},
            "When": {"type": "timestamp"},
            "Data": {"type": "blob"},
            "List": {"type": "list", "member": {"shape": "Thing"}},
            "FlatList": {
                "type": "list",
                "flattened": True,
                "member": {"shape": "Text", "locationName": "Item"},
            },
            "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
            "FlatMap": {
                "type": "map",
                "flattened": True,
                "key": {"shape": "Text", "locationName": "Name"},
                "value": {"shape": "Whole", "locationName": "Value"},
            },
        },
    }
)
DO = MODEL.operation_model("Do")
VALUE = {
    "Text": "a & <b> é",
    "Whole": 7,
    "Share": 0.5,
    "Flag": True,
    "When": 1_700_000_000.0,
    "Data": b"\x00\xff",
    "Inner": {"Inner": {"Flag": False}},
    "List": [{"Text": str(n)} for n in range(11)],
    "FlatList": ["x", "y"],
    "Map": {"k": "v", "k2": ""},
    "FlatMap": {"one": 1, "two": 2},
}


def request_of(form: dict[str, Any]) -> WireRequest:

    return WireRequest("POST", "/", "", {}, io.BytesIO(urlencode(form).encode()))


def test_what_botocore_writes_is_read() -> None:
    form = QuerySerializer().serialize_to_request(VALUE, DO)["body"]
    tree = protocol_query.read_form(request_of(form))
    assert protocol_query.operation_name(tree) == "Do"
    protocol_query.check_version(tree, DO)
    assert protocol_query.parse(tree, DO) == VALUE


def test_what_is_written_is_read_by_botocore() -> None:
    response = protocol_query.serialize(VALUE, DO, "the-id")
    parsed = QueryParser(timestamp_parser=lambda text: text).parse(
        {"body": response.body, "headers": {}, "status_code": 200}, DO.output_shape
    )
    assert parsed.pop("ResponseMetadata")["RequestId"] == "the-id"
    assert parsed.pop("When") == "2023-11-14T22:13:20.000Z"
    expected = {name: value for name, value in VALUE.items() if name != "When"}
    # botocore gives every list and map that is absent in an inner structure as empty.
    assert {k: v for k, v in parsed.items() if k not in ("Inner", "List")} == {
        k: v for k, v in expected.items() if k not in ("Inner", "List")
    }
    assert parsed["Inner"]["Inner"]["Flag"] is False
    assert [item["Text"] for item in parsed["List"]] == [str(n) for n in range(11)]


@pytest.mark.parametrize("text", ["\x00\x1b", "\ufffe", "a\ud800"])
def test_characters_that_xml_does_not_have(text: str) -> None:
    document = protocol_query.serialize({"Text": text}, DO, "id").body
    assert isinstance(document, bytes)
    assert "\ufffd" in "".join(ElementTree.fromstring(document).itertext())


@pytest.mark.parametrize(
    "form",
    [
        {"Whole": "x"},
        {"Whole": "1.5"},
        {"Flag": "maybe"},
        {"When": "soon"},
        {"Data": "*"},
        {"Inner": "x"},
        {"Text.a": "x"},
        {"List.member.a": "x"},
        {"List.member.1": "x"},
        {"Map.entry.1.key": "x"},
        {"Map.entry.1": "x"},
        {"FlatMap.1.Name": "x"},
        {"Item.x": "1"},
    ],
)
def test_parameters_that_are_no_good(form: dict[str, str]) -> None:
    tree = protocol_query.read_form(request_of(form))
    with pytest.raises(SerializationException):
        protocol_query.parse(tree, DO)
