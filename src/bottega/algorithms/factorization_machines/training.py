"""Training a Factorization Machine on the channels of a job, alone or with other hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster, joined
from bottega.algorithms.factorization_machines.algorithm import CONTENT_TYPES
from bottega.algorithms.factorization_machines.averaging import Averaging
from bottega.algorithms.factorization_machines.batches import rows_in_order, training_rows
from bottega.algorithms.factorization_machines.learner import Learner, diverged
from bottega.algorithms.factorization_machines.metric_names import METRICS
from bottega.algorithms.factorization_machines.metrics import Score
from bottega.algorithms.factorization_machines.schema import BINARY, SCHEMA
from bottega.algorithms.factorization_machines.weights import NAME, SEED, Weights
from bottega.algorithms.memory_check import require_memory
from bottega.algorithms.readers.blocks import LabelRule
from bottega.algorithms.readers.record_channel import open_records
from bottega.algorithms.reports import Reporter

if TYPE_CHECKING:
    from bottega.algorithms.readers.record_channel import RecordChannel
    from bottega.container.environment import TrainingEnvironment


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train``, evaluate on ``test``, and save ``model_algo-1``.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data are at fault.
    """
    defaults = {name: SCHEMA[name].convert(text) for name, text in SCHEMA.defaults().items()}
    values = defaults | SCHEMA.check(environment.raw_hyperparameters)
    rows = _open(environment, "train", values)
    test = _open(environment, "test", values) if _tests_here(environment) else None
    reporter = Reporter(NAME, environment.current_host, speaks=environment.is_master)
    # The weights, and two moments of each.
    require_memory(
        12 * values["feature_dim"] * (values["num_factors"] + 1),
        "The model while it is trained",
        "Choose fewer num_factors, or hash the features into fewer of them.",
    )
    weights = Weights.begin(values)
    with joined(environment) as cluster, Learner(weights, values, environment.cpus) as learner:
        job = _Job(environment, values, cluster, learner, reporter)
        for epoch in range(values["epochs"]):
            score = job.pass_over(rows, epoch)
            job.report("train", score, epoch)
            last = epoch + 1 == values["epochs"]
            if last:
                job.report("train", score)
            job.evaluate(test, epoch, last=last)
            reporter.progress(epoch + 1, values["epochs"])
        if cluster.leads:
            weights.save(environment.paths.model, values["predictor_type"])


class _Job:
    """The passes of a job and what they report."""

    def __init__(
        self,
        environment: TrainingEnvironment,
        values: Mapping[str, Any],
        cluster: Cluster,
        learner: Learner,
        reporter: Reporter,
    ) -> None:
        self._environment = environment
        self._values = values
        self._cluster = cluster
        self._learner = learner
        self._reporter = reporter
        self._averaging = Averaging(cluster, values["feature_dim"])

    def pass_over(self, rows: RecordChannel | None, epoch: int) -> Score:
        """One epoch of training; how well each batch was predicted before it was learned from."""
        score = Score(self._values["predictor_type"])
        if rows is not None:
            found = training_rows(
                rows,
                self._values["mini_batch_size"],
                factors=self._values["num_factors"],
                epoch=epoch,
                seed=SEED,
            )
            for part in found:
                score.add(self._learner.learn(part), part.labels)
                self._averaging.note(part.met, part.rows)
        self._averaging.agree(self._learner)
        score.sums = self._cluster.sum(score.sums)
        if not score.rows:
            raise CustomerError("The channel train has no data on any host.")
        if not np.isfinite(score.sums).all():
            raise diverged()
        return score

    def evaluate(self, test: RecordChannel | None, epoch: int, *, last: bool) -> None:
        """Measure the model on the channel ``test``, if there is one.

        A channel in Pipe mode gives its rows once: after the last epoch.
        """
        config = self._environment.input_data_config.get("test")
        if config is None or (not last and config.get("TrainingInputMode") == "Pipe"):
            return
        score = Score(self._values["predictor_type"])
        if test is not None:
            for part in rows_in_order(test):
                score.add(self._learner.margins(part), part.labels)
        if _sharded(self._environment, "test"):
            score.sums = self._cluster.sum(score.sums)
        self.report("test", score, epoch)
        if last:
            self.report("test", score)

    def report(self, channel: str, score: Score, epoch: int | None = None) -> None:
        """Print the metrics of a channel, of an epoch or at the end."""
        found = score.values()
        for metric in METRICS[self._values["predictor_type"]]:
            self._reporter.quality(
                f"{channel} {metric.name}", metric.goal, found[metric.name], epoch=epoch
            )
        if epoch is not None:
            named = {f"{channel}_{name}": value for name, value in found.items()}
            self._reporter.metrics(named, epoch=epoch)


def _open(
    environment: TrainingEnvironment, channel: str, values: Mapping[str, Any]
) -> RecordChannel | None:
    rule = None
    if values["predictor_type"] == BINARY:
        rule = LabelRule(
            lambda labels: (labels != 0) & (labels != 1),
            "is neither 0 nor 1, as predictor_type binary_classifier needs it.",
        )
    found = open_records(environment, channel, content_types=CONTENT_TYPES, rule=rule)
    wanted = values["feature_dim"]
    if found is not None and found.width != wanted:
        raise CustomerError(
            f"feature_dim is {wanted}, and the rows of the channel {channel} have {found.width} "
            "features."
        )
    return found


def _sharded(environment: TrainingEnvironment, channel: str) -> bool:
    config = environment.input_data_config[channel]
    return config.get("S3DistributionType") == "ShardedByS3Key"


def _tests_here(environment: TrainingEnvironment) -> bool:
    """Whether this host measures: the leader does, and each where the data are shared out."""
    if "test" not in environment.input_data_config:
        return False
    return environment.is_master or _sharded(environment, "test")
