"""The program of a processing job finds its files, also where ``/opt/ml`` is not its own."""

from __future__ import annotations

import os
import subprocess
import sys
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
