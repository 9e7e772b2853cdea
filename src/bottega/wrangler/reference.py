"""The page of all transforms and analyses, from their descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from bottega.wrangler.insight.registry import analyses
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transforms.registry import groups

PAGE = PurePosixPath("docs/transforms.md")
_HEADING = """\
# Transforms and analyses

Everything that [Data Wrangler](users/prepare-data.md) can do to a table, written by
`scripts/generate` from the transforms' own descriptions. Each runs on the whole data and is
exported as pandas code that gives the same table.

*In front of a model* says what becomes of a step when a fitted flow serves rows one at a time: it
is **applied**, it is **left out** because it only chooses rows for training, or such a flow is
**refused** because a row means nothing without the others. *Learns* marks steps that are fitted
once and then applied unchanged.

Wherever nothing else is said: a missing value (null, NaN) stays missing, empty text is text, and
infinity is a number.
"""
_COLUMNS = (
    "transform",
    "what it does",
    "parameters",
    "edge cases",
    "learns",
    "in front of a model",
)
_SERVING = {"apply": "applied", "skip": "left out", "refuse": "refused"}


def reference_page() -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEADING, *_transforms(), *_analyses(), ""])


def _transforms() -> Iterator[str]:
    for group, transforms in groups():
        yield f"## {group}\n"
        yield _row(*_COLUMNS)
        yield f"|{'---|' * len(_COLUMNS)}"
        for transform in transforms:
            yield _row(
                f"**{transform.name}**<br>`{transform.operator}`",
                transform.sentence,
                _parameters(transform.parameters),
                transform.edge_cases,
                "yes" if transform.learns else "",
                _SERVING[transform.serving],
            )
        yield ""


def _analyses() -> Iterator[str]:
    yield "## Analyses\n"
    yield "| analysis | what it shows | parameters |"
    yield "|---|---|---|"
    for analysis in analyses():
        name = f"**{analysis.name}**<br>`{analysis.operator}`"
        yield _row(name, analysis.sentence, _parameters(analysis.parameters))


def _parameters(parameters: Iterable[Parameter]) -> str:
    return "<br>".join(
        f"`{parameter.name}`{'*' if parameter.required else ''} {_values(parameter)}".rstrip()
        for parameter in parameters
    )


def _values(parameter: Parameter) -> str:
    if parameter.choices:
        return " / ".join(parameter.choices)
    default: Any = parameter.default
    return "" if default is None else f"({default})"


def _row(*cells: str) -> str:
    texts = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(texts)} |"
