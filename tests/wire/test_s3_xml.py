"""S3's XML, read and written by shape."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega import specs
from bottega.errors import MalformedXML
from bottega.wire import s3_xml

DELETE = specs.operation_model("s3", "DeleteObjects").input_shape.members["Delete"]
COMPLETE = specs.operation_model("s3", "CompleteMultipartUpload").input_shape.members[
    "MultipartUpload"
]
LISTING = specs.operation_model("s3", "ListObjectsV2").output_shape

BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<Delete><Object><Key>&c;</Key></Object></Delete>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<Delete><Object><Key>&f;</Key></Object></Delete>"""


def test_reading_a_document() -> None:
    body = b"""<?xml version="1.0" encoding="UTF-8"?>
      <Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>
      <Object><Key>a &amp; b</Key></Object><Object><Key>\xc3\xa9</Key></Object></Delete>"""
    expected = {"Quiet": True, "Objects": [{"Key": "a & b"}, {"Key": "é"}]}
    assert s3_xml.parse(body, DELETE) == expected
    body = b"""<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part>
      </CompleteMultipartUpload>"""
    assert s3_xml.parse(body, COMPLETE) == {"Parts": [{"PartNumber": 1, "ETag": '"x"'}]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not well-formed"),
        (b"no xml", "not well-formed"),
        (b"<Delete>", "not well-formed"),
        (b"<Delete></Delete><Delete/>", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b"<Other/>", "expected <Delete>"),
        (b"<Delete><Unknown/></Delete>", "an element <Unknown>"),
        (b"<Delete><Quiet>maybe</Quiet></Delete>", "expected boolean"),
        (b"<Delete><Quiet>true</Quiet><Quiet>true</Quiet></Delete>", "more than once"),
        (b"<Delete><Object><Key><b>x</b></Key></Object></Delete>", "expected text"),
        (BOMB, "not well-formed"),
        (OUTSIDE, "not well-formed"),
        (b"<!DOCTYPE Delete><Delete/>", "not well-formed"),
        (b"<Delete>" * 50_000, "not well-formed"),
    ],
)
def test_documents_that_are_refused(body: bytes, says: str) -> None:
    with pytest.raises(MalformedXML, match=says):
        s3_xml.parse(body, DELETE)


def test_numbers_are_numbers() -> None:
    part = b"<Part><PartNumber>x</PartNumber></Part>"
    body = b"<CompleteMultipartUpload>" + part + b"</CompleteMultipartUpload>"
    with pytest.raises(MalformedXML, match="expected integer"):
        s3_xml.parse(body, COMPLETE)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        s3_xml.parse(b"<Delete><Object><Key>" + body + b"</Key></Object></Delete>", DELETE)
    except MalformedXML:
        return


def test_writing_a_document() -> None:
    body = s3_xml.document(
        "ListBucketResult",
        LISTING,
        {
            "Name": "b",
            "IsTruncated": False,
            "KeyCount": 1,
            "Contents": [{"Key": "<&>", "LastModified": 1_700_000_000.5, "ETag": '"x"', "Size": 3}],
            "CommonPrefixes": [{"Prefix": "a/"}, {"Prefix": "b/"}],
            "RequestCharged": "requester",
        },
    )
    assert body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        "<IsTruncated>false</IsTruncated>"
        "<Contents><Key>&lt;&amp;&gt;</Key><LastModified>2023-11-14T22:13:20.500Z</LastModified>"
        "<ETag>&quot;x&quot;</ETag><Size>3</Size></Contents>"
        "<Name>b</Name>"
        "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"
        "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"
        "<KeyCount>1</KeyCount></ListBucketResult>"
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_any_text_survives(text: str) -> None:
    assert (fromstring(s3_xml.element("a", text)).text or "") == text


def test_control_characters_become_references() -> None:
    assert s3_xml.escaped("a\x01\r\n") == "a&#x1;&#xD;&#xA;"
