"""The parts of the algorithms' documentation that follow from their descriptions.

A page in ``docs/algorithms`` is written by hand but for its blocks::

    <!-- generated: hyperparameters -->
    ...
    <!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bottega.algorithms.base import Algorithm
from bottega.algorithms.hyperparameters import Hyperparameter

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class UnknownBlock(ValueError):
    """A page asks for something that is not generated."""


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """The page with the content of its blocks as they should be.

    Args:
        page: Markdown.
        blocks: content by name.

    Raises:
        UnknownBlock: the page has a block that is not among them.
    """

    def content(match: re.Match[str]) -> str:
        if match[2] not in blocks:
            raise UnknownBlock(f"nothing generates {match[2]!r}; there are {', '.join(blocks)}")
        return f"{match[1]}\n{blocks[match[2]].strip()}\n\n{match[3]}"

    return _BLOCK.sub(content, page)


def index(algorithms: Iterable[Algorithm]) -> str:
    """The table of the algorithms there are, with links to their pages."""
    rows = [
        (
            f"[{algorithm.title}]({algorithm.name}.md)",
            f"`{algorithm.name}`",
            algorithm.summary,
            ", ".join(f"`{channel.name}`" for channel in algorithm.channels),
            f"`bottega[{algorithm.extra}]`" if algorithm.extra else "",
        )
        for algorithm in algorithms
    ]
    return _table(("Algorithm", "Name", "For", "Channels", "Needs"), rows)


def hyperparameters(algorithm: Algorithm) -> str:
    """The table of what can be set."""
    rows = [
        (_name(parameter), _range(parameter), _default(parameter), _description(parameter))
        for parameter in algorithm.hyperparameters.visible()
    ]
    return _table(("Hyperparameter", "Values", "Default", "Meaning"), rows)


def metrics(algorithm: Algorithm) -> str:
    """The table of what is printed and can be tuned for."""
    rows = [
        (f"`{metric.name}`", "less" if metric.direction == "Minimize" else "more")
        for metric in algorithm.metric_definitions
    ]
    return _table(("Metric", "Better is"), rows)


def _name(parameter: Hyperparameter) -> str:
    names = "<br>".join(f"`{name}`" for name in (parameter.name, *parameter.aliases))
    return f"**{names}**" if parameter.essential else names


def _range(parameter: Hyperparameter) -> str:
    text = parameter.range
    tunable = parameter.tunable
    if tunable is not None and tunable.minimum is not None and tunable.maximum is not None:
        text += f"<br>tune in {tunable.minimum:g} to {tunable.maximum:g}"
    elif tunable is not None:
        text += "<br>can be tuned"
    return text


def _default(parameter: Hyperparameter) -> str:
    if parameter.required:
        return "*required*"
    if parameter.required_when is not None:
        return f"*required when {parameter.required_when}*"
    return "" if parameter.default is None else f"`{parameter.default}`"


def _description(parameter: Hyperparameter) -> str:
    text = parameter.description
    if parameter.used_when is not None:
        text += f" Used when {parameter.used_when}."
    return f"{text} Without effect: {parameter.deprecated}." if parameter.deprecated else text


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(columns)]
    lines.append(tuple("---" for _ in lines[0]))
    lines += [tuple(cell.replace("|", r"\|") for cell in row) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
