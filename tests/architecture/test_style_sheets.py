"""The Studio's style sheets: two that lay out one class break each other's screens."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

SHEETS = Path(__file__).parents[2] / "labextension" / "style"
VARIABLES = "variables.css"
"""Declares custom properties for what other sheets lay out."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLOCK = re.compile(r"\s*\.(jp-Bottega\w+)\s*")


def blocks(css: str) -> set[str]:
    """The classes that a sheet has rules for as they are, without parts and states.

    >>> blocks(".jp-BottegaGrid, .jp-BottegaGrid-head { gap: 0; } .jp-BottegaCard p { margin: 0; }")
    {'jp-BottegaGrid'}
    """
    selectors = re.split(r"[{},]", _COMMENT.sub("", css))
    return {found[1] for selector in selectors if (found := _BLOCK.fullmatch(selector))}


def test_no_two_sheets_lay_out_one_class() -> None:
    owners = defaultdict(list)
    for sheet in sorted(SHEETS.glob("*.css")):
        if sheet.name != VARIABLES:
            for block in blocks(sheet.read_text()):
                owners[block].append(sheet.name)
    assert len(owners) > 50
    assert {block: names for block, names in owners.items() if len(names) > 1} == {}
