from __future__ import annotations

import importlib
import subprocess
import sys
import typing
from pathlib import Path, PurePosixPath

import botocore
import pytest

from bottega.specs import generated, operation_model
from bottega.specs.generated.search import SearchExpression
from bottega.specs.generation import (
    TYPES_FOLDER,
    Artifact,
    module_text,
    stale,
    table,
    typed_modules,
    write,
)

ROOT = Path(__file__).resolve().parents[2]


def test_the_types_in_the_tree_are_the_generated_ones() -> None:
    if botocore.__version__ != generated.BOTOCORE_VERSION:
        pytest.skip(f"generated from botocore {generated.BOTOCORE_VERSION}, not from this release")
    assert stale(ROOT, typed_modules()) == []


def test_generating_twice_gives_the_same() -> None:
    assert list(typed_modules()) == list(typed_modules())


@pytest.mark.parametrize("feature", table()["types"])
def test_a_module_has_the_requests_and_responses_of_its_operations(feature: str) -> None:
    module = importlib.import_module(f"bottega.specs.generated.{feature}")
    for service, operations in table()["types"][feature].items():
        for name in operations:
            model = operation_model(service, name)
            for shape in (model.input_shape, model.output_shape):
                if shape is not None:
                    assert set(getattr(module, shape.name).__annotations__) == set(shape.members)


def test_members_have_the_types_that_operations_get() -> None:
    source = module_text(
        "trial",
        {
            "sagemaker": ["ListTrainingJobs", "Search"],
            "s3": ["PutObject"],
            "sagemaker-runtime": ["InvokeEndpoint"],
        },
    )
    for line in (
        'SortOrder: TypeAlias = Literal["Ascending", "Descending"]',
        "    CreationTimeAfter: NotRequired[float]",
        "    MaxResults: NotRequired[int]",
        "    TrainingJobSummaries: list[TrainingJobSummary]",
        "    SubExpressions: NotRequired[list[SearchExpression]]",
        "    Body: NotRequired[BinaryIO]",
        "    Body: bytes",
        "    Metadata: NotRequired[dict[str, str]]",
        "    EnableNetworkIsolation: NotRequired[bool]",
    ):
        assert f"{line}\n" in source


def test_a_type_may_contain_itself() -> None:
    hints = typing.get_type_hints(SearchExpression)
    assert typing.get_args(hints["SubExpressions"]) == (SearchExpression,)


def test_one_name_for_two_shapes_is_refused() -> None:
    with pytest.raises(ValueError, match="Two services have a shape ResourceConfig each"):
        module_text("trial", {"sagemaker": ["CreateTrainingJob"], "logs": ["PutIntegration"]})


def test_writing_touches_only_what_changed(tmp_path: Path) -> None:
    folder = tmp_path / TYPES_FOLDER
    same = Artifact(TYPES_FOLDER / "same.py", "a\n")
    other = Artifact(PurePosixPath("docs/page.md"), "b\n")
    assert write(tmp_path, [same, other]) == [str(other.path), str(same.path)]
    kept = (folder / "same.py").stat()
    (folder / "gone.py").write_text("no feature has me\n")
    changed = Artifact(other.path, "c\n")
    assert stale(tmp_path, [same, changed]) == ["docs/page.md", str(TYPES_FOLDER / "gone.py")]
    assert write(tmp_path, [same, changed]) == ["docs/page.md", str(TYPES_FOLDER / "gone.py")]
    assert stale(tmp_path, [same, changed]) == []
    assert (folder / "same.py").stat().st_mtime_ns == kept.st_mtime_ns
    assert sorted(path.name for path in folder.iterdir()) == ["same.py"]
    assert (tmp_path / "docs/page.md").read_text() == "c\n"


def run_generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "generate"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_writes_checks_and_names_what_is_stale(tmp_path: Path) -> None:
    if botocore.__version__ != generated.BOTOCORE_VERSION:
        pytest.skip(f"generated from botocore {generated.BOTOCORE_VERSION}, not from this release")
    written = run_generate("--root", str(tmp_path))
    assert written.returncode == 0, written.stderr
    assert "wrote: docs/coverage.md\n" in written.stdout
    clean = run_generate("--check", "--root", str(tmp_path))
    assert (clean.returncode, clean.stdout) == (0, "")
    (tmp_path / TYPES_FOLDER / "tagging.py").write_text("edited by hand\n")
    found = run_generate("--check", "--root", str(tmp_path))
    assert (found.returncode, found.stdout) == (1, f"stale: {TYPES_FOLDER}/tagging.py\n")
    assert (tmp_path / TYPES_FOLDER / "tagging.py").read_text() == "edited by hand\n"


def test_regenerating_leaves_the_tree_clean() -> None:
    if botocore.__version__ != generated.BOTOCORE_VERSION:
        pytest.skip(f"generated from botocore {generated.BOTOCORE_VERSION}, not from this release")
    found = run_generate("--check")
    assert (found.returncode, found.stdout) == (0, ""), "run scripts/generate"


def test_another_botocore_is_said_to_be_no_ground_for_comparison(tmp_path: Path) -> None:
    probe = (
        "import runpy, sys, botocore; botocore.__version__ = '0.0.0'; "
        f"sys.argv = ['generate', '--check', '--root', {str(tmp_path)!r}]; "
        f"runpy.run_path({str(ROOT / 'scripts' / 'generate')!r}, run_name='__main__')"
    )
    found = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False, timeout=120
    )
    assert found.returncode == 2
    assert "this is 0.0.0: nothing to compare" in found.stderr
