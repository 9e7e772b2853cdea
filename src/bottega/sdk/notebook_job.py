"""A notebook as a job: it runs from top to bottom, and comes back executed."""

from __future__ import annotations

import json
import keyword
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.errors import ClientFault
from bottega.sdk.data import DataError
from bottega.sdk.training_job import TrainingJob

if TYPE_CHECKING:
    from bottega.sdk.session import Session

NOTEBOOK_VARIABLE = "BOTTEGA_NOTEBOOK"
CELLS_VARIABLE = "BOTTEGA_NOTEBOOK_CELLS"
KERNEL_VARIABLE = "BOTTEGA_NOTEBOOK_KERNEL"
CELL_METRIC = "notebook:cell"
"""The metric whose value says how many cells have been executed."""
_CELLS_DONE = r"^Cells done: (\d+) of \d+$"
_PROGRAM = Path(__file__).with_name("notebook_program.py")
_COPIED_AS = "bottega_notebook_program.py"


@dataclass
class NotebookJob(TrainingJob):
    """A job that runs a notebook."""

    def collect(self, folder: str | os.PathLike[str] = ".") -> tuple[Path, Path]:
        """Fetch the executed notebook and its HTML, also of a job that failed in one of its cells.

        Args:
            folder: where to; made when it is not there. Files of the same names are replaced.

        Returns:
            ``<notebook>-<job>.ipynb`` and the ``.html`` beside it.

        Raises:
            ClientFault: the job is no notebook's, goes on, or ended before the notebook ran.
        """
        description = self.describe()
        notebook = description.get("Environment", {}).get(NOTEBOOK_VARIABLE)
        if not notebook:
            raise ClientFault(f"the job {self.name} did not run a notebook")
        if description["TrainingJobStatus"] in ("InProgress", "Stopping"):
            raise ClientFault(
                f"the job {self.name} is {description['TrainingJobStatus']}; wait for its end"
            )
        prefix = description["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        bucket, _, key = f"{prefix}/{self.name}/output/output.tar.gz"[5:].partition("/")
        target = Path(os.fspath(folder)).expanduser()
        target.mkdir(parents=True, exist_ok=True)
        stem = f"{Path(notebook).stem}-{self.name}"
        with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
            archive = Path(scratch) / "output.tar.gz"
            try:
                self.client.get_object(bucket, key, archive)
            except ClientFault as error:
                if error.code != "NoSuchKey":
                    raise
                raise ClientFault(
                    f"the job {self.name} left no notebook, it ended before one ran: "
                    f"{description.get('FailureReason', description['TrainingJobStatus'])}"
                ) from error
            found = [target / f"{stem}{suffix}" for suffix in (".ipynb", ".html")]
            for file in found:
                _take(archive, file, self.name)
        return found[0], found[1]


def _take(archive: Path, file: Path, job: str) -> None:
    """Write the member of the file's name; nothing else in the archive is looked at."""
    with tarfile.open(archive) as tar:
        try:
            stream = tar.extractfile(file.name)
        except KeyError:
            stream = None
        if stream is None:
            raise ClientFault(f"the output of the job {job} has no {file.name}")
        with stream, file.open("wb") as out:
            shutil.copyfileobj(stream, out)


def run_notebook(
    session: Session,
    path: str | os.PathLike[str],
    *,
    parameters: Mapping[str, Any] | None,
    kernel_name: str | None,
    dependencies: Sequence[str | os.PathLike[str]],
    environment: Mapping[str, str] | None,
    wait: bool,
    logs: bool,
    **settings: Any,
) -> NotebookJob:
    """What :meth:`Session.run_notebook` does.

    Args:
        settings: passed on to :meth:`Session.train`.
    """
    notebook = Path(os.fspath(path)).expanduser()
    values = _as_hyperparameters(parameters or {})
    variables = {
        **(environment or {}),
        NOTEBOOK_VARIABLE: notebook.name,
        CELLS_VARIABLE: str(_count_cells(notebook, injected=bool(values))),
    }
    if kernel_name:
        variables[KERNEL_VARIABLE] = kernel_name
    with tempfile.TemporaryDirectory(prefix="bottega-") as scratch:
        folder = Path(scratch)
        for dependency in dependencies:
            _copy(Path(os.fspath(dependency)).expanduser(), notebook.parent, folder)
        shutil.copyfile(notebook, folder / notebook.name)
        shutil.copyfile(_PROGRAM, folder / _COPIED_AS)
        job = session.train(
            script=_COPIED_AS,
            source_dir=folder,
            image="python",
            hyperparameters=values,
            environment=variables,
            metrics={CELL_METRIC: _CELLS_DONE},
            wait=False,
            **settings,
        )
    found = NotebookJob(job.client, job.name)
    if wait:
        found.wait(logs=logs)
    return found


def _as_hyperparameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as JSON, so that the job gets each one back as what it was."""
    found: dict[str, str] = {}
    for name, value in parameters.items():
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("sagemaker_"):
            raise DataError(f"{name!r} cannot be a parameter: the notebook needs it as a variable")
        if hasattr(value, "item") and not getattr(value, "shape", None):
            value = value.item()  # a number of numpy's
        try:
            found[name] = json.dumps(value)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"the parameter {name!r} is a {type(value).__name__}: give text, numbers, None, or "
                "lists and dicts of them; larger things as a file, by dependencies"
            ) from error
    return found


def _count_cells(notebook: Path, *, injected: bool) -> int:
    """How many cells will be executed, that of the parameters included."""
    if notebook.suffix != ".ipynb" or not notebook.is_file():
        raise DataError(f"there is no notebook {notebook}")
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        full = sum(bool("".join(cell["source"]).strip()) for cell in code)
        tags = {tag for cell in code for tag in cell["metadata"].get("tags", ())}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{notebook} is no notebook of format 4: {error!r}") from error
    return full + (injected and "injected-parameters" not in tags)


def _copy(source: Path, beside: Path, folder: Path) -> None:
    """Copy a dependency to where it lies relative to the notebook; from elsewhere, beside it."""
    if not source.is_absolute():
        source = beside / source
    if not source.exists():
        raise DataError(f"dependencies: {source} does not exist")
    inside = source.resolve().is_relative_to(beside.resolve())
    place = source.resolve().relative_to(beside.resolve()) if inside else Path(source.name)
    target = folder / place
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
