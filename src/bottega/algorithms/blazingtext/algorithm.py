"""BlazingText as a built-in algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.algorithms.base import Algorithm, Channel, MetricDefinition
from bottega.algorithms.blazingtext.schema import CONTENT_TYPES, SCHEMA, SUPERVISED

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment


class BlazingText(Algorithm):
    """Word vectors and text classification."""

    name = "blazingtext"
    compiled = True
    title = "BlazingText"
    summary = (
        "Text in plain lines: classifies it by topic or sentiment, or learns vectors of its words."
    )
    # The classifier learns from labels, the word vectors from text alone.
    supervised = False
    reads_tables = False
    compiled = True
    reads_tables = False
    starting_values: ClassVar[Mapping[str, str]] = {"mode": SUPERVISED}
    hyperparameters = SCHEMA
    channels = (
        Channel(
            "train",
            required=True,
            content_types=CONTENT_TYPES,
            description=(
                "A text a line, its words parted by spaces; for classification with __label__x "
                "in front."
            ),
        ),
        Channel(
            "validation",
            required=False,
            content_types=CONTENT_TYPES,
            description="Texts with labels to measure the accuracy on; decides early stopping.",
        ),
        Channel(
            "eval",
            required=False,
            content_types=("text/plain",),
            description=(
                "Word pairs with people's judgement of how alike they are: EN-WS-353-ALL.txt, "
                "EN-WS-353-REL.txt, EN-WS-353-SIM.txt."
            ),
        ),
    )
    metric_definitions = (
        MetricDefinition("train:mean_rho", r"#mean_rho: (\S+)", "Maximize"),
        MetricDefinition("validation:accuracy", r"#validation_accuracy: (\S+)", "Maximize"),
    )
    accepts = ("application/json", "application/jsonlines")

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        mode = hyperparameters.get("mode", "").strip()
        return ("validation:accuracy",) if mode == SUPERVISED else ("train:mean_rho",)

    def train(self, environment: TrainingEnvironment) -> None:
        from bottega.algorithms.blazingtext.training import train

        train(environment)

    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        from bottega.algorithms.blazingtext.serving import load

        return load(model_dir)

    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        from bottega.algorithms.blazingtext.serving import predict

        return predict(model, body, content_type, accept)
