"""Training a detector on the channels of a job, alone or with other hosts."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster, joined
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.deep.device import describe, device
from bottega.algorithms.deep.hosts import SharedTraining
from bottega.algorithms.deep.optimizers import optimizer
from bottega.algorithms.deep.pixels import normalise, to_tensor
from bottega.algorithms.deep.schedules import StepSchedule
from bottega.algorithms.object_detection import artifact
from bottega.algorithms.object_detection.augmentation import draw_views, move_objects, show
from bottega.algorithms.object_detection.average_precision import (
    average_precisions,
    mean_average_precision,
)
from bottega.algorithms.object_detection.detection import see
from bottega.algorithms.object_detection.examples import Examples, read_examples
from bottega.algorithms.object_detection.matching import losses, match
from bottega.algorithms.object_detection.precision import precision, reduced
from bottega.algorithms.object_detection.progress import Progress
from bottega.algorithms.object_detection.settings import Settings
from bottega.algorithms.object_detection.starting_weights import starting_network
from bottega.algorithms.reports import Reporter

if TYPE_CHECKING:
    from bottega.algorithms.object_detection.network import Detector
    from bottega.container.environment import TrainingEnvironment

_ROOM_FOR_WINDOWS = 1.5
"""Training images are kept so much larger than the network sees them, for parts of them are
shown enlarged."""
_REPORT_EVERY = 20
_WARMUP_SHARE, _WARMUP_BATCHES = 0.1, 500
_LARGEST_GRADIENT = 10.0


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train``, judge on ``validation``, and leave the artifact.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data is at fault, or the training diverges.
    """
    settings = Settings.of(environment.raw_hyperparameters)
    with joined(environment) as cluster:
        reporter = Reporter("Object Detection", environment.current_host, speaks=cluster.leads)
        Run(environment, settings, cluster, reporter).train()


@dataclass(frozen=True)
class EpochLosses:
    """Means over the batches of an epoch."""

    cross_entropy: float
    smooth_l1: float


class Run:
    """One host's part in the training.

    Args:
        environment: of the job.
        settings: of the job.
        cluster: the hosts.
        reporter: of this host.
    """

    def __init__(
        self,
        environment: TrainingEnvironment,
        settings: Settings,
        cluster: Cluster,
        reporter: Reporter,
    ) -> None:
        self._environment = environment
        self._settings = settings
        self._cluster = cluster
        self._reporter = reporter
        self._place = device(environment)
        self._examples = self._read_training()
        self._validation = self._read_validation()
        self._batches = cluster.largest(math.ceil(len(self._examples) / settings.batch_size))
        model, self._from_scratch = starting_network(environment, settings, reporter)
        self._model = model.placed(self._place)
        self._freeze()
        self._optimizer = optimizer(self._model.parameters(), settings.optimizer)
        total = settings.epochs * self._batches
        warmup = min(_WARMUP_BATCHES, int(_WARMUP_SHARE * total)) if self._from_scratch else 0
        self._schedule = StepSchedule(
            self._optimizer, settings.steps, settings.factor, warmup=warmup
        )
        self._shared = SharedTraining(cluster, self._model)
        self._progress = Progress(settings.early_stopping)
        self._best: dict[str, Any] | None = None

    def train(self) -> None:
        """Go through the epochs. Raises: CustomerError."""
        settings, reporter = self._settings, self._reporter
        kind = "bfloat16 and float32" if reduced(self._place) else "float32"
        reporter.info(f"Training on {describe(self._place)}, in {kind}.")
        begun = self._resume()
        self._shared.begin()
        for epoch in range(begun, settings.epochs):
            since = time.monotonic()
            found = self._epoch(epoch)
            self._shared.average_statistics()
            reporter.info(f"Epoch[{epoch}] Train-cross_entropy={found.cross_entropy:.6f}")
            reporter.info(f"Epoch[{epoch}] Train-smooth_l1={found.smooth_l1:.6f}")
            seconds = time.monotonic() - since
            reporter.info(f"Epoch[{epoch}] Time cost={seconds:.3f}")
            records = self._batches * settings.batch_size * self._cluster.hosts
            self._throughput(records / max(seconds, 1e-9))
            stop = self._judge(epoch)
            reporter.progress(epoch + 1, settings.epochs)
            self._keep(epoch + 1)
            if stop:
                reporter.info(
                    f"Early stopping after epoch {epoch}: validation:mAP has not become better for "
                    f"{settings.early_stopping.patience} epochs."
                )
                break
        if self._best is None:
            # A resumed job may find that nothing was left to do.
            self._save()

    def _read_training(self) -> Examples:
        settings, reporter = self._settings, self._reporter
        if "train" not in self._environment.input_data_config:
            raise CustomerError("The job has no channel 'train'; it has images to train on.")
        side = round(_ROOM_FOR_WINDOWS * settings.image_shape)
        examples = read_examples(self._environment, "train", settings, side=side)
        counts = np.array([len(examples), sum(len(found) for found in examples.objects)], np.int64)
        images, objects = self._cluster.sum(counts).tolist()
        if not images:
            raise CustomerError("The channel train has no images on any host.")
        if not objects:
            raise CustomerError(
                "No image of the channel train has an object, so there is nothing to learn."
            )
        reporter.info(f"The channel train has {images} images with {objects} objects.")
        if images != settings.num_training_samples:
            reporter.warning(
                f"num_training_samples is {settings.num_training_samples}, but the channel train "
                f"has {images} images; all of them are used."
            )
        if examples.pictures.kept < len(examples):
            reporter.info(
                f"{examples.pictures.kept} of {len(examples)} images fit into memory; the others "
                "are decoded anew in each epoch."
            )
        return examples

    def _read_validation(self) -> Examples | None:
        settings, reporter = self._settings, self._reporter
        if "validation" not in self._environment.input_data_config:
            reporter.warning(
                "The job has no channel 'validation': there is no validation:mAP, and the model of "
                "the last epoch is kept."
            )
            return None
        side = settings.image_shape
        examples = read_examples(self._environment, "validation", settings, side=side)
        if self._cluster.leads and not any(len(found) for found in examples.objects):
            raise CustomerError("No image of the channel validation has an object.")
        reporter.info(f"The channel validation has {len(examples)} images.")
        return examples

    def _freeze(self) -> None:
        pattern = self._settings.freeze
        if not pattern:
            return
        frozen = self._model.freeze(pattern)
        if frozen:
            self._reporter.info(f"Frozen: {len(frozen)} parameters, from {frozen[0]}.")
            return
        self._reporter.warning(
            f"freeze_layer_pattern {pattern!r} matches the beginning of no parameter's name; "
            f"they are called {next(iter(self._model.base.state_dict()))} and so on."
        )

    def _epoch(self, epoch: int) -> EpochLosses:
        """Take the steps of one epoch."""
        rng = np.random.default_rng((epoch, self._cluster.rank))
        self._model.train()
        totals = torch.zeros(2, device=self._place)
        size, since = self._settings.batch_size, time.monotonic()
        batches = self._examples.shuffled(size, self._batches, rng) if len(self._examples) else None
        for number in range(self._batches):
            self._schedule.set(epoch, epoch * self._batches + number)
            self._optimizer.zero_grad(set_to_none=True)
            if batches is not None:
                batch = next(batches)
                views = draw_views(batch.objects, rng)
                objects = torch.from_numpy(move_objects(batch.objects, views)).to(self._place)
                pictures = to_tensor(batch.pictures, self._place)
                images = show(pictures, views, self._settings.image_shape)
                images = images.contiguous(memory_format=torch.channels_last)
                with precision(self._place):
                    offsets, logits = self._model(images)
                loss = losses(offsets, logits, match(objects, self._model.defaults))
                (loss.cross_entropy + loss.smooth_l1).backward()
                totals += torch.stack([loss.cross_entropy, loss.smooth_l1]).detach()
            self._shared.average_gradients()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), _LARGEST_GRADIENT)
            self._optimizer.step()
            if (number + 1) % _REPORT_EVERY == 0 or number + 1 == self._batches:
                self._report(epoch, number, totals)
                if number + 1 < self._batches:
                    seconds = time.monotonic() - since
                    self._throughput((number + 1) * size * self._cluster.hosts / seconds)
        means = (totals / self._batches).tolist()
        return EpochLosses(means[0], means[1])

    def _report(self, epoch: int, number: int, totals: Any) -> None:
        means = (totals / (number + 1)).tolist()
        # The sum over the hosts: when one is lost, all are.
        if not math.isfinite(float(self._cluster.sum(np.array([sum(means)]))[0])):
            raise CustomerError(
                f"The loss is no finite number any more in epoch {epoch}: the training diverges. "
                f"Set a lower learning_rate than {self._settings.optimizer.learning_rate:g}."
            )
        for name, value in zip(("cross_entropy", "smooth_l1"), means, strict=True):
            self._reporter.info(
                f"#quality_metric: host={self._environment.current_host}, epoch={epoch}, "
                f"batch={number} train {name} <loss>={value!r}"
            )

    def _throughput(self, records: float) -> None:
        self._reporter.info(
            f"#throughput_metric: host={self._environment.current_host}, "
            f"train throughput={records!r} records/second"
        )

    def _judge(self, epoch: int) -> bool:
        """Validate where there is something to validate on; tells whether to stop here."""
        if self._validation is None:
            self._save()
            return False
        # What the leader finds holds for all.
        score = self._validate(epoch) if self._cluster.leads else 0.0
        score = float(self._cluster.from_leader(repr(score).encode()).decode())
        before = self._progress.best
        better, stop = self._progress.add(score)
        if better:
            if before is not None:
                self._reporter.info(f"The best validation-mAP before was {before!r}.")
            self._reporter.info(f"Updating the best model with validation-mAP={score!r}")
            self._save()
        return stop

    def _validate(self, epoch: int) -> float:
        values = judge(self._model, self._validation, self._settings)
        score = mean_average_precision(values)
        self._reporter.info(
            f"#quality_metric: host={self._environment.current_host}, epoch={epoch}, "
            f"validation mAP <score>=({score!r})"
        )
        self._reporter.info(f"Epoch[{epoch}] Validation-mAP={score:.6f}")
        each = ", ".join(f"{kind}: {value:.4f}" for kind, value in enumerate(values))
        self._reporter.info(f"Average precision of each class: {each}")
        return score

    def _save(self) -> None:
        """Keep the weights of now as the model."""
        self._best = {
            name: value.detach().to("cpu", copy=True)
            for name, value in self._model.state_dict().items()
        }
        self._write()

    def _write(self) -> None:
        if not self._cluster.leads or self._best is None:
            return
        folder = self._environment.paths.model
        artifact.save(folder, self._model.architecture, self._best, _plain(self._settings.values))
        self._reporter.info(f'Saved checkpoint to "{folder / artifact.PARAMS}"')

    def _keep(self, epochs: int) -> None:
        """Leave what is needed to go on from here."""
        if not self._cluster.leads or self._environment.checkpoints is None:
            return
        state = {
            "architecture": self._model.architecture.document(),
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "progress": self._progress.document(),
            "best": self._best,
        }
        checkpoints.save_checkpoint(self._environment.checkpoints, epochs, state)

    def _resume(self) -> int:
        """Go on from the newest checkpoint of the leader; gives how many epochs it had done."""
        newest = checkpoints.newest_checkpoint(self._environment.checkpoints)
        epochs, raw = 0, b""
        if self._cluster.leads and newest is not None:
            epochs = newest[0]
            self._reporter.info(f"Resuming from {newest[1].name}, after {epochs} epochs.")
            raw = newest[1].read_bytes()
        epochs = self._cluster.largest(epochs)
        if not epochs:
            return 0
        try:
            state = _from_bytes(self._cluster.from_leader(raw))
            if state["architecture"] != self._model.architecture.document():
                raise CustomerError(
                    "The newest checkpoint is of another network; give the job a checkpoint "
                    "location of its own."
                )
            checkpoints.load_state(self._model, state["model"], "The newest checkpoint")
            self._optimizer.load_state_dict(state["optimizer"])
            self._progress.restore(state["progress"])
        except (ValueError, KeyError, TypeError) as error:
            raise CustomerError(
                f"The newest checkpoint cannot be used; remove it to start anew. {error}"
            ) from error
        self._best = state["best"]
        self._write()
        return epochs


def judge(model: Detector, examples: Examples | None, settings: Settings) -> Any:
    """The average precision of each class on a channel; see ``average_precisions``."""
    if examples is None:
        raise ValueError("no images to judge on")
    model.eval()
    place = model.defaults.device
    detections: list[Any] = []
    for batch in examples.in_turn(settings.batch_size):
        images = normalise(to_tensor(batch.pictures, place))
        detections += see(model, images, nms_threshold=settings.nms_threshold)
    return average_precisions(
        detections,
        examples.objects,
        classes=settings.num_classes,
        overlap=settings.overlap_threshold,
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: ",".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def _from_bytes(raw: bytes) -> Any:
    with tempfile.TemporaryDirectory(prefix="checkpoint-") as folder:
        path = Path(folder, "checkpoint.pt")
        path.write_bytes(raw)
        return checkpoints.load(path)
