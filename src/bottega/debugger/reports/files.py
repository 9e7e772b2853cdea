"""Leaving the files of a report: each is whole or not there, and writing again changes nothing."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bottega.debugger.reports.page import STYLE, Section

_READ = """import json
from pathlib import Path

import pandas as pd

content = json.loads(Path("{file}").read_text())
pd.json_normalize(content.get("Details", content)).T"""
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def write_text(path: Path, text: str) -> None:
    """Put a file in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Put a JSON file in place. What is no finite number is written as null."""
    write_text(path, json.dumps(_finite(content), indent=1, allow_nan=False) + "\n")


def write_all(folder: Path, contents: Mapping[Path, str | Mapping[str, Any]]) -> list[Path]:
    """Put texts and JSON files in place, one after the other.

    Returns:
        What was written, relative to the folder.
    """
    for name, content in contents.items():
        if isinstance(content, str):
            write_text(folder / name, content)
        else:
            write_json(folder / name, content)
    return list(contents)


def notebook(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The report as a notebook: each section with its picture, and a cell that reads its numbers
    from the JSON file beside the notebook.

    The same report gives the same bytes.
    """
    cells = [_markdown("title", f"# {title}\n\n{subtitle}")]
    for section in sections:
        cells.append(_markdown(f"{section.name}-text", f"## {section.title}\n\n{section.text}"))
        html = f'<style>{STYLE}</style><div class="report">{section.body}</div>'
        source = _READ.format(file=section.file) if section.file else ""
        cells.append(
            {
                "cell_type": "code",
                "id": section.name,
                "metadata": {},
                "execution_count": None,
                "source": source,
                "outputs": [
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"text/html": html, "text/plain": section.title},
                    }
                ],
            }
        )
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}},
        "cells": cells,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _markdown(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
