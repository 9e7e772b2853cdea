"""What smdebug 1.0.34 has written is read: three steps in the folder beside this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bottega.debugger import ModeKeys, create_trial

FILES = Path(__file__).parent / "smdebug_files"


def test_smdebugs_own_files() -> None:
    trial = create_trial(FILES)
    assert trial.steps() == [0, 1, 2]
    assert trial.modes() == [ModeKeys.TRAIN]
    assert trial.tensor_names() == ["q", "str", "x/y:0"]
    assert trial.tensor_names(collection="losses") == ["x/y:0"]
    value = trial.tensor("x/y:0").value(2)
    assert value.dtype == np.float32
    assert value.tolist() == [[1.0, 2.0], [3.0, 2.0]]
    assert trial.tensor("str").value(1, mode="TRAIN").tolist() == ["a", "b"]
    assert trial.tensor("q").reduction_value(0, "mean", abs=True) == 3.5
    assert not trial.loaded_all_steps
