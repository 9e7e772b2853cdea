"""``pip``, by whatever name, in a job whose interpreter is read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MakeWheel = Callable[[str, str, str], Path]


def run(root: Path, text: str) -> subprocess.CompletedProcess[str]:
    """A shell command as the program of a processing job."""
    root.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "bottega.container.processing", "/bin/sh", "-c", text],
        env={"BOTTEGA_ML_ROOT": str(root), "PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("pip", ["pip", "pip3", f"{sys.executable} -m pip"])
def test_packages_go_into_the_job(tmp_path: Path, make_wheel: MakeWheel, pip: str) -> None:
    wheel = make_wheel("guest", "1.0", "WORD = 'hello'\n")
    root = tmp_path / "ml"
    show = f"{sys.executable} -c 'import guest; print(guest.__file__)'"
    done = run(root, f"{pip} install {wheel} && {show}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{root}/packages/guest.py"


def test_what_is_there_is_not_installed_again(tmp_path: Path) -> None:
    done = run(tmp_path / "ml", f"{sys.executable} -m pip install 'numpy>1' packaging")
    assert done.returncode == 0, done.stderr
    assert "Everything that is asked for is installed already." in done.stdout
    assert list((tmp_path / "ml" / "packages").iterdir()) == []


def test_pip_says_itself_what_it_cannot_do(tmp_path: Path) -> None:
    done = run(tmp_path / "ml", f"{sys.executable} -m pip install no-such-package-at-all")
    assert done.returncode == 1
    assert "No matching distribution found for no-such-package-at-all" in done.stdout


def test_everything_else_is_left_to_pip(tmp_path: Path, make_wheel: MakeWheel) -> None:
    wheel, own = make_wheel("guest", "1.0", "WORD = 'hello'\n"), tmp_path / "own"
    root = tmp_path / "ml"
    done = run(root, f"pip --version && pip install --target {own} {wheel} && pip show packaging")
    assert done.returncode == 0, done.stderr
    assert (own / "guest.py").is_file()
    assert not (root / "packages" / "guest.py").exists()
    assert "Name: packaging" in done.stdout


def test_a_program_may_import_pip(tmp_path: Path) -> None:
    text = "import pip, pip._internal.cli.main as real; print(pip.__version__, real.__file__)"
    done = run(tmp_path / "ml", f'{sys.executable} -c "{text}"')
    assert done.returncode == 0, done.stderr
    assert "site-packages" in done.stdout
