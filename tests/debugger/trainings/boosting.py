"""A training of XGBoost with a knob for each thing that a rule looks for."""

import json
import os

import numpy as np
import xgboost

KNOBS = {
    "rare": 0.5,  # part of samples that are of class 1
    "noise": 0.1,  # part of labels that are wrong
    "leak": False,  # one feature that knows the label
    "samples": 2000,
    "rounds": 30,
    "depth": 3,
    "eta": 0.3,
}
knobs = {**KNOBS, **json.loads(os.environ["SM_HPS"])}
random = np.random.default_rng(0)

count = knobs["samples"]
labels = (random.random(count) < knobs["rare"]).astype(float)
features = random.normal(size=(count, 10)) + labels[:, None]
if knobs["leak"]:
    features[:, 1:] = 0.001 * random.normal(size=(count, 9))
    features[:, 0] = labels
flipped = random.random(count) < knobs["noise"]
labels[flipped] = 1 - labels[flipped]
half = count // 2
training = xgboost.DMatrix(features[:half], labels[:half], nthread=1)
validation = xgboost.DMatrix(features[half:], labels[half:], nthread=1)
parameters = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "max_depth": knobs["depth"],
    "eta": knobs["eta"],
    "min_child_weight": 0,
    "nthread": 1,
}
watched = [(training, "train"), (validation, "validation")]
xgboost.train(parameters, training, knobs["rounds"], evals=watched, verbose_eval=False)
