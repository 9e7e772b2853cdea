"""The hyperparameters of Object Detection, as SageMaker documents them. Light: no torch here."""

from __future__ import annotations

import re

from bottega.algorithms.deep.schedules import parse_steps
from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

_POSITIVE = Interval(1)
_SHARE = Interval(0, 1, open_minimum=True)
_STOPPING = Condition("early_stopping", ("True",))


def _truth(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise ValueError("must be True or False")


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"must be a regular expression; {error}") from error
    return text


PARAMETERS = (
    Hyperparameter(
        "num_classes",
        "integer",
        "How many kinds of objects there are; classes are numbered from 0.",
        required=True,
        interval=_POSITIVE,
        essential=True,
    ),
    Hyperparameter(
        "num_training_samples",
        "integer",
        "How many images the channel train has; another number is reported and then put right.",
        required=True,
        interval=_POSITIVE,
        essential=True,
    ),
    Hyperparameter(
        "base_network",
        "categorical",
        "The network that the detector is built on.",
        "vgg-16",
        choices=("vgg-16", "resnet-50"),
        essential=True,
    ),
    Hyperparameter(
        "use_pretrained_model",
        "categorical",
        "Whether the base network starts from weights that were trained on ImageNet.",
        "1",
        choices=("0", "1"),
        essential=True,
    ),
    Hyperparameter(
        "image_shape",
        "integer",
        "Height and width that images are scaled to, whatever their proportions.",
        "300",
        interval=Interval(300),
    ),
    Hyperparameter(
        "epochs",
        "integer",
        "How often the training goes through the images.",
        "30",
        interval=_POSITIVE,
        essential=True,
    ),
    Hyperparameter(
        "mini_batch_size",
        "integer",
        "How many images the network sees between two steps.",
        "32",
        interval=_POSITIVE,
        tunable=TunableRange(8, 64, scaling="Linear"),
        essential=True,
    ),
    Hyperparameter(
        "optimizer",
        "categorical",
        "How steps follow from gradients.",
        "sgd",
        choices=("sgd", "adam", "rmsprop", "adadelta"),
        tunable=TunableRange(choices=("sgd", "adam", "rmsprop", "adadelta")),
    ),
    Hyperparameter(
        "learning_rate",
        "continuous",
        "The size of the first steps; adadelta finds its own.",
        "0.001",
        interval=_SHARE,
        tunable=TunableRange(1e-6, 0.5, scaling="Logarithmic"),
        essential=True,
    ),
    Hyperparameter(
        "momentum",
        "continuous",
        "How much of the last step goes into the next.",
        "0.9",
        interval=_SHARE,
        tunable=TunableRange(0.0, 0.999, scaling="Linear"),
        used_when=Condition("optimizer", ("sgd",)),
    ),
    Hyperparameter(
        "weight_decay",
        "continuous",
        "How much weights shrink with each step.",
        "0.0005",
        interval=_SHARE,
        tunable=TunableRange(0.0, 0.999, scaling="Linear"),
        used_when=Condition("optimizer", ("sgd", "rmsprop")),
    ),
    Hyperparameter(
        "lr_scheduler_step",
        "text",
        "The epochs at which the learning rate is multiplied by lr_scheduler_factor, such as "
        "10,20.",
        "",
        parse=parse_steps,
    ),
    Hyperparameter(
        "lr_scheduler_factor",
        "continuous",
        "What the learning rate is multiplied with at the epochs of lr_scheduler_step.",
        "0.1",
        interval=Interval(0, 1, open_minimum=True),
    ),
    Hyperparameter(
        "overlap_threshold",
        "continuous",
        "How much a detection must overlap an object to count as right in validation:mAP.",
        "0.5",
        interval=_SHARE,
    ),
    Hyperparameter(
        "nms_threshold",
        "continuous",
        "A detection is dropped when a better one of its class overlaps it by more than this.",
        "0.45",
        interval=_SHARE,
    ),
    Hyperparameter(
        "label_width",
        "integer",
        "The longest label there may be: 5 numbers for each object of an image, and 2 more.",
        "350",
        interval=Interval(7),
    ),
    Hyperparameter(
        "freeze_layer_pattern",
        "text",
        "A regular expression; parameters of the base network whose names it matches are not "
        "trained.",
        parse=_expression,
    ),
    Hyperparameter(
        "early_stopping",
        "categorical",
        "Whether training ends when validation:mAP gets no better.",
        "False",
        choices=("True", "False"),
        parse=_truth,
    ),
    Hyperparameter(
        "early_stopping_min_epochs",
        "integer",
        "How many epochs are trained whatever happens.",
        "10",
        interval=_POSITIVE,
        used_when=_STOPPING,
    ),
    Hyperparameter(
        "early_stopping_patience",
        "integer",
        "How many epochs in a row may bring nothing before training ends.",
        "5",
        interval=_POSITIVE,
        used_when=_STOPPING,
    ),
    Hyperparameter(
        "early_stopping_tolerance",
        "continuous",
        "By which part of itself the best mAP must be exceeded to count as better.",
        "0.0",
        interval=Interval(0, 1),
        used_when=_STOPPING,
    ),
    Hyperparameter(
        "kv_store",
        "categorical",
        "How several hosts work together; both ways take every step together here.",
        choices=("dist_sync", "dist_async"),
    ),
    Hyperparameter(
        "_tuning_objective_metric", "text", "The metric that a tuning job asks for.", hidden=True
    ),
)

SCHEMA = HyperparameterSchema(parameters=PARAMETERS)
