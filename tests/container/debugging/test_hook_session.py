"""The Debugger of a job's process: when there is one, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bottega.debugger import create_trial
from bottega.testing.job_folder import JobFolder

TRAINING = """
import os
import numpy as np
import xgboost

features = np.random.default_rng(0).normal(size=(50, 3))
data = xgboost.DMatrix(features, features[:, 0], nthread=1)


class Last(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        if epoch == 7:
            os.kill(os.getpid(), 9)


callbacks = [Last()] if os.environ.get("KILLED") else []
xgboost.train({"nthread": 1}, data, 9, evals=[(data, "train")], callbacks=callbacks)
"""
EVERY_ROUND = {"S3OutputPath": "s3://b/p", "HookParameters": {"save_interval": "1"}}


def script_job(folder: Path, files: dict[str, str], program: str, **environment: str) -> JobFolder:
    job = JobFolder(
        folder / "ml", {"sagemaker_program": program}, image="python", environment=environment
    )
    return job.source(files)


def test_without_a_configuration_nothing_is_loaded_or_changed(tmp_path: Path) -> None:
    script = (
        "import sys\nimport xgboost.callback\n"
        "assert not hasattr(xgboost.callback.CallbackContainer.after_iteration, '__wrapped__')\n"
        "assert not [name for name in sys.modules if name.startswith('bottega.debugger')]\n"
        "import smdebug\nassert smdebug.modes.TRAIN.name == 'TRAIN'\n"
    )
    job = script_job(tmp_path, {"train.py": script}, "train.py")
    done = job.run()
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ml" / "output" / "tensors").exists()


def test_a_configuration_that_cannot_be_followed_fails_the_job(tmp_path: Path) -> None:
    job = script_job(tmp_path, {"train.py": "print('never')"}, "train.py")
    job.config("debughookconfig", {"HookParameters": {"save_interval": "often"}})
    done = job.run()
    assert done.returncode == 1
    assert "never" not in done.stdout
    assert job.failure.startswith("ClientError: DebugHookConfig.HookParameters: save_interval")


def test_a_script_that_is_killed_leaves_whole_steps(tmp_path: Path) -> None:
    job = script_job(tmp_path, {"train.py": TRAINING}, "train.py", KILLED="1")
    job.config("debughookconfig", EVERY_ROUND)
    assert job.run().returncode == -9
    trial = create_trial(tmp_path / "ml" / "output" / "tensors")
    # The last step may have been on its way to the disk.
    assert trial.steps() in (list(range(6)), list(range(7)))
    assert trial.tensor("train-rmse").steps() == trial.steps()
    assert not trial.loaded_all_steps


def test_programs_that_a_shell_script_starts(tmp_path: Path) -> None:
    job = script_job(
        tmp_path, {"run.sh": "set -e\npython train.py\n", "train.py": TRAINING}, "run.sh"
    )
    job.config("debughookconfig", EVERY_ROUND)
    done = job.run()
    assert done.returncode == 0, done.stderr
    trial = create_trial(tmp_path / "ml" / "output" / "tensors")
    assert trial.tensor("train-rmse").steps() == list(range(9))
    assert trial.loaded_all_steps


SMDEBUG = """
import numpy as np
import smdebug.xgboost as smd
import xgboost

features = np.random.default_rng(0).normal(size=(50, 3))
data = xgboost.DMatrix(features, features[:, 0], nthread=1)
hook = smd.Hook.create_from_json_file() if CONFIGURED else smd.Hook(
    out_dir=OUT,
    save_config=smd.SaveConfig(save_interval=2),
    include_collections=["metrics", "hyperparameters"],
    hyperparameters={"eta": 0.1},
)
assert smd.get_hook() is hook
hook.set_mode(smd.modes.TRAIN)
hook.save_scalar("f1", 0.25)
xgboost.train({"nthread": 1}, data, 4, evals=[(data, "train")], callbacks=[hook])
hook.close()
trial = smd.create_trial(hook.out_dir)
assert trial.loaded_all_steps
assert trial.tensor("scalar/f1").values() == {0: 0.25}
"""


@pytest.mark.parametrize("configured", [True, False])
def test_a_script_that_uses_smdebug_itself(tmp_path: Path, configured: bool) -> None:
    own = tmp_path / "ml" / "output" / "own"
    script = f"CONFIGURED, OUT = {configured}, {str(own)!r}\n{SMDEBUG}"
    job = script_job(tmp_path, {"train.py": script}, "train.py")
    if configured:
        job.config("debughookconfig", EVERY_ROUND)
    done = job.run()
    assert done.returncode == 0, done.stderr
    trial = create_trial(tmp_path / "ml" / "output" / "tensors" if configured else own)
    steps = [0, 1, 2, 3] if configured else [0, 2]
    assert trial.tensor("train-rmse").steps("TRAIN") == steps
    if not configured:
        assert trial.tensor("hyperparameters/eta").value(0) == 0.1


def test_a_hook_of_the_script_beside_a_profiler_of_the_job(tmp_path: Path) -> None:
    own = tmp_path / "ml" / "output" / "own"
    job = script_job(
        tmp_path, {"train.py": f"CONFIGURED, OUT = False, {str(own)!r}\n{SMDEBUG}"}, "train.py"
    )
    job.config("profilerconfig", {"S3OutputPath": "s3://b/p"})
    done = job.run()
    assert done.returncode == 0, done.stderr
    assert create_trial(own).tensor("train-rmse").steps("TRAIN") == [0, 2]
    assert len(list((tmp_path / "ml" / "output" / "profiler").rglob("*.json"))) == 1


def test_the_file_that_a_script_names_is_followed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    file = tmp_path / "hook.json"
    file.write_text(json.dumps({**EVERY_ROUND, "LocalPath": str(own)}))
    script = (
        "import smdebug.xgboost as smd\n"
        "assert smd.get_hook() is None\n"
        f"hook = smd.get_hook(json_config_path={str(file)!r})\n"
        f"assert hook.out_dir == {str(own)!r}\n{TRAINING}"
    )
    done = script_job(tmp_path, {"train.py": script}, "train.py").run()
    assert done.returncode == 0, done.stderr
    assert create_trial(own).tensor("train-rmse").steps() == list(range(9))
