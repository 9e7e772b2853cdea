"""What a job shall do, from its hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.algorithms.deep.optimizers import OptimizerSettings
from bottega.algorithms.object_detection.schema import SCHEMA


@dataclass(frozen=True)
class EarlyStopping:
    """When training ends before its last epoch."""

    wanted: bool
    min_epochs: int
    patience: int
    tolerance: float


@dataclass(frozen=True)
class Settings:
    """The hyperparameters with their defaults."""

    num_classes: int
    num_training_samples: int
    base_network: str
    pretrained: bool
    pretrained_explicitly: bool
    """Whether the user asked for it, so that training from scratch instead would be wrong."""
    image_shape: int
    epochs: int
    batch_size: int
    optimizer: OptimizerSettings
    steps: tuple[int, ...]
    factor: float
    overlap_threshold: float
    nms_threshold: float
    label_width: int
    freeze: str | None
    early_stopping: EarlyStopping
    values: Mapping[str, Any]
    """Every hyperparameter by name."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Settings:
        """Judge what the user gave.

        Raises:
            HyperparameterError: see ``HyperparameterSchema.check``.
        """
        found = SCHEMA.check({**SCHEMA.defaults(), **given})
        name = found["optimizer"]
        return cls(
            num_classes=found["num_classes"],
            num_training_samples=found["num_training_samples"],
            base_network=found["base_network"],
            pretrained=found["use_pretrained_model"] == "1",
            pretrained_explicitly="use_pretrained_model" in given,
            image_shape=found["image_shape"],
            epochs=found["epochs"],
            batch_size=found["mini_batch_size"],
            optimizer=OptimizerSettings(
                name=name,
                learning_rate=found["learning_rate"],
                # The others ignore them, as SageMaker documents.
                momentum=found["momentum"] if name == "sgd" else 0.0,
                weight_decay=found["weight_decay"] if name in ("sgd", "rmsprop") else 0.0,
            ),
            steps=found["lr_scheduler_step"],
            factor=found["lr_scheduler_factor"],
            overlap_threshold=found["overlap_threshold"],
            nms_threshold=found["nms_threshold"],
            label_width=found["label_width"],
            freeze=found.get("freeze_layer_pattern"),
            early_stopping=EarlyStopping(
                wanted=found["early_stopping"],
                min_epochs=found["early_stopping_min_epochs"],
                patience=found["early_stopping_patience"],
                tolerance=found["early_stopping_tolerance"],
            ),
            values=found,
        )
