"""Training Linear Learner on the channels of a job, alone or with other hosts."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster, joined
from bottega.algorithms.linear_learner import artifact, checkpoints, selection
from bottega.algorithms.linear_learner.losses import Loss, LossSums
from bottega.algorithms.linear_learner.metrics import BinaryEvaluation, evaluation, objective
from bottega.algorithms.linear_learner.models import ParallelModels
from bottega.algorithms.linear_learner.plan import Passes, Plan, make_plan
from bottega.algorithms.linear_learner.preparation import (
    Data,
    how_many_models,
    open_data,
    refuse_single_class,
)
from bottega.algorithms.linear_learner.rates import MINIMUM_SHARE
from bottega.algorithms.linear_learner.scoring import Sample, Scorer
from bottega.algorithms.linear_learner.settings import PARALLEL_MODELS, Settings, resolve
from bottega.algorithms.linear_learner.stopping import Progress
from bottega.algorithms.linear_learner.workers import Workers, workers
from bottega.algorithms.reports import Goal, Reporter

if TYPE_CHECKING:
    from bottega.algorithms.readers.record_channel import Batch
    from bottega.container.environment import TrainingEnvironment

_SEED = 0
_SHOWN_ROWS = 1 << 20
"""The metrics of the chosen model are of so many training rows at most, for all would take as long
as another epoch."""


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train``, choose by ``validation`` and leave ``model_algo-1``.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data are at fault.
    """
    settings = resolve(environment.raw_hyperparameters)
    with workers(environment.cpus) as threads, joined(environment) as cluster:
        data = open_data(environment, settings, cluster)
        _Training(environment, settings, data, cluster, threads).run()


class _Training:
    """One training, from the data to the artifact."""

    def __init__(
        self,
        environment: TrainingEnvironment,
        settings: Settings,
        data: Data,
        cluster: Cluster,
        threads: Workers,
    ) -> None:
        self._environment = environment
        self._settings = settings
        self._data = data
        self._cluster = cluster
        self._threads = threads
        self._report = Reporter("Linear Learner", environment.current_host, speaks=cluster.leads)
        # Each host has its own orders, for all of them may have the same rows.
        self._passes = Passes(data.train, settings.mini_batch_size, _SEED + cluster.rank)
        state = checkpoints.load(environment.checkpoints, settings, cluster)
        self._plan = self._make_plan() if state is None else Plan.of(state)
        self._count = len(self._plan.chosen)
        self._parallel = ParallelModels(
            settings,
            self._plan.chosen,
            self._plan.scaling,
            self._plan.loss(settings, self._plan.positive),
            width=data.width,
            sparse=data.sparse,
            cluster=cluster,
            workers=threads,
        )
        self._progress = Progress(
            self._count,
            settings.num_classes,
            settings.early_stopping_patience,
            settings.early_stopping_tolerance,
        )
        self._epochs = 0
        self._batches: int | None = None
        if state is not None:
            self._resume(state)

    def run(self) -> None:
        """Train, choose, evaluate and save."""
        while self._epochs < self._settings.epochs and not self._progress.exhausted:
            self._epoch()
        self._finish()

    def _make_plan(self) -> Plan:
        settings, data = self._settings, self._data
        models = how_many_models(settings, data.width, self._cluster)
        if settings.num_models is None and models < PARALLEL_MODELS:
            self._report.warning(
                f"{models} models are trained instead of {PARALLEL_MODELS}: more would need too "
                "much memory."
            )
        return make_plan(
            settings,
            data.train,
            self._passes,
            self._cluster,
            width=data.width,
            sparse=data.sparse,
            models=models,
        )

    def _resume(self, state: dict[str, Any]) -> None:
        try:
            self._parallel.restore(state)
            self._progress.restore(state)
        except ValueError as error:
            raise CustomerError(
                f"The newest checkpoint is of a training on other data: {error}. Use another "
                "checkpoint location to start anew."
            ) from error
        self._epochs = int(state["epochs"])
        self._batches = int(state["batches"])
        self._report.info(f"Resuming after {self._epochs} epochs.")

    # One epoch.

    def _epoch(self) -> None:
        epoch, started = self._epochs, time.perf_counter()
        batches = self._passes.epoch(epoch)
        sums, steps, rows = LossSums.of(self._count), 0, 0
        counts = np.zeros(max(2, self._settings.num_classes), dtype=np.int64)
        while (total := self._step(next(batches, None), sums, counts)) > 0:
            steps += 1
            rows += total
        if epoch == 0 and not self._settings.regression:
            refuse_single_class(self._cluster.sum(counts))
        self._parallel.stop_broken()
        self._batches = steps
        self._epochs += 1
        rate = rows / max(time.perf_counter() - started, 1e-9)
        sums = LossSums(self._cluster.sum(sums.losses), self._cluster.sum(sums.weights))
        self._judge(epoch, np.where(self._parallel.stopped, np.inf, sums.means()))
        self._report.info(
            f"#throughput_metric: host={self._environment.current_host}, "
            f"train throughput={rate!r} records/second"
        )
        self._report.progress(self._epochs, self._settings.epochs)
        if self._environment.checkpoints is not None and self._cluster.leads:
            arrays = {
                **self._plan.arrays(),
                **self._parallel.state(),
                **self._progress.state(),
                "batches": np.array(self._batches),
            }
            checkpoints.save(self._environment.checkpoints, self._epochs, arrays, self._settings)

    def _step(self, batch: Batch | None, sums: LossSums, counts: Any) -> int:
        """Learn from a batch; returns how many rows all hosts had."""
        if batch is None:
            # Another host may have more, and waits for what this one has to add: nothing.
            if self._cluster.hosts == 1:
                return 0
            nothing = np.empty((0, self._data.width), dtype=np.float32)
            return self._parallel.learn(nothing, nothing[:, 0], sums, self._batches)
        assert batch.labels is not None
        if not self._settings.regression:
            counts += np.bincount(batch.labels.astype(np.int64), minlength=counts.size)
        labels = self._plan.scaling.labels(batch.labels)
        return self._parallel.learn(batch.features, labels, sums, self._batches)

    def _judge(self, epoch: int, trained: Any) -> None:
        """Report an epoch, and let early stopping know of it."""
        settings, name = self._settings, objective(self._settings)
        # Without validation it is the penalties that speak against weights that fit too well.
        losses = trained + self._penalties(self._parallel.weights)
        values, criterion = losses, name
        found = {f"train_{name}": trained}
        self._quality(f"train {name}", "loss", float(trained.min()), epoch)
        if self._data.has_validation:
            keep = self._calibration_rows() if settings.stop_by_criteria else 0
            scored = self._scorer(self._judging()).score(
                Sample(self._data.validation), self._parallel.weights, keep=keep
            )
            losses = values = np.where(self._parallel.stopped, np.inf, scored.losses)
            found[f"validation_{name}"] = losses
            self._quality(f"validation {name}", "loss", float(losses.min()), epoch)
            if settings.stop_by_criteria:
                criterion = settings.binary_classifier_model_selection_criteria
                costs = selection.costs(scored, settings, self._threads)[0]
                values = np.where(self._parallel.stopped, np.inf, costs)
        for model in range(self._count):
            self._report.metrics(
                {key: float(numbers[model]) for key, numbers in found.items()},
                epoch=epoch,
                model=model,
            )
        self._progress.update(losses, self._parallel.weights, values)
        best = float(values.min())
        self._report.early_stopping(
            best if criterion == name else -best, epoch=epoch, criteria=criterion
        )

    # What comes after the last step.

    def _finish(self) -> None:
        settings, weights = self._settings, self._progress.weights
        self._parallel.forget_unseen(weights)
        train = Sample(self._data.train, self._calibration_rows(), _SEED)
        validation = Sample(self._data.validation)
        scored = self._scorer(
            selection.selection_loss(settings, self._judging(), self._count)
        ).score(
            validation if self._data.has_validation else train,
            weights,
            keep=self._calibration_rows() if selection.calibrated(settings) else 0,
        )
        if not self._data.has_validation:
            scored = replace(scored, losses=scored.losses + self._penalties(weights))
        choice = selection.choose(scored, settings, self._progress.bests, self._threads)
        if not choice.reached:
            self._report.warning(
                "No threshold reaches the target of "
                f"{settings.binary_classifier_model_selection_criteria}; the one that comes "
                "nearest is taken."
            )
        best = np.ascontiguousarray(weights[:, self._parallel.columns(choice.model)])
        self._evaluate("train", Sample(self._data.train, self._shown_rows(), _SEED), choice, best)
        if self._data.has_validation:
            self._evaluate("validation", validation, choice, best)
        if self._data.has_test:
            self._evaluate("test", Sample(self._data.test), choice, best)
        facts = self._facts(choice.model)
        self._report.info(f"Best model found for hyperparameters: {json.dumps(facts)}")
        if self._cluster.leads:
            self._save(best, choice, facts)

    def _save(self, best: Any, choice: selection.Choice, facts: dict[str, Any]) -> None:
        features, bias = self._plan.scaling.original(best)
        model = artifact.LinearModel(
            weights=features,
            bias=bias,
            predictor_type=self._settings.predictor_type,
            loss=self._settings.loss,
            cut=choice.cut,
            hyperparameters=facts,
        )
        artifact.save(self._environment.paths.model, model)

    def _evaluate(self, side: str, sample: Sample, choice: selection.Choice, best: Any) -> None:
        """Report all metrics of the chosen model on a channel."""
        settings = self._settings
        positive = self._plan.judged_positive[choice.model : choice.model + 1]
        into = evaluation(settings, choice.cut)
        scorer = self._scorer(self._plan.loss(settings, positive), models=1)
        loss, rows = scorer.evaluate(sample, best, into)
        if not rows:
            return
        self._quality(f"{side} {objective(settings)}", "loss", loss)
        for name, goal, value in into.metrics(self._cluster):
            self._quality(f"{side} {name}", goal, value)
        if side == "train" and rows >= _SHOWN_ROWS:
            self._report.info(f"The metrics of train are of {rows} of its rows.")
        if isinstance(into, BinaryEvaluation) and into.approximate:
            self._report.info(
                f"The roc_auc_score of {side} is of {rows} rows, in bins of their margins."
            )

    def _quality(self, what: str, goal: Goal, value: float, epoch: int | None = None) -> None:
        """Report a metric; one of models that all diverged is none."""
        if math.isfinite(value):
            self._report.quality(what, goal, value, epoch=epoch)

    def _penalties(self, weights: Any) -> Any:
        """What the penalties of these weights add to the loss of each model."""
        return self._parallel.penalties(weights) * self._judging().unit

    def _judging(self) -> Loss:
        """The loss by which models are compared."""
        return self._plan.loss(self._settings, self._plan.judged_positive)

    def _scorer(self, loss: Loss, models: int | None = None) -> Scorer:
        return Scorer(
            scaling=self._plan.scaling,
            loss=loss,
            models=self._count if models is None else models,
            cluster=self._cluster,
            workers=self._threads,
        )

    def _calibration_rows(self) -> int:
        return selection.calibration_rows(self._settings, self._count, self._cluster.hosts)

    def _shown_rows(self) -> int:
        """How many training rows of this host the last metrics are of."""
        return -(-_SHOWN_ROWS // self._cluster.hosts)

    def _facts(self, model: int) -> dict[str, Any]:
        """The settings of a model, with what ``auto`` came to."""
        chosen, settings = self._plan.chosen[model], self._settings
        facts: dict[str, Any] = {
            "optimizer": settings.optimizer,
            "learning_rate": chosen.learning_rate,
            "wd": chosen.wd,
            "l1": chosen.l1,
        }
        if settings.use_lr_scheduler:
            minimum = settings.lr_scheduler_minimum_lr
            facts |= {
                "lr_scheduler_step": settings.lr_scheduler_step or self._batches,
                "lr_scheduler_factor": settings.lr_scheduler_factor,
                "lr_scheduler_minimum_lr": minimum or chosen.learning_rate * MINIMUM_SHARE,
            }
        if settings.binary:
            facts["positive_example_weight_mult"] = chosen.positive_weight
        return {**facts, "model": model}
