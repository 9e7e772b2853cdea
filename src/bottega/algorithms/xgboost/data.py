"""The channels of an XGBoost job: their rows, and whether the labels suit the objective."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import Block, LabelRule, check_labels
from bottega.algorithms.readers.formats import Format, channel_format, layout
from bottega.algorithms.readers.rows import Rows, gather
from bottega.algorithms.readers.sources import is_piped, sources

if TYPE_CHECKING:
    from bottega.algorithms.readers.blocks import Layout
    from bottega.container.environment import TrainingEnvironment

CONTENT_TYPES = (
    "text/libsvm",
    "text/x-libsvm",
    "text/csv",
    "application/x-parquet",
    "application/x-recordio-protobuf",
)
"""What is read; the first is meant where a channel has no content type."""

_UNIT_LABELS = ("binary:logistic", "reg:logistic")
_BINARY_LABELS = ("binary:hinge", "binary:logitraw")
_NOT_NEGATIVE = ("count:poisson", "reg:tweedie")


def read_channel(
    environment: TrainingEnvironment, channel: str, hyperparameters: Mapping[str, Any]
) -> Rows | None:
    """Read a channel of this host; None when it has no data here.

    Raises:
        CustomerError: something in the data is wrong, or a label does not suit the objective.
    """
    found = channel_format(environment, channel, CONTENT_TYPES)
    if found.name == "libsvm" and is_piped(environment, channel):
        raise CustomerError(
            f"Pipe mode not supported for LibSVM. Use File or FastFile for the channel {channel}."
        )
    weights = found.name == "csv" and hyperparameters.get("csv_weights") == 1
    wanted = layout(found, channel, labels=True, weights=weights, single=False)
    return gather(_blocks(environment, channel, found, wanted, hyperparameters))


def _blocks(
    environment: TrainingEnvironment,
    channel: str,
    found: Format,
    wanted: Layout,
    hyperparameters: Mapping[str, Any],
) -> Iterator[Block]:
    decode, rules = found.decoder(), label_rules(hyperparameters)
    for source in sources(environment, channel, 0):
        with source.open() as stream:
            for block in decode(stream, wanted):
                for rule in rules:
                    check_labels(block, rule)
                _check_weights(block)
                yield block


def label_rules(hyperparameters: Mapping[str, Any]) -> tuple[LabelRule, ...]:
    """Which labels the objective cannot learn."""
    import numpy as np

    objective = str(hyperparameters.get("objective", "reg:squarederror"))

    def rule(wrong: Any, what: str) -> LabelRule:
        return LabelRule(
            wrong,
            f"{what} for {objective}. In a table the label is the first column; check the data and "
            "the objective.",
        )

    number = rule(lambda labels: ~np.isfinite(labels), "is not a number that can be learned")
    if objective in _UNIT_LABELS:
        suits = rule(lambda labels: (labels < 0) | (labels > 1), "is outside [0,1]")
    elif objective in _BINARY_LABELS:
        suits = rule(lambda labels: (labels != 0) & (labels != 1), "is neither 0 nor 1")
    elif objective.startswith("multi:"):
        classes = int(hyperparameters["num_class"])
        suits = rule(
            lambda labels: (labels < 0) | (labels >= classes) | (labels != np.floor(labels)),
            f"is not a whole number in [0,{classes}), the range of num_class={classes},",
        )
    elif objective in _NOT_NEGATIVE:
        suits = rule(lambda labels: labels < 0, "is negative")
    elif objective in ("reg:gamma", "survival:aft"):
        suits = rule(lambda labels: labels <= 0, "is not above 0")
    elif objective == "reg:squaredlogerror":
        suits = rule(lambda labels: labels <= -1, "is not above -1")
    else:
        return (number,)
    return number, suits


def _check_weights(block: Block) -> None:
    import numpy as np

    if block.weights is None:
        return
    if block.groups is not None:
        raise CustomerError(
            f"There are a weight and a qid in {block.origin(0)}; the rows of a ranking cannot be "
            "weighted."
        )
    wrong = np.flatnonzero(~(np.isfinite(block.weights) & (block.weights >= 0)))
    if wrong.size:
        row = int(wrong[0])
        raise CustomerError(
            f"Weight {block.weights[row]:g} in {block.origin(row)} is not a number of at least 0."
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
