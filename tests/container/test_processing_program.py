"""The program of a processing job finds its files, also where ``/opt/ml`` is not its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"BOTTEGA_ML_ROOT": str(root), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "bottega.container.processing", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_paths_of_the_command_are_led_to_the_root(tmp_path: Path):
    (tmp_path / "processing").mkdir()
    script = tmp_path / "processing" / "script.py"
    script.write_text("import sys; print(sys.argv[1:])")
    done = run(
        tmp_path, sys.executable, "/opt/ml/processing/script.py", "/opt/mlx", "--a=/opt/ml/b"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['/opt/mlx', '--a=/opt/ml/b']\n"


def test_a_program_that_is_not_there_says_so(tmp_path: Path):
    done = run(tmp_path, "/opt/ml/processing/none")
    assert done.returncode == 127
    assert f"cannot run '{tmp_path}/processing/none': No such file" in done.stderr


def test_pip_installs_what_is_missing_where_the_programs_python_finds_it(
    tmp_path: Path, make_wheel: Callable[[str, str, str], Path]
):
    wheel = make_wheel("tiny", "1.0", "ANSWER = 42")
    root = tmp_path / "ml"
    root.mkdir()
    command = f"pip install --no-index {wheel} numpy && python3 -c 'import tiny; print(tiny)'"
    done = run(root, "/bin/sh", "-c", command)
    assert done.returncode == 0, done.stderr
    assert f"<module 'tiny' from '{root}/packages/tiny.py'>" in done.stdout
    assert [path.name for path in (root / "packages").glob("*.py")] == ["tiny.py"]
    assert not (root / "packages" / "numpy").exists()


def test_what_pip_cannot_do_ends_the_program_with_its_words(tmp_path: Path):
    done = run(tmp_path, "/bin/sh", "-ec", "pip install --no-index nobody-has-this; echo after")
    assert done.returncode == 1
    assert "No matching distribution found for nobody-has-this" in done.stdout
    assert "after" not in done.stdout


def test_other_commands_are_pips_own(tmp_path: Path):
    done = run(tmp_path, "/bin/sh", "-c", "pip --version && pip3 install --help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pip ")
    assert "--no-index" in done.stdout
