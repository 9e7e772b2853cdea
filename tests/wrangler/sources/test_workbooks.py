"""Workbooks as sources."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from bottega.wrangler.columns import Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.flow.document import Node
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.sources.nodes import Source

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def write(path: Path, sheets: dict[str, Sequence[Sequence[Any]]]) -> None:
    """A workbook with nothing but values."""
    with zipfile.ZipFile(path, "w") as archive:
        entries, links, kinds = "", "", ""
        for number, (title, rows) in enumerate(sheets.items(), 1):
            entries += f'<sheet name="{title}" sheetId="{number}" r:id="r{number}"/>'
            links += (
                f'<Relationship Id="r{number}" Type="{_RELATIONS}/worksheet" '
                f'Target="worksheets/sheet{number}.xml"/>'
            )
            kinds += (
                f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="application/'
                'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            )
            data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{_MAIN}"><sheetData>{data}</sheetData></worksheet>',
            )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{entries}</sheets>'
            "</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="rels" ContentType="application/'
            f'vnd.openxmlformats-package.relationships+xml"/>{kinds}</Types>',
        )


def node(path: str, **options: Any) -> Node:
    return Node(Source.given({"Kind": "file", "Uri": path, "Options": options}).node("source"))


TABLE = [
    ["name", "n", "x", "ok", "mixed", "name"],
    ["Ada", 1, 1.5, True, 1, "a"],
    ["Zoë & Co", None, "N/A", False, "x", None],
    ["", 3, 2, None, 2.5, "c"],
]


def test_values_have_types(folder: Path, sources: FileSources):
    write(folder / "a.xlsx", {"Empty": [], "People": TABLE})
    relation = sources.relation(node("a.xlsx"))
    assert relation.schema == Schema.of(
        name="string", n="long", x="float", ok="boolean", mixed="string", name_1="string"
    )
    frame = relation.frame()
    assert frame["name"].tolist()[:2] == ["Ada", "Zoë & Co"]
    assert frame["n"].isna().tolist() == [False, True, False]
    assert frame["x"].isna().tolist() == [False, True, False]
    assert frame["mixed"].tolist() == ["1", "x", "2.5"]


def test_sheets_can_be_chosen(folder: Path, sources: FileSources):
    write(folder / "a.xlsx", {"One": TABLE, "Two": [[1, 2], [3, 4]]})
    found = sources.detect({"Kind": "file", "Uri": "a.xlsx"})
    assert found.choices == {"Sheet": ["One", "Two"]}
    assert found.options["Sheet"] == "One"
    two = sources.relation(node("a.xlsx", Sheet="Two"))
    assert two.frame().to_dict("list") == {"column_1": [1, 3], "column_2": [2, 4]}
    assert sources.relation(node("a.xlsx", Sheet="Two", HasHeader=True)).schema.names == ["1", "2"]
    with pytest.raises(DataError, match="no sheet 'Three'; it has 'One', 'Two'"):
        sources.relation(node("a.xlsx", Sheet="Three"))


def test_rows_before_the_table(folder: Path, sources: FileSources):
    rows = [["A report", None], [None, None], ["a", "b"], [1, "x"], [2, "y"]]
    write(folder / "a.xlsx", {"One": rows})
    assert sources.relation(node("a.xlsx")).frame().to_dict("list") == {
        "a": [1, 2],
        "b": ["x", "y"],
    }


def test_what_is_no_workbook(folder: Path, sources: FileSources):
    (folder / "a.xlsx").write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(DataError, match=r"a\.xlsx cannot be read as a workbook"):
        sources.relation(node("a.xlsx"))
    write(folder / "b.xlsx", {"One": []})
    with pytest.raises(DataError, match="no rows"):
        sources.relation(node("b.xlsx"))
