"""Training a Seq2Seq model on the channels of a job."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep.device import describe, device
from bottega.algorithms.reports import Goal, Reporter
from bottega.algorithms.seq2seq import artifact, settings
from bottega.algorithms.seq2seq.corpus import Corpus, read_corpus
from bottega.algorithms.seq2seq.evaluation import Quality, evaluate, perplexity
from bottega.algorithms.seq2seq.network import Network, initialize
from bottega.algorithms.seq2seq.optimization import LearningRate, optimizer
from bottega.algorithms.seq2seq.schema import SCHEMA
from bottega.algorithms.seq2seq.settings import CourseSettings, ModelSettings
from bottega.algorithms.seq2seq.vocabulary import SOURCE_FILE, TARGET_FILE, Vocabulary

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_SEED = 0
_BATCHES_A_LINE = 50
"""How often the log tells that training goes on."""


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train``, judge on ``validation``, and leave the best model.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data are, or the memory does not suffice.
    """
    shape, course = settings.read(environment.raw_hyperparameters)
    if len(environment.hosts) > 1:
        raise CustomerError("Seq2Seq trains on one host; set InstanceCount to 1.")
    place = device(environment, seed=_SEED)
    reporter = Reporter("Seq2Seq", environment.current_host)
    source, target = read_vocabularies(environment)
    words, longest = (
        (len(source), len(target)),
        (shape.max_seq_len_source, shape.max_seq_len_target),
    )
    corpora = []
    for channel in ("train", "validation"):
        _check_channel(environment, channel)
        corpus = read_corpus(environment, channel, words=words, longest=longest)
        _tell(reporter, channel, corpus)
        corpora.append(corpus)
    mean, deviation = corpora[0].ratio()
    model = ModelSettings(shape, *words, course.beam_size, mean, deviation)
    given = SCHEMA.check(environment.raw_hyperparameters)
    if given.get("momentum", "none") != "none" and course.optimizer_type != "sgd":
        reporter.warning(f"momentum has no effect with optimizer_type {course.optimizer_type}.")
    artifact.save_facts(environment.paths.model, model, source, target)
    try:
        Training(model, course, corpora[0], corpora[1], reporter, place).run(
            environment.paths.model
        )
    except torch.OutOfMemoryError as error:
        raise CustomerError(
            f"The memory of the {describe(place)} does not suffice: reduce batch_size "
            f"({course.batch_size}), the numbers of hidden units or the longest lengths."
        ) from error


def read_vocabularies(environment: TrainingEnvironment) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies of the channel ``vocab``.

    Raises:
        CustomerError: there is no such channel, or a file of it is at fault.
    """
    _check_channel(environment, "vocab")
    folder = environment.paths.channel("vocab")
    found = []
    for name in (SOURCE_FILE, TARGET_FILE):
        path = next(iter(sorted(folder.rglob(name))), None) if folder.is_dir() else None
        if path is None:
            there = ", ".join(sorted(p.name for p in folder.rglob("*") if p.is_file()))
            raise CustomerError(
                f"The channel vocab has no file {name}, but {there or 'nothing'}; it needs "
                f"{SOURCE_FILE} and {TARGET_FILE}, in File mode."
            )
        found.append(Vocabulary.read(path))
    return found[0], found[1]


class Training:
    """One training run: batches, checkpoints, and when to end."""

    def __init__(
        self,
        model: ModelSettings,
        course: CourseSettings,
        corpus: Corpus,
        validation: Corpus,
        reporter: Reporter,
        place: Any,
    ) -> None:
        self._model, self._course = model, course
        self._corpus, self._validation = corpus, validation
        self._reporter = reporter
        self.network = Network(model)
        initialize(self.network, course)
        self.network.to(place)
        self._optimizer = optimizer(self.network.parameters(), course)
        self._rate = LearningRate(course)
        self._generator = np.random.default_rng(_SEED)
        self._sample = _sample(validation, course)
        self._buckets = None
        if course.bucketing_enabled:
            shape = model.network
            self._buckets = corpus.buckets(
                course.bucket_width, shape.max_seq_len_source, shape.max_seq_len_target
            )
        self.batches = self.epochs = self.checkpoints = 0
        self.best: Quality | None = None
        self.best_checkpoint = 0
        self._not_improved = 0
        self._since = _Since(place)

    def run(self, folder: Path) -> None:
        """Train to the end; the best weights are in the folder whenever this stops."""
        course = self._course
        weights = sum(parameter.numel() for parameter in self.network.parameters())
        self._reporter.info(f"Training {weights} weights on the {describe(self._since.place)}.")
        self.network.train()
        ended = False
        while not ended:
            for batch in self._corpus.epoch(course.batch_size, self._generator, self._buckets):
                self._step(batch)
                if self.batches % _BATCHES_A_LINE == 0:
                    self._tell_speed()
                last = self.batches == course.max_num_batches
                if last or self.batches % course.checkpoint_frequency_num_batches == 0:
                    ended = not self.checkpoint(folder) or last or self._stopped_improving()
                    if ended:
                        break
            else:
                self.epochs += 1
                if course.max_num_epochs is not None:
                    self._reporter.progress(self.epochs, course.max_num_epochs)
                    ended = self.epochs >= course.max_num_epochs
        if self._since.batches:
            self.checkpoint(folder)
        self._tell_best()

    def checkpoint(self, folder: Path) -> bool:
        """Judge the network, tell how it does, keep it if it is the best so far.

        Returns:
            Whether there is sense in going on: False when training diverged after a checkpoint
            that can be kept.

        Raises:
            CustomerError: training diverged before the first checkpoint.
        """
        course = self._course
        self.checkpoints += 1
        trained = self._since.read()
        if not math.isfinite(perplexity(trained.loss, trained.tokens)):
            if self.best is not None:
                self._reporter.warning(
                    f"Training diverged within {self.batches} batches and ends here. A lower "
                    "learning_rate or clip_gradient may prevent it."
                )
                self._since = _Since(self._since.place)
                return False
            raise CustomerError(
                f"Training diverged within {self.batches} batches: the loss is {trained.loss:g}. "
                f"Reduce learning_rate ({course.learning_rate:g}) or set clip_gradient."
            )
        quality = evaluate(
            self.network,
            self._model,
            self._validation,
            batch_size=course.batch_size,
            to_translate=self._sample,
        )
        improved = quality.better_than(self.best, course.optimized_metric)
        # What the log tells of is on the disk already.
        if improved:
            self.best, self.best_checkpoint = quality, self.checkpoints
            self._not_improved = 0
            artifact.save_weights(folder, self.network)
        else:
            self._not_improved += 1
        at = {"epoch": self.epochs, "batch": self.batches}
        if course.training_metric == "accuracy":
            self._quality("train accuracy", trained.right / trained.tokens, **at)
        else:
            self._quality("train perplexity", perplexity(trained.loss, trained.tokens), **at)
        self._tell_quality(quality, **at)
        self._reporter.info(
            f"Checkpoint [{self.checkpoints}] Updates={self.batches} Epoch={self.epochs} "
            f"Samples={trained.pairs} Time-cost={trained.seconds:.3f} "
            f"Learning-rate={self._rate.now:g} "
            f"{'improved' if improved else 'did not improve'} {course.optimized_metric}"
        )
        if self._rate.after_checkpoint(improved=improved):
            self._reporter.info(f"The learning rate is reduced to {self._rate.now:g}.")
            self._set_rate(self._rate.now)
        self._since = _Since(self._since.place)
        return True

    def _step(self, batch: Any) -> None:
        course = self._course
        found = self.network(batch, count=course.training_metric == "accuracy")
        self._optimizer.zero_grad(set_to_none=True)
        (found.loss / found.tokens).backward()
        if course.clip_gradient >= 0:
            torch.nn.utils.clip_grad_value_(self.network.parameters(), course.clip_gradient)
        self._optimizer.step()
        self.batches += 1
        self._since.add(found, batch.pairs)
        self._set_rate(self._rate.after_batch())

    def _set_rate(self, rate: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def _stopped_improving(self) -> bool:
        course = self._course
        if course.max_num_epochs is not None or self.epochs < course.min_num_epochs:
            return False
        if self._not_improved < course.checkpoint_threshold:
            return False
        self._reporter.info(
            f"{course.optimized_metric} did not improve for {self._not_improved} checkpoints: "
            "training ends."
        )
        return True

    def _tell_speed(self) -> None:
        speed = self._since.pairs / max(1e-9, time.monotonic() - self._since.start)
        self._reporter.info(
            f"Epoch[{self.epochs}] Batch [{self.batches}] Speed: {speed:.2f} samples/sec"
        )

    def _tell_quality(self, quality: Quality, *, epoch: int, batch: int) -> None:
        self._quality("validation perplexity", quality.perplexity, epoch=epoch, batch=batch)
        self._quality("validation accuracy", quality.accuracy, epoch=epoch, batch=batch)
        if quality.bleu is not None:
            self._quality("validation bleu", quality.bleu, epoch=epoch, batch=batch)

    def _quality(self, what: str, value: float, *, epoch: int, batch: int) -> None:
        goal: Goal = "loss" if what.endswith("perplexity") else "score"
        self._reporter.quality(f"batch={batch} {what}", goal, value, epoch=epoch)

    def _tell_best(self) -> None:
        """The metrics of the model that is kept come last, so that they are the job's."""
        assert self.best is not None
        self._reporter.info(f"The model is that of checkpoint {self.best_checkpoint}.")
        if self.best_checkpoint != self.checkpoints:
            self._tell_quality(self.best, epoch=self.epochs, batch=self.batches)


class _Since:
    """What happened since the last checkpoint; sums stay on the device until they are read."""

    def __init__(self, place: Any) -> None:
        self.place = place
        self.start = time.monotonic()
        self.batches = self.pairs = self.tokens = 0
        self._loss = torch.zeros((), dtype=torch.float64, device=place)
        self._right = torch.zeros((), dtype=torch.long, device=place)
        self.loss, self.right, self.seconds = 0.0, 0, 0.0

    def add(self, found: Any, pairs: int) -> None:
        """A batch was trained on."""
        self.batches += 1
        self.pairs += pairs
        self.tokens += found.tokens
        self._loss += found.loss.detach()
        self._right += found.right

    def read(self) -> _Since:
        """Bring the sums to where they can be read."""
        self.loss, self.right = float(self._loss), int(self._right)
        self.seconds = time.monotonic() - self.start
        return self


def _sample(validation: Corpus, course: CourseSettings) -> Corpus | None:
    if course.bleu_sample_size == 0:
        return None
    if course.bleu_sample_size < 0:
        return validation
    return validation.sample(course.bleu_sample_size, np.random.default_rng(_SEED))


def _check_channel(environment: TrainingEnvironment, channel: str) -> None:
    if channel not in environment.input_data_config:
        raise CustomerError(
            f"The job has no channel {channel!r}; Seq2Seq needs train, validation and vocab."
        )


def _tell(reporter: Reporter, channel: str, corpus: Corpus) -> None:
    reporter.info(f"The channel {channel} has {corpus.pairs} pairs of sequences.")
    if corpus.empty:
        reporter.warning(
            f"{corpus.empty} records of {channel} are left out: their source or target is empty."
        )
    for side, cut in (("source", corpus.cut_sources), ("target", corpus.cut_targets)):
        if cut:
            reporter.warning(
                f"{cut} {side} sequences of {channel} are longer than max_seq_len_{side} and are "
                "cut to it."
            )
