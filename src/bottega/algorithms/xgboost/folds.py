"""k-fold cross-validation inside one job: a model for each fold, and the mean of their metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.readers.rows import Rows
from bottega.algorithms.xgboost.data import to_matrix

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment


def train_folds(
    environment: TrainingEnvironment,
    found: Mapping[str, Any],
    parameters: dict[str, Any],
    rows: Mapping[str, Rows | None],
    width: int,
) -> None:
    """Train ``_kfold`` models, ``_num_cv_round`` times over, on all rows of both channels.

    The models are saved as ``xgboost-model-0`` and so on; a model server averages them.

    Raises:
        CustomerError: the rows cannot be folded, or the job has several hosts.
    """
    import numpy as np
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    from bottega.algorithms.xgboost.training import MODEL_FILE, boost, save_model

    if len(environment.hosts) > 1:
        raise CustomerError(
            "Hyperparameter _kfold: folds are trained on one host; use InstanceCount 1."
        )
    everything = _together([part for part in rows.values() if part is not None], width)
    if everything.groups is not None:
        raise CustomerError("Hyperparameter _kfold: rows with groups (qid) cannot be folded.")
    folds, repeats = found["_kfold"], found.get("_num_cv_round", 1)
    objective = str(found.get("objective", ""))
    stratified = objective.startswith(("binary:", "multi:"))
    splitter = (RepeatedStratifiedKFold if stratified else RepeatedKFold)(
        n_splits=folds, n_repeats=repeats, random_state=int(found.get("seed", 0)) % 2**32
    )
    print(f"Training {repeats} x {folds} folds of {everything.count} rows.", flush=True)
    histories: list[dict[str, Any]] = []
    try:
        splits = list(splitter.split(np.zeros(everything.count), everything.labels))
    except ValueError as error:
        raise CustomerError(f"Hyperparameter _kfold: {error}") from error
    threads, survival = int(parameters["nthread"]), objective == "survival:aft"
    for number, (train, validation) in enumerate(splits):
        data = [
            (to_matrix(_take(everything, chosen), width, threads, survival=survival), name)
            for name, chosen in (("train", train), ("validation", validation))
        ]
        history: dict[str, Any] = {}
        model = boost(
            environment, Cluster(1, 0), found, parameters, data, checkpoints=False, history=history
        )
        histories.append(history)
        save_model(environment, model, f"{MODEL_FILE}-{number}")
        if (number + 1) % folds == 0:
            print(f"Mean of the folds of repeat {(number + 1) // folds}:", flush=True)
            print(_mean_line(found["num_round"], histories[-folds:]), flush=True)
    if repeats > 1:
        print("Mean of all folds:", flush=True)
        print(_mean_line(found["num_round"], histories), flush=True)


def _together(parts: Sequence[Rows], width: int) -> Rows:
    """The rows of both channels."""
    import numpy as np
    from scipy import sparse

    if len(parts) == 1:
        return parts[0]
    for name in ("weights", "groups"):
        if len({getattr(part, name) is None for part in parts}) > 1:
            raise CustomerError(
                f"Hyperparameter _kfold: one of the channels has {name} and the other has none."
            )
    if any(sparse.issparse(part.features) for part in parts):
        matrices = [sparse.csr_matrix(part.features) for part in parts]
        for matrix in matrices:
            matrix.resize((matrix.shape[0], width))
        features = sparse.vstack(matrices, format="csr")
    else:
        features = np.concatenate([part.features for part in parts])

    def together(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    return Rows(
        features=features,
        labels=together("labels"),
        weights=together("weights"),
        groups=together("groups"),
    )


def _take(rows: Rows, chosen: Any) -> Rows:
    return replace(
        rows,
        features=rows.features[chosen],
        labels=rows.labels[chosen],
        weights=None if rows.weights is None else rows.weights[chosen],
    )


def _mean_line(num_round: int, histories: Sequence[dict[str, Any]]) -> str:
    """The mean of the last value of each metric, in the form of a round's line."""
    from bottega.algorithms.xgboost.rounds import metric_line

    mean = {
        data: {
            name: [sum(history[data][name][-1] for history in histories) / len(histories)]
            for name in histories[0][data]
        }
        for data in histories[0]
    }
    return metric_line(num_round, mean)
