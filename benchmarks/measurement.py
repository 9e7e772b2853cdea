"""What the benchmarks have in common: percentiles, facts of the machine, results as JSON and as a
page.

A benchmark measures bottega beside a peer in one run, so that both meet the same machine, and ends
with :func:`finish`. ``scripts/generate`` renders every committed result with :func:`page`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"

HEADING = """\
# Benchmarks

Each script in `benchmarks/` measures bottega beside its peer in one run on one machine. Look at the
ratios before the numbers: the machine is whatever it was. This page is written by
`scripts/generate` from `benchmarks/results/*.json`; to measure anew run
`python benchmarks/<name>.py` and then `scripts/generate`.
"""


@dataclass(frozen=True)
class Table:
    """Rows of numbers under the same columns."""

    title: str
    columns: Sequence[str]
    """With their unit: ``p50 ms``."""
    rows: Mapping[str, Sequence[float | None]]
    """What was measured, by what it was measured of; None where there is nothing to measure."""


@dataclass(frozen=True)
class Ratio:
    """The outcome in one number."""

    of: str
    """What is divided by what: ``bare interpreter / warm job, p50 of the first line``."""
    value: float


@dataclass(frozen=True)
class Result:
    """Everything one run of one benchmark has to say."""

    name: str
    """The script's, without ``.py``."""
    title: str
    method: str
    """How it was measured, so that a reader can judge the numbers; a paragraph."""
    tables: Sequence[Table]
    ratios: Sequence[Ratio] = ()
    packages: Sequence[str] = ()
    """Distributions whose versions matter, besides bottega."""
    notes: Sequence[str] = field(default=())
    command: str = ""
    """What measures it anew; ``benchmarks/<name>.py`` when empty."""


def percentile(values: Iterable[float], percent: float) -> float:
    """The value below which ``percent`` of 100 lie, between neighbours in proportion.

    Raises:
        ValueError: there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("a percentile of nothing was asked for")
    place = (len(ordered) - 1) * percent / 100
    lower = math.floor(place)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)


def milliseconds(seconds: Iterable[float], *percents: float) -> list[float]:
    """Percentiles of times, in milliseconds."""
    ordered = sorted(seconds)
    return [percentile(ordered, percent) * 1000 for percent in percents]


def machine() -> dict[str, Any]:
    """What the numbers depend on, as far as it can be told."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        "memory_gib": round(memory / 2**30, 1),
        "load_at_end": round(os.getloadavg()[0], 1),
    }


def _usable_cores() -> int | None:
    """Fewer than there are where this process is kept to some of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of Python, bottega and some distributions; those not installed are left out."""
    import bottega

    found = {"python": platform.python_version(), "bottega": bottega.__version__}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def options(description: str | None) -> argparse.ArgumentParser:
    """The parser of a benchmark, with the arguments that all of them have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="FOLDER",
        help="where <name>.json is written (default: benchmarks/results)",
    )
    return parser


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for homes that is gone afterwards; its path is short, for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def finish(result: Result, folder: Path) -> Path:
    """Print the result's tables and write it as ``<folder>/<name>.json``; returns the file."""
    document = {
        **asdict(result),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "versions": versions(result.packages),
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.name}.json"
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    draft.replace(file)
    print(section(document))
    return file


PARITY = "parity_"
"""Results with such names are about quality; they are shown on the algorithms' own pages."""


def page(folder: Path = RESULTS) -> str:
    """The page about all results of speed in a folder, by name; the same files give the same
    page."""
    files = sorted(path for path in folder.glob("*.json") if not path.name.startswith(PARITY))
    return "\n".join([HEADING, *(section(json.loads(file.read_text("utf-8"))) for file in files)])


def parity(name: str, folder: Path = RESULTS) -> str:
    """What was measured of an algorithm's quality, in Markdown without a heading."""
    text = (folder / f"{PARITY}{name}.json").read_text("utf-8")
    return section(json.loads(text)).partition("\n")[2].strip()


def section(document: Mapping[str, Any]) -> str:
    """One result in Markdown."""
    facts = document["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    script = f"benchmarks/{document['name']}.py"
    lines = [f"## {document['title']}", "", document["method"], ""]
    for ratio in document["ratios"]:
        lines.append(f"- **{_number(ratio['value'])}×** {ratio['of']}")
    if document["ratios"]:
        lines.append("")
    for table in document["tables"]:
        lines += [f"**{table['title']}**", "", *_table(table), ""]
    for note in document["notes"]:
        lines += [note, ""]
    lines += [
        f"`{document.get('command') or script}`, {document['date']}: {facts['processor']}, "
        f"{facts['usable_cores']} of {facts['cores']} cores, {facts['memory_gib']} GiB, "
        f"{facts['system']}, load {facts['load_at_end']} at the end; {libraries}.",
        "",
    ]
    return "\n".join(lines)


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    columns = table["columns"]
    yield f"| | {' | '.join(columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for name, values in table["rows"].items():
        cells = ("" if value is None else _number(value) for value in values)
        yield f"| {name} | {' | '.join(cells)} |"


def _number(value: float) -> str:
    """Three digits that count, or all before the point."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"
