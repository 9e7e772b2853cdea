"""Training an image classifier on the channels of a job, alone or with other hosts."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster, joined
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.deep.device import describe, device
from bottega.algorithms.image_classification.artifact import Artifact, Description, network
from bottega.algorithms.image_classification.checks import check_train, introduce
from bottega.algorithms.image_classification.data import ImageChannel, open_channel
from bottega.algorithms.image_classification.learner import Learner, Score, positive_weights
from bottega.algorithms.image_classification.progress import Progress
from bottega.algorithms.image_classification.settings import Settings
from bottega.algorithms.image_classification.start import load_start
from bottega.algorithms.reports import Reporter

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train`` (and ``validation``) and save ``image-classification-<epoch>.params``.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data is at fault.
    """
    settings = Settings.read(environment.raw_hyperparameters)
    with joined(environment) as cluster:
        reporter = Reporter("Image Classification", environment.current_host, speaks=cluster.leads)
        _Training(environment, settings, cluster, reporter).run()


class _Training:
    """One job on one host."""

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
        self._progress = Progress()
        self._artifact = Artifact(environment.paths.model, environment.checkpoints)

    def run(self) -> None:
        settings, reporter = self._settings, self._reporter
        for remark in settings.remarks():
            reporter.warning(remark)
        place = device(self._environment)
        reporter.info(f"Training on the {describe(place)}.")
        if settings.half and place.type != "cuda":
            reporter.warning("precision_dtype float16 needs a GPU; float32 is used.")
        checkpoint = self._checkpoint()
        model = network(settings)
        if not checkpoint:
            # A job that begins again has its weights from the checkpoint.
            load_start(self._environment, settings, model, reporter.info)
        train = open_channel(self._environment, "train", settings)
        if train is None:
            raise CustomerError(
                "The job has no channel 'train'; Image Classification trains on that channel."
            )
        introduce("train", train, settings, reporter)
        check_train(train, settings, model.strides[-1], self._cluster, reporter)
        # Images of other sizes than those trained on are treated as in serving.
        validation = open_channel(self._environment, "validation", settings, train.sides)
        if validation is None:
            reporter.warning(
                "There is no channel validation, so no accuracy on other images is measured, and "
                "the model is that of the last epoch."
                + (" early_stopping has no effect." if settings.early_stopping else "")
            )
        else:
            introduce("validation", validation, settings, reporter)
        weights = positive_weights(train.targets, self._cluster) if settings.weighted_loss else None
        learner = Learner(model.to(place), settings, place, self._cluster, weights, reporter.info)
        if checkpoint:
            self._resume(learner, checkpoint)
        while not (reason := self._progress.enough(settings)):
            self._epoch(learner, train, validation)
        reporter.info(
            f"Training ends: {reason}. The model is that of epoch {self._progress.best_epoch - 1}."
        )

    def _epoch(
        self, learner: Learner, train: ImageChannel, validation: ImageChannel | None
    ) -> None:
        progress, settings, began = self._progress, self._settings, time.monotonic()
        epoch = progress.epochs
        self._report(epoch, "Train", learner.learn(train, epoch))
        self._reporter.info(f"Epoch[{epoch}] Time cost={time.monotonic() - began:.3f}")
        progress.epochs += 1
        accuracy = None
        if validation is None:
            better, progress.best_epoch = True, progress.epochs
        else:
            score = learner.evaluate(validation)
            self._report(epoch, "Validation", score)
            accuracy = score.accuracy
            if better := progress.see(accuracy, settings.patience[2]):
                self._reporter.info(
                    f"Storing the best model with validation accuracy: {accuracy:.6g}"
                )
        if self._cluster.leads:
            self._keep(learner, train, accuracy, better=better)

    def _report(self, epoch: int, what: str, score: Score) -> None:
        self._reporter.info(f"Epoch[{epoch}] {what}-accuracy={score.accuracy:.6g}")
        if k := self._settings.top_k:
            self._reporter.info(f"Epoch[{epoch}] {what}-top_k_accuracy_{k}={score.top_k:.6g}")

    def _keep(
        self, learner: Learner, train: ImageChannel, accuracy: float | None, *, better: bool
    ) -> None:
        """Leave the weights of the last epoch where they are wanted, and a checkpoint."""
        progress, settings, epochs = self._progress, self._settings, self._progress.epochs
        wanted = progress.wanted(settings.checkpoint_frequency)
        if epochs in wanted:
            path = self._artifact.save(learner.model, epochs)
            self._reporter.info(f'Saved checkpoint to "{path}"')
        if better:
            self._artifact.describe(
                Description(
                    num_layers=settings.num_layers,
                    image_shape=settings.image_shape,
                    num_classes=settings.num_classes,
                    multi_label=settings.multi_label,
                    sides=(settings.resize,) * 2 if settings.resize else train.sides,
                    params=self._artifact.path(epochs).name,
                    epoch=epochs,
                    accuracy=accuracy,
                )
            )
        if self._environment.checkpoints is not None:
            state = {"progress": asdict(progress), "learner": learner.state()}
            checkpoints.save_checkpoint(self._environment.checkpoints, epochs, state)
        self._artifact.keep_only(wanted)

    def _checkpoint(self) -> bytes:
        """The newest checkpoint of the leader; empty when there is none."""
        found = b""
        newest = checkpoints.newest_checkpoint(self._environment.checkpoints)
        if self._cluster.leads and newest is not None:
            self._reporter.info(f"Resuming from {newest[1].name}, after {newest[0]} epochs.")
            found = newest[1].read_bytes()
            self._artifact.restore()
        # A leading byte, for there is no way to broadcast nothing.
        return self._cluster.from_leader(b"-" + found)[1:]

    def _resume(self, learner: Learner, content: bytes) -> None:
        try:
            state = checkpoints.load_bytes(content, "The newest checkpoint")
            learner.load(state["learner"])
            self._progress = Progress(**state["progress"])
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise CustomerError(
                "The newest checkpoint is not of a job with these hyperparameters; remove it to "
                f"start anew. {str(error).splitlines()[0]}"
            ) from error
