"""Seq2Seq as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import Algorithm, Channel, MetricDefinition
from bottega.algorithms.reports import quality_regex
from bottega.algorithms.seq2seq.schema import SCHEMA

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

RECORDIO = "application/x-recordio-protobuf"
JSON, JSONLINES = "application/json", "application/jsonlines"


class Seq2Seq(Algorithm):
    """An encoder-decoder with attention."""

    name = "seq2seq"
    title = "Sequence-to-Sequence"
    summary = (
        "Turns one sequence of tokens into another, as in translation and summarization: an "
        "encoder-decoder with attention, recurrent or convolutional."
    )
    supervised = True
    reads_tables = False
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=(RECORDIO,),
            description="Records with the int32 features source and target, the ids of tokens.",
        ),
        Channel(
            "validation",
            required=True,
            content_types=(RECORDIO,),
            description="Records in the same form that every checkpoint is judged by.",
        ),
        Channel(
            "vocab",
            required=True,
            content_types=(JSON,),
            description="The files vocab.src.json and vocab.trg.json, from token to id.",
        ),
    )
    metric_definitions = (
        MetricDefinition(
            "validation:perplexity",
            quality_regex(r"batch=\d+ validation perplexity", "loss"),
            "Minimize",
        ),
        MetricDefinition(
            "validation:accuracy",
            quality_regex(r"batch=\d+ validation accuracy", "score"),
            "Maximize",
        ),
        MetricDefinition(
            "validation:bleu",
            quality_regex(r"batch=\d+ validation bleu", "score"),
            "Maximize",
        ),
    )
    accepts = (JSON, JSONLINES, RECORDIO)
    extra = "deep"
    libraries = ("torch",)
    quick = False

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        metric = hyperparameters.get("optimized_metric", "perplexity")
        return (f"validation:{metric}",)

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.seq2seq.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.seq2seq.serving import Model

        return Model.load(model_dir, environment)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.seq2seq.serving import predict

        return predict(model, body, content_type, accept)
