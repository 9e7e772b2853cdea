"""A replay finds the modules that its job found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bottega.container.replay import DESCRIPTION
from bottega.testing.job_folder import JobFolder

SCRIPT = """
import beside, installed, own
import smdebug

print(beside.name, installed.name, own.name, smdebug.modes.TRAIN.name)
"""
FILES = {
    "code/sub/beside.py": "name = 'beside'",
    "code/own.py": "name = 'the code'",
    "packages/own.py": "name = 'a package'",
    "packages/installed.py": "name = 'installed'",
}


@pytest.mark.parametrize(
    ("program", "files"),
    [
        ("sub/train.py", {"code/sub/train.py": SCRIPT}),
        ("run.sh", {"code/run.sh": "python sub/train.py", "code/sub/train.py": SCRIPT}),
    ],
)
def test_modules_are_found_where_the_job_found_them(
    tmp_path: Path, program: str, files: dict[str, str]
) -> None:
    job = JobFolder(tmp_path / "ml", {"sagemaker_program": program}, image="python")
    for name, text in {**FILES, **files}.items():
        path = job.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    description = {"job": "j", "image": "python", "program": program, "variables": {}}
    (tmp_path / DESCRIPTION).write_text(json.dumps(description))
    ended = subprocess.run(
        [sys.executable, "-m", "bottega.container.replay", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "beside installed the code TRAIN" in ended.stdout
