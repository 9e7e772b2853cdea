"""The channels of an XGBoost job: which reader, and whether the labels suit the objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers import csv, libsvm, parquet
from bottega.algorithms.readers.rows import Part, Rows, data_files, join

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_UNIT_LABELS = ("binary:logistic", "reg:logistic")
_BINARY_LABELS = ("binary:hinge", "binary:logitraw")
_NOT_NEGATIVE = ("count:poisson", "reg:tweedie")
_SUPPORTED = "text/libsvm, text/csv and application/x-parquet"


def read_channel(
    environment: TrainingEnvironment, channel: str, hyperparameters: Mapping[str, Any]
) -> Rows | None:
    """Read a channel of this host; None when it has no data here.

    Raises:
        CustomerError: a file is malformed or a label does not suit the objective.
    """
    config = environment.input_data_config[channel]
    reader = _reader(str(config.get("ContentType") or "text/libsvm"), channel, hyperparameters)
    mode = str(config.get("TrainingInputMode") or "File")
    if mode == "Pipe":
        raise CustomerError(
            f"The channel {channel} is in Pipe mode, which this algorithm does not read; use File."
        )
    files = data_files(environment.paths.channel(channel))
    if not files:
        return None
    rows = join([reader(path) for path in files])
    check_labels(rows, hyperparameters)
    return rows


def check_labels(rows: Rows, hyperparameters: Mapping[str, Any]) -> None:
    """Refuse labels that the objective cannot learn, by file and line.

    Raises:
        CustomerError: naming the first such label.
    """
    import numpy as np

    objective = str(hyperparameters.get("objective", "reg:squarederror"))
    labels = rows.labels
    _refuse(rows, ~np.isfinite(labels), "is not a number that can be learned", objective)
    if objective in _UNIT_LABELS:
        _refuse(rows, (labels < 0) | (labels > 1), "is outside [0,1]", objective)
    elif objective in _BINARY_LABELS:
        _refuse(rows, (labels != 0) & (labels != 1), "is neither 0 nor 1", objective)
    elif objective.startswith("multi:"):
        classes = int(hyperparameters["num_class"])
        wrong = (labels < 0) | (labels >= classes) | (labels != np.floor(labels))
        text = f"is not a whole number in [0,{classes}), the range of num_class={classes},"
        _refuse(rows, wrong, text, objective)
    elif objective in _NOT_NEGATIVE:
        _refuse(rows, labels < 0, "is negative", objective)
    elif objective in ("reg:gamma", "survival:aft"):
        _refuse(rows, labels <= 0, "is not above 0", objective)
    elif objective == "reg:squaredlogerror":
        _refuse(rows, labels <= -1, "is not above -1", objective)
    if rows.groups is not None and rows.weights is not None:
        raise CustomerError(
            f"{rows.parts[0][0].name} has both weights and qid; "
            "the rows of a ranking cannot be weighted."
        )
    if rows.weights is not None:
        bad = ~(np.isfinite(rows.weights) & (rows.weights >= 0))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise CustomerError(
                f"Weight {rows.weights[row]:g} in {rows.origin(row)} is not a number of at least 0."
            )


def to_matrix(rows: Rows | None, width: int, threads: int, *, survival: bool = False) -> Any:
    """The library's own matrix; an empty one where this host has no rows.

    Args:
        rows: what the channel holds here.
        width: the number of features over all hosts and channels.
        threads: how many threads build it.
        survival: whether labels are survival times (survival:aft), each taken as observed.
    """
    import numpy as np
    import xgboost
    from scipy import sparse

    if rows is None:
        empty = sparse.csr_matrix((0, width), dtype=np.float32)
        nothing = np.empty(0, dtype=np.float32)
        bounds = {"label_lower_bound": nothing, "label_upper_bound": nothing} if survival else {}
        return xgboost.DMatrix(empty, label=nothing, nthread=threads, **bounds)
    features, order = rows.features, None
    if sparse.issparse(features) and features.shape[1] < width:
        features.resize((features.shape[0], width))
    if rows.groups is not None:
        order = np.argsort(rows.groups, kind="stable")
        features = features[order]

    def sorted_by_group(values: Any) -> Any:
        return values if order is None or values is None else values[order]

    return xgboost.DMatrix(
        features,
        label=sorted_by_group(rows.labels),
        weight=sorted_by_group(rows.weights),
        qid=sorted_by_group(rows.groups),
        label_lower_bound=rows.labels if survival else None,
        label_upper_bound=rows.labels if survival else None,
        nthread=threads,
    )


def _reader(
    content_type: str, channel: str, hyperparameters: Mapping[str, Any]
) -> Callable[[Path], Part]:
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media in ("text/libsvm", "text/x-libsvm", "libsvm"):
        return libsvm.read_file
    if media in ("text/csv", "csv"):
        for parameter in parameters:
            if parameter.startswith("label_size=") and parameter != "label_size=1":
                raise CustomerError(
                    f"The content type {content_type!r} of the channel {channel} says that rows "
                    "have no single label; XGBoost needs the label in the first column."
                )
        weights = hyperparameters.get("csv_weights") == 1
        return lambda path: csv.read_file(path, weights=weights)
    if media in ("application/x-parquet", "parquet"):
        return parquet.read_file
    raise CustomerError(
        f"The content type {content_type!r} of the channel {channel} cannot be read; "
        f"{_SUPPORTED} can."
    )


def _refuse(rows: Rows, wrong: Any, what: str, objective: str) -> None:
    if not wrong.any():
        return
    import numpy as np

    row = int(np.flatnonzero(wrong)[0])
    raise CustomerError(
        f"Label {rows.labels[row]:.9g} in {rows.origin(row)} {what} for {objective}. "
        "The label must be the first column; check the data and the objective."
    )
