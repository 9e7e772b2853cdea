"""Training K-Means on the channels of a job, alone or with other hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms import zip_artifact
from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster, joined
from bottega.algorithms.kmeans.algorithm import CONTENT_TYPES
from bottega.algorithms.kmeans.assignment import Assignment, cut
from bottega.algorithms.kmeans.final import finish
from bottega.algorithms.kmeans.schema import SCHEMA
from bottega.algorithms.kmeans.streaming import center_count, summarize
from bottega.algorithms.memory_check import require_memory
from bottega.algorithms.readers.record_channel import open_records
from bottega.algorithms.reports import Reporter

if TYPE_CHECKING:
    from bottega.algorithms.readers.record_channel import RecordChannel
    from bottega.container.environment import TrainingEnvironment

NAME = "kmeans"


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train``, measure on ``test``, and save ``model_algo-1``.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data are at fault.
    """
    values = _values(environment.raw_hyperparameters)
    rows = _open(environment, "train", values)
    most = center_count(values["k"], values["feature_dim"], values["extra_center_factor"])
    # Centres, their steps and the totals of a batch, in double precision.
    require_memory(
        24 * most * values["feature_dim"],
        f"The streaming stage with its {most:,} centers",
        "Choose a smaller k, or set extra_center_factor to 1.",
    )
    test = _open(environment, "test", values) if _tests_here(environment) else None
    reporter = Reporter(
        "AWS/KMeansWebscale", environment.current_host, speaks=environment.is_master
    )
    summary = None
    if rows is not None:
        reporter.info(f"The streaming stage keeps up to {most} centers.")
        summary = summarize(
            rows,
            values,
            environment.cpus,
            lambda epoch, count: _report_epoch(reporter, epoch, values["epochs"], count),
        )
    with joined(environment) as cluster:
        centers, mean = finish(rows, summary, values, environment.cpus, cluster, reporter)
        total = int(cluster.sum(np.array([summary.rows if summary else 0]))[0])
        _report(reporter, "train", values["eval_metrics"], mean * total, total)
        if "test" in environment.input_data_config:
            loss, count = _measure(test, centers, environment.cpus)
            if _sharded(environment, "test"):
                loss, count = cluster.sum(np.array([loss, count]))
            _report(reporter, "test", values["eval_metrics"], loss, int(count))
        if cluster.leads:
            save(environment, centers)


def fit(
    rows: RecordChannel, hyperparameters: Mapping[str, str], threads: int, reporter: Reporter
) -> tuple[Any, float]:
    """Train on rows at hand, without a job: the centres (k x d) and their mean squared distance.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data are at fault.
    """
    values = _values(hyperparameters)
    summary = summarize(rows, values, threads, lambda epoch, count: None)
    return finish(rows, summary, values, threads, Cluster(1, 0), reporter)


def save(environment: TrainingEnvironment, centers: Any) -> None:
    """Leave the artifact: the centres in single precision."""
    zip_artifact.save(
        environment.paths.model,
        NAME,
        {"k": centers.shape[0], "feature_dim": centers.shape[1]},
        {"centers": np.ascontiguousarray(centers, dtype=np.float32)},
    )


def _values(given: Mapping[str, str]) -> dict[str, Any]:
    """The checked hyperparameters over the defaults."""
    defaults = {name: SCHEMA[name].convert(text) for name, text in SCHEMA.defaults().items()}
    return defaults | SCHEMA.check(given)


def _open(
    environment: TrainingEnvironment, channel: str, values: Mapping[str, Any]
) -> RecordChannel | None:
    if channel == "test" and channel not in environment.input_data_config:
        return None
    found = open_records(environment, channel, labels=False, content_types=CONTENT_TYPES)
    wanted = values["feature_dim"]
    if found is not None and found.width != wanted:
        given = str(environment.input_data_config[channel].get("ContentType") or "")
        hint = ""
        if "csv" in given and "label_size=0" not in given.replace(" ", ""):
            hint = (
                " The first column was taken for a label; the content type of data without one is "
                "text/csv;label_size=0."
            )
        raise CustomerError(
            f"feature_dim is {wanted}, and the rows of the channel {channel} have {found.width} "
            f"features.{hint}"
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


def _measure(test: RecordChannel | None, centers: Any, threads: int) -> tuple[float, int]:
    """The sum of squared distances of a channel's rows, and how many they are."""
    if test is None:
        return 0.0, 0
    shift = np.zeros(centers.shape[1], dtype=np.float32)
    if not test.sparse:
        shift = centers.mean(axis=0).astype(np.float32)
    loss, count = 0.0, 0
    with Assignment(shift, threads) as assignment:
        near = centers.astype(np.float32).astype(np.float64) - shift
        for batch in test.batches(0):
            loss += float(assignment.totals(cut(batch.features), near).losses(near).sum())
            count += batch.rows
    return loss, count


def _report_epoch(reporter: Reporter, epoch: int, epochs: int, rows: int) -> None:
    reporter.metrics({"Total Records Seen": float(epoch * rows)}, epoch=epoch - 1)
    reporter.progress(epoch, epochs)


def _report(
    reporter: Reporter, channel: str, metrics: tuple[str, ...], loss: float, rows: int
) -> None:
    found = {"msd": loss / max(1, rows), "ssd": loss}
    for name in metrics:
        reporter.quality(f"{channel} {name}", "loss", found[name])
    reporter.metrics({f"{channel}_{name}": found[name] for name in metrics})
