"""What runs inside a notebook job: the notebook with papermill, then the HTML of it with nbconvert.

This file is sent along as the job's script. It needs papermill and nbconvert only; what it is to do
stands in the environment, and the notebook's parameters are the job's hyperparameters.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

# FailureReason has room for 1024 characters.
_REASON_LIMIT = 1000


class CellProgress:
    """Prints one line before each cell that is executed, and one after it."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def started(self, *, cell: Any, **_: Any) -> None:
        if cell.cell_type == "code" and cell.source.strip():
            first = cell.source.strip().splitlines()[0][:70]
            print(f"Cell {self.done + 1} of {self.total}: {first}", flush=True)

    def executed(self, *, execute_reply: Any, **_: Any) -> None:
        if execute_reply["content"]["status"] == "ok":
            self.done += 1
            print(f"Cells done: {self.done} of {self.total}", flush=True)


def main() -> int:
    """Run the notebook; returns the exit code, and leaves the failure file if it is not 0."""
    source = Path(os.environ["BOTTEGA_NOTEBOOK"])
    job = os.environ["TRAINING_JOB_NAME"]
    executed = Path(os.environ["SM_OUTPUT_DATA_DIR"]) / f"{source.stem}-{job}.ipynb"
    try:
        failure = _run(source, executed, json.loads(os.environ["SM_HPS"]))
    finally:
        if executed.exists():
            _write_html(executed)
    if not failure:
        return 0
    print(failure, file=sys.stderr, flush=True)
    text = failure if len(failure) <= _REASON_LIMIT else _shortened(failure)
    (Path(os.environ["SM_OUTPUT_DIR"]) / "failure").write_text(text, encoding="utf-8")
    return 1


def _shortened(failure: str) -> str:
    """The first line, which names the cell, and as much of the end as fits."""
    first, _, rest = failure.partition("\n")
    return f"{first}\n...{rest[-(_REASON_LIMIT - len(first) - 4) :]}"


def _run(source: Path, executed: Path, parameters: dict[str, Any]) -> str:
    """Execute; returns the failing cell's traceback, or nothing. The copy is written either way."""
    from jupyter_client.kernelspec import KernelSpecManager
    from papermill.exceptions import (  # type: ignore[import-untyped]
        PapermillExecutionError,
        strip_color,
    )
    from papermill.execute import execute_notebook  # type: ignore[import-untyped]
    from traitlets.config import Config

    kernel = os.environ.get("BOTTEGA_NOTEBOOK_KERNEL") or _kernel(source)
    # A job shares the ports of the machine, but not its folder for scratch.
    os.environ["JUPYTER_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="jupyter-")
    progress = CellProgress(int(os.environ["BOTTEGA_NOTEBOOK_CELLS"]))
    try:
        execute_notebook(
            source,
            executed,
            parameters=parameters,
            kernel_name=kernel,
            language=KernelSpecManager().get_kernel_spec(kernel).language,
            progress_bar=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
            config=Config({"KernelManager": {"transport": "ipc"}}),
            on_cell_start=progress.started,
            on_cell_executed=progress.executed,
        )
    except PapermillExecutionError as error:
        trace = strip_color("\n".join(error.traceback)).strip()
        return f"AlgorithmError: cell [{error.exec_count}] failed\n{trace or error.evalue}"
    return ""


def _kernel(source: Path) -> str:
    """The notebook's own kernel where the job has it, else Python's."""
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager

    notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    named = notebook.metadata.get("kernelspec", {}).get("name", "")
    known = KernelSpecManager().find_kernel_specs()
    if named and named not in known:
        print(f"The kernel {named!r} is not here; python3 runs the notebook instead.", flush=True)
    return named if named in known else "python3"


def _write_html(executed: Path) -> None:
    import nbformat
    from nbconvert import HTMLExporter

    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"name": executed.stem}}
    exporter = HTMLExporter()  # type: ignore[no-untyped-call]
    text, _ = exporter.from_notebook_node(notebook, resources)
    executed.with_suffix(".html").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
