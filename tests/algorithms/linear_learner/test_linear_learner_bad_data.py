"""Data and settings that nothing can be learned from: each is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

RNG = np.random.default_rng(7)
ROWS, WIDTH = 200, 4
FEATURES = RNG.normal(size=(ROWS, WIDTH)).astype("f4")
NUMBERS = FEATURES @ [2, 1, -3, 0] + 5
BINARY = (NUMBERS + RNG.normal(size=ROWS) > 5).astype(int)
SMALL = {"mini_batch_size": 50}
REGRESSOR = {"predictor_type": "regressor", **SMALL}
CLASSIFIER = {"predictor_type": "binary_classifier", **SMALL}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": 3, **SMALL}

Jobs = Any


@pytest.mark.parametrize(
    ("values", "file", "message"),
    [
        (CLASSIFIER, "0,1\n2,5\n", "Label 2 in line 2 of rows.csv is neither 0 nor 1"),
        (CLASSIFIER, "0,1\n0.5,5\n", "Label 0.5 in line 2 of rows.csv"),
        (CLASSIFIER, "1,1\n1,5\n", "Every label of the channel train is 1"),
        (
            {**CLASSIFIER, "positive_example_weight_mult": "balanced"},
            "0,1\n0,5\n",
            "Every label of the channel train is 0",
        ),
        (MULTICLASS, "0,1\n3,5\n", "Label 3 in line 2 of rows.csv is not a whole number in [0,3)"),
        (MULTICLASS, "0,1\n-1,5\n", "Label -1 in line 2"),
        (MULTICLASS, "2,1\n2,5\n", "Every label of the channel train is 2"),
        (REGRESSOR, "1,1\nnan,5\n", "line 2"),
        (REGRESSOR, "1,1\n2,nan\n", "line 2"),
        (REGRESSOR, "1,1\n2,\n", "line 2"),
        (REGRESSOR, "1,1\n2,inf\n", "line 2"),
        (REGRESSOR, "1,1\n2,x\n", "line 2"),
        (REGRESSOR, "1,1\n2,3,4\n", "line 2"),
        (REGRESSOR, "1\n2\n", "at least one feature"),
        (REGRESSOR, "", "no data"),
        ({**REGRESSOR, "feature_dim": 7}, "1,1,2\n2,3,4\n", "7"),
        ({"predictor_type": "regression"}, "1,1\n", "Hyperparameter predictor_type"),
    ],
)
def test_bad_rows_are_named(jobs: Jobs, values: dict[str, Any], file: str, message: str) -> None:
    folder = jobs.folder(values).channel("train", "text/csv", {"rows.csv": file})
    assert message in jobs.refused(folder)


def test_bad_channels_are_named(jobs: Jobs, as_csv: Any) -> None:
    folder = jobs.folder(REGRESSOR)
    assert "no channel 'train'" in jobs.refused(folder)
    folder.channel("train", "text/libsvm", {"rows": "1 1:2\n"})
    assert "text/libsvm" in jobs.refused(folder)
    folder = jobs.with_data(REGRESSOR, train=(FEATURES, NUMBERS))
    folder.channel("validation", "text/csv", {"rows.csv": "1,2\n"})
    assert "features" in jobs.refused(folder)
    folder = jobs.folder(REGRESSOR)
    folder.channel("train", "application/x-recordio-protobuf", {"rows.pbr": b"nonsense" * 9})
    assert "rows.pbr" in jobs.refused(folder)


def test_a_validation_of_one_class_has_no_area(jobs: Jobs) -> None:
    ones = BINARY == 1
    done = jobs.run(CLASSIFIER, train=(FEATURES, BINARY), validation=(FEATURES[ones], BINARY[ones]))
    assert "validation roc_auc_score" not in done.log
    assert done.metric("validation recall") == 1


def test_training_that_diverges_is_refused(jobs: Jobs) -> None:
    values = {
        **REGRESSOR,
        "optimizer": "sgd",
        "learning_rate": 1e20,
        "normalize_data": "false",
        "normalize_label": "false",
        "l1": 0,
        "wd": 0,
    }
    message = jobs.refused(jobs.with_data(values, train=(FEATURES, NUMBERS)))
    assert "Use a smaller learning_rate" in message
