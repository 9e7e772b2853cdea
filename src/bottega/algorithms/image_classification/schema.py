"""Image Classification's hyperparameters: names, types and ranges as SageMaker documents them.

Light: torch is not imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from bottega.algorithms.deep.schedules import parse_steps
from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterError,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

LARGE_LAYERS = ("18", "34", "50", "101", "152", "200")
SMALL_LAYERS = ("20", "32", "44", "56", "110")
CHANNELS = (1, 3, 4)
_LONGEST_SIDE = 4096
_POSITIVE = Interval(1, inf)
_UNIT = Interval(0, 1)
_SHARE = Interval(0, 1, open_maximum=True)


def _shape(text: str) -> tuple[int, int, int]:
    """``channels,height,width``."""
    try:
        channels, height, width = (int(part) for part in text.split(","))
    except ValueError:
        raise ValueError("must be channels,height,width, such as 3,224,224") from None
    if channels not in CHANNELS:
        raise ValueError("must begin with 3 channels (colour), 1 (grey) or 4 (colour with alpha)")
    if not (0 < height <= _LONGEST_SIDE and 0 < width <= _LONGEST_SIDE):
        raise ValueError(f"must have a height and a width between 1 and {_LONGEST_SIDE}")
    return channels, height, width


def _truth(text: str) -> bool:
    """``True`` or ``False``, in any case, as SDKs and people write them."""
    found = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if found is None:
        raise ValueError("is not one of True, False")
    return found


def _check_classes(found: Mapping[str, Any]) -> None:
    classes = found.get("num_classes")
    several = found.get("multi_label") == "1"
    if classes == 1 and not several:
        message = "1 leaves nothing to tell apart; give 2 or more, or set multi_label to 1."
        raise HyperparameterError("num_classes", message)
    top_k = found.get("top_k")
    if top_k is not None and classes is not None and top_k > classes:
        message = f"{top_k} is more than the {classes} classes."
        raise HyperparameterError("top_k", message)


def _check_checkpoints(found: Mapping[str, Any]) -> None:
    frequency, epochs = found.get("checkpoint_frequency"), found.get("epochs", 30)
    if frequency is not None and frequency > epochs:
        message = f"{frequency} is more than the {epochs} epochs."
        raise HyperparameterError("checkpoint_frequency", message)


def _check_pretrained(found: Mapping[str, Any]) -> None:
    layers = found.get("num_layers", "152")
    if found.get("use_pretrained_model") == "1" and layers in SMALL_LAYERS:
        message = (
            f"there are no pretrained weights of {layers} layers; use one of "
            f"{', '.join(LARGE_LAYERS[:-1])}."
        )
        raise HyperparameterError("use_pretrained_model", message)


SCHEMA = HyperparameterSchema(
    (
        Hyperparameter(
            "num_classes",
            "integer",
            "How many classes there are; labels are 0 to num_classes - 1.",
            interval=_POSITIVE,
            required=True,
            essential=True,
        ),
        Hyperparameter(
            "num_training_samples",
            "integer",
            "How many images the channel train has on all hosts together.",
            interval=_POSITIVE,
            required=True,
            essential=True,
        ),
        Hyperparameter(
            "num_layers",
            "categorical",
            "Depth of the network: the first six are for images about 224 wide, the others for "
            "images about 32 wide.",
            default="152",
            choices=(*LARGE_LAYERS, *SMALL_LAYERS),
            essential=True,
        ),
        Hyperparameter(
            "image_shape",
            "text",
            "What the network sees of an image, as channels,height,width.",
            default="3,224,224",
            parse=_shape,
            essential=True,
        ),
        Hyperparameter(
            "epochs",
            "integer",
            "How often training goes over the images.",
            default="30",
            interval=_POSITIVE,
            essential=True,
        ),
        Hyperparameter(
            "mini_batch_size",
            "integer",
            "Images of one step of training, on each host.",
            default="32",
            interval=_POSITIVE,
            tunable=TunableRange(8, 512),
            essential=True,
        ),
        Hyperparameter(
            "learning_rate",
            "continuous",
            "Size of a step of training.",
            default="0.1",
            interval=_UNIT,
            tunable=TunableRange(1e-6, 0.5, scaling="Logarithmic"),
            essential=True,
        ),
        Hyperparameter(
            "optimizer",
            "categorical",
            "How steps follow from gradients.",
            default="sgd",
            choices=("sgd", "adam", "rmsprop", "nag"),
            tunable=TunableRange(choices=("sgd", "adam", "rmsprop", "nag")),
        ),
        Hyperparameter(
            "augmentation_type",
            "categorical",
            "How training images vary: crop cuts at random places and mirrors, crop_color also "
            "changes hue, saturation and lightness, crop_color_transform also rotates, shears and "
            "stretches.",
            choices=("crop", "crop_color", "crop_color_transform"),
            essential=True,
        ),
        Hyperparameter(
            "resize",
            "integer",
            "Pixels that the shorter side of each image is scaled to before a part of image_shape "
            "is cut out; required when images are files.",
            interval=Interval(1, _LONGEST_SIDE),
        ),
        Hyperparameter(
            "use_pretrained_model",
            "categorical",
            "1 begins with weights that were trained before, with a new final layer.",
            default="0",
            choices=("0", "1"),
        ),
        Hyperparameter(
            "multi_label",
            "categorical",
            "1 when an image can be of several classes at the same time.",
            default="0",
            choices=("0", "1"),
        ),
        Hyperparameter(
            "use_weighted_loss",
            "categorical",
            "1 gives rare classes as much weight as frequent ones, when multi_label is 1.",
            default="0",
            choices=("0", "1"),
            used_when=Condition("multi_label", ("1",)),
        ),
        Hyperparameter(
            "top_k",
            "integer",
            "Also reports how often the right class is among the k most likely ones.",
            interval=Interval(2, inf),
            used_when=Condition("multi_label", ("0",)),
        ),
        Hyperparameter(
            "momentum",
            "continuous",
            "How much of the step before goes into a step of sgd and nag.",
            default="0.9",
            interval=_UNIT,
            tunable=TunableRange(0, 0.999),
            used_when=Condition("optimizer", ("sgd", "nag")),
        ),
        Hyperparameter(
            "weight_decay",
            "continuous",
            "How strongly sgd and nag pull weights to 0.",
            default="0.0001",
            interval=_UNIT,
            tunable=TunableRange(0, 0.999),
            used_when=Condition("optimizer", ("sgd", "nag")),
        ),
        Hyperparameter(
            "beta_1",
            "continuous",
            "Decay of adam's mean of gradients.",
            default="0.9",
            interval=_SHARE,
            tunable=TunableRange(1e-6, 0.999),
            used_when=Condition("optimizer", ("adam",)),
        ),
        Hyperparameter(
            "beta_2",
            "continuous",
            "Decay of adam's mean of squared gradients.",
            default="0.999",
            interval=_SHARE,
            tunable=TunableRange(1e-6, 0.999),
            used_when=Condition("optimizer", ("adam",)),
        ),
        Hyperparameter(
            "eps",
            "continuous",
            "What keeps adam and rmsprop from dividing by 0.",
            default="1e-8",
            interval=_UNIT,
            tunable=TunableRange(1e-8, 1, scaling="Logarithmic"),
            used_when=Condition("optimizer", ("adam", "rmsprop")),
        ),
        Hyperparameter(
            "gamma",
            "continuous",
            "Decay of rmsprop's mean of squared gradients.",
            default="0.9",
            interval=_UNIT,
            tunable=TunableRange(1e-8, 0.999),
            used_when=Condition("optimizer", ("rmsprop",)),
        ),
        Hyperparameter(
            "lr_scheduler_step",
            "text",
            "Epochs at which lr_scheduler_factor multiplies the learning rate, such as 10,20.",
            parse=parse_steps,
        ),
        Hyperparameter(
            "lr_scheduler_factor",
            "continuous",
            "What the learning rate is multiplied by at each of the epochs of lr_scheduler_step.",
            default="0.1",
            interval=_UNIT,
        ),
        Hyperparameter(
            "early_stopping",
            "categorical",
            "True ends the training when the accuracy on validation no longer rises.",
            default="False",
            choices=("True", "False"),
            parse=_truth,
        ),
        Hyperparameter(
            "early_stopping_min_epochs",
            "integer",
            "Epochs before which training is not stopped early.",
            default="10",
            interval=_POSITIVE,
            used_when=Condition("early_stopping", ("True",)),
        ),
        Hyperparameter(
            "early_stopping_patience",
            "integer",
            "Epochs without a better accuracy that are waited for.",
            default="5",
            interval=_POSITIVE,
            used_when=Condition("early_stopping", ("True",)),
        ),
        Hyperparameter(
            "early_stopping_tolerance",
            "continuous",
            "By which part of the best accuracy a better one has to exceed it to count.",
            default="0.0",
            interval=_UNIT,
            used_when=Condition("early_stopping", ("True",)),
        ),
        Hyperparameter(
            "checkpoint_frequency",
            "integer",
            "Keeps the weights of every so many epochs in the artifact, beside the best ones.",
            interval=_POSITIVE,
        ),
        Hyperparameter(
            "precision_dtype",
            "categorical",
            "Precision of computations; float16 is faster on a GPU and is float32 elsewhere.",
            default="float32",
            choices=("float32", "float16"),
        ),
        Hyperparameter(
            "kv_store",
            "categorical",
            "How several hosts share what they learn: dist_sync averages the gradients of every "
            "step, and dist_async does the same here.",
            choices=("dist_sync", "dist_async"),
        ),
        Hyperparameter(
            "_tuning_objective_metric",
            "text",
            "The metric that tuning looks at.",
            hidden=True,
        ),
    ),
    rules=(_check_classes, _check_checkpoints, _check_pretrained),
)
"""Everything that the page of SageMaker's Image Classification lists."""
