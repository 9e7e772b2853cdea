"""What a training job and a model are made of, after the hyperparameters are checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from bottega.algorithms.seq2seq.schema import SCHEMA

_FORMAT = "bottega-seq2seq-1"

Settings = TypeVar("Settings", "NetworkSettings", "CourseSettings")


@dataclass(frozen=True)
class NetworkSettings:
    """What a network is made of: the hyperparameters that it cannot be rebuilt without."""

    encoder_type: str
    decoder_type: str
    num_layers_encoder: int
    num_layers_decoder: int
    num_embed_source: int
    num_embed_target: int
    embed_dropout_source: float
    embed_dropout_target: float
    rnn_num_hidden: int
    rnn_cell_type: str
    rnn_attention_type: str
    rnn_attention_num_hidden: int
    rnn_attention_in_upper_layers: bool
    rnn_decoder_state_init: str
    rnn_residual_connections: bool
    rnn_first_residual_layer: int
    rnn_decoder_hidden_dropout: float
    cnn_num_hidden: int
    cnn_kernel_width_encoder: int
    cnn_kernel_width_decoder: int
    cnn_activation_type: str
    cnn_hidden_dropout: float
    max_seq_len_source: int
    max_seq_len_target: int

    @property
    def encoder_width(self) -> int:
        """Numbers in the encoder's state of one token."""
        return self.rnn_num_hidden if self.encoder_type == "rnn" else self.cnn_num_hidden

    @property
    def decoder_width(self) -> int:
        """Numbers that the output layer gets for one token."""
        return self.rnn_num_hidden if self.decoder_type == "rnn" else self.cnn_num_hidden


@dataclass(frozen=True)
class CourseSettings:
    """How to train."""

    batch_size: int
    bucketing_enabled: bool
    bucket_width: int
    optimizer_type: str
    learning_rate: float
    weight_decay: float
    momentum: float | None
    clip_gradient: float
    lr_scheduler_type: str
    plateau_reduce_lr_factor: float
    plateau_reduce_lr_threshold: int
    fixed_rate_lr_half_life: int
    weight_init_type: str
    weight_init_scale: float
    xavier_factor_type: str
    training_metric: str
    optimized_metric: str
    bleu_sample_size: int
    """Validation pairs to translate at each checkpoint: 0 for none, -1 for all."""
    checkpoint_frequency_num_batches: int
    checkpoint_threshold: int
    min_num_epochs: int
    max_num_epochs: int | None
    max_num_batches: int | None
    beam_size: int


@dataclass(frozen=True)
class ModelSettings:
    """What is in a model's ``config.json``: all that inference needs beside weights and words."""

    network: NetworkSettings
    source_words: int
    """Ids of the source side run from 0 to this, exclusive."""
    target_words: int
    beam_size: int
    length_ratio_mean: float
    """Target tokens for one source token in the training data: their mean."""
    length_ratio_deviation: float
    """Their standard deviation."""

    def longest_answer(self, source_length: int) -> int:
        """Where a translation is cut off, in tokens: what the training data make likely."""
        ratio = self.length_ratio_mean + 2 * self.length_ratio_deviation
        return max(1, min(self.network.max_seq_len_target, int(source_length * ratio) + 5))

    def to_json(self) -> str:
        """As ``config.json``."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelSettings:
        """From ``config.json``.

        Raises:
            ValueError: it is no such file.
        """
        document = json.loads(text)
        if not isinstance(document, dict) or document.pop("format", None) != _FORMAT:
            raise ValueError(f"it does not say that its format is {_FORMAT}")
        try:
            network = NetworkSettings(**document.pop("network"))
            return cls(network=network, **document)
        except (TypeError, KeyError) as error:
            raise ValueError(str(error)) from error


def read(raw: Mapping[str, str]) -> tuple[NetworkSettings, CourseSettings]:
    """Check hyperparameters, fill in their defaults and sort them out.

    Raises:
        HyperparameterError: one of them is at fault.
    """
    found = SCHEMA.check(raw)
    values = {name: SCHEMA[name].convert(text) for name, text in SCHEMA.defaults().items()} | found
    values.setdefault("rnn_attention_num_hidden", values["rnn_num_hidden"])
    for name in ("momentum", "max_num_epochs", "max_num_batches"):
        if values.get(name) in (None, "none", -1):
            values[name] = None
    if values["optimized_metric"] == "bleu" and values["bleu_sample_size"] == 0:
        values["bleu_sample_size"] = -1
    return _pick(NetworkSettings, values), _pick(CourseSettings, values)


def _pick(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    return kind(**{field.name: values[field.name] for field in fields(kind)})
