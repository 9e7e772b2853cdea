"""What a job was asked to do, with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.algorithms.image_classification.schema import SCHEMA, SMALL_LAYERS

_WIDE = 64


@dataclass(frozen=True)
class Settings:
    """The hyperparameters as the training uses them."""

    num_classes: int
    num_training_samples: int
    num_layers: int
    image_shape: tuple[int, int, int]
    """Channels, height, width."""
    epochs: int
    mini_batch_size: int
    resize: int
    """Pixels of the shorter side; 0 keeps images as they are."""
    augmentation: str
    """The augmentation_type; empty for none."""
    use_pretrained: bool
    multi_label: bool
    weighted_loss: bool
    top_k: int
    """0 for none."""
    schedule: tuple[tuple[int, ...], float]
    """Epochs, and the factor that applies at each."""
    early_stopping: bool
    patience: tuple[int, int, float]
    """The least number of epochs, epochs to wait, and the tolerance."""
    checkpoint_frequency: int
    """Epochs; 0 keeps the best only."""
    half: bool
    kv_store: str
    values: Mapping[str, Any]
    """All of them by name, for the optimizer."""

    @classmethod
    def read(cls, raw: Mapping[str, str]) -> Settings:
        """Judge what the user gave.

        Raises:
            HyperparameterError: see the schema.
        """
        given = SCHEMA.check(raw)
        defaults = SCHEMA.defaults().items()
        found = {**{name: SCHEMA[name].convert(text) for name, text in defaults}, **given}
        multi = found["multi_label"] == "1"
        return cls(
            num_classes=found["num_classes"],
            num_training_samples=found["num_training_samples"],
            num_layers=int(found["num_layers"]),
            image_shape=found["image_shape"],
            epochs=found["epochs"],
            mini_batch_size=found["mini_batch_size"],
            resize=found.get("resize", 0),
            augmentation=found.get("augmentation_type", ""),
            use_pretrained=found["use_pretrained_model"] == "1",
            multi_label=multi,
            weighted_loss=multi and found["use_weighted_loss"] == "1",
            top_k=0 if multi else found.get("top_k", 0),
            schedule=(found.get("lr_scheduler_step", ()), found["lr_scheduler_factor"]),
            early_stopping=found["early_stopping"],
            patience=(
                found["early_stopping_min_epochs"],
                found["early_stopping_patience"],
                found["early_stopping_tolerance"],
            ),
            checkpoint_frequency=found.get("checkpoint_frequency", 0),
            half=found["precision_dtype"] == "float16",
            kv_store=found.get("kv_store", ""),
            values=found,
        )

    def remarks(self) -> list[str]:
        """What the user may not expect, a sentence each."""
        found = []
        values = self.values
        if values["use_weighted_loss"] == "1" and not self.multi_label:
            found.append("use_weighted_loss has no effect: it is for multi_label 1.")
        if "top_k" in values and self.multi_label:
            found.append("top_k has no effect: it is for multi_label 0.")
        if self.early_stopping and self.patience[0] > self.epochs:
            found.append(
                "early_stopping has no effect: early_stopping_min_epochs is more than epochs."
            )
        if self.kv_store == "dist_async":
            found.append("kv_store dist_async: hosts share the gradients of every step, in step.")
        longest = max(self.image_shape[1:])
        if self.resize and self.resize < longest:
            found.append(
                f"resize {self.resize} is less than {longest} of image_shape, so images are "
                "enlarged."
            )
        if str(self.num_layers) in SMALL_LAYERS and longest > _WIDE:
            found.append(
                f"num_layers {self.num_layers} is for images about 32 wide; with {longest} it "
                "takes much time and memory. 18, 34 or 50 is for such images."
            )
        return found
