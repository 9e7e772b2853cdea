"""``pip``, by whatever name, in a job whose interpreter is read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bottega.container.requirements import source_of
from bottega.testing.wheels import write_wheel

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


def test_packages_that_share_a_folder_stand_beside_each_other(tmp_path: Path) -> None:
    wheels = [
        write_wheel(tmp_path / "w", name, "1.0", f"WORD = '{name}'\n", module=f"shared/{name}")
        for name in ("first", "second")
    ]
    text = " && ".join(f"pip -q install {wheel}" for wheel in wheels)
    show = (
        f"{sys.executable} -c 'import shared.first as a, shared.second as b; print(a.WORD, b.WORD)'"
    )
    done = run(tmp_path / "ml", f"{text} && {show}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "first second"


def test_a_newer_version_takes_the_place_of_the_older(
    tmp_path: Path, make_wheel: MakeWheel
) -> None:
    old, new = (make_wheel("guest", version, f"V = '{version}'\n") for version in ("1.0", "2.0"))
    show = f"{sys.executable} -c 'import guest; print(guest.V)'"
    done = run(tmp_path / "ml", f"pip install {old} && pip install {new} && {show}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "2.0"
    (left,) = (tmp_path / "ml" / "packages").glob("guest-*/METADATA")
    assert left.parent.name == "guest-2.0.dist-info"


@pytest.mark.parametrize(
    ("info", "wanted"),
    [
        (
            {"url": "https://a.example/x-1-py3-none-any.whl"},
            "https://a.example/x-1-py3-none-any.whl",
        ),
        (
            {"url": "https://a.example/x", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
            "x @ git+https://a.example/x@0a1b",
        ),
        (
            {"url": "https://a.example/x.zip", "archive_info": {}, "subdirectory": "python"},
            "x @ https://a.example/x.zip#subdirectory=python",
        ),
    ],
)
def test_a_package_is_installed_from_where_pip_found_it(info: dict[str, Any], wanted: str) -> None:
    assert source_of({"metadata": {"name": "x"}, "download_info": info}) == wanted


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
