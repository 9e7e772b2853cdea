"""Training an XGBoost model on the channels of a job, alone or with other hosts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster, joined
from bottega.algorithms.xgboost.data import read_channel, to_matrix
from bottega.algorithms.xgboost.metric_names import NAMES
from bottega.algorithms.xgboost.schema import SCHEMA

if TYPE_CHECKING:
    from bottega.algorithms.readers.rows import Rows
    from bottega.container.environment import TrainingEnvironment

MODEL_FILE = "xgboost-model"
_NOT_THE_LIBRARYS = frozenset(
    {
        "num_round",
        "csv_weights",
        "early_stopping_rounds",
        "save_model_on_termination",
        "eval_metric",
        "updater",
        "_kfold",
        "_num_cv_round",
        "_tuning_objective_metric",
    }
)
# Updaters the current library has; the first three each stand for a tree method.
_UPDATERS = {
    "grow_colmaker": "exact",
    "grow_histmaker": "approx",
    "grow_quantile_histmaker": "hist",
}
_PLACE = re.compile(r"^\[\d\d:\d\d:\d\d\]\s+\S+?:\d+:\s*")
_CONDITION = re.compile(r"^Check failed: .*? : ?(?=\S)", re.DOTALL)


def train(environment: TrainingEnvironment) -> None:
    """Train on ``train`` (and ``validation``) and save ``xgboost-model``.

    Raises:
        HyperparameterError: a hyperparameter is at fault.
        CustomerError: the data is at fault, or the library refuses the combination.
    """
    import xgboost

    found = SCHEMA.check(environment.raw_hyperparameters)
    for name in found:
        if reason := SCHEMA[name].deprecated:
            print(f"The hyperparameter {name} is ignored: {reason}.", flush=True)
    if "train" not in environment.input_data_config:
        raise CustomerError("The job has no channel 'train'; XGBoost trains on that channel.")
    rows = {name: _read(environment, name, found) for name in ("train", "validation")}
    parameters = library_parameters(found, environment)
    # A host without rows is nothing to warn about: the others have them.
    warnings.filterwarnings("ignore", message=r"(?s).*Empty dataset at worker")
    try:
        with joined(environment) as cluster:
            _train(environment, cluster, found, parameters, rows)
    except xgboost.core.XGBoostError as error:
        raise CustomerError(_plain(str(error))) from error


def library_parameters(
    found: Mapping[str, Any], environment: TrainingEnvironment
) -> dict[str, Any]:
    """What goes to the library: its names, on the device there is; the log says what changed."""
    parameters = {
        name: value
        for name, value in found.items()
        if name not in _NOT_THE_LIBRARYS and not SCHEMA[name].deprecated
    }
    parameters.setdefault("nthread", environment.cpus)
    if parameters.get("objective") == "reg:linear":
        parameters["objective"] = "reg:squarederror"
    if parameters.get("tree_method") == "gpu_hist":
        gpu = environment.gpus > 0
        parameters |= {"tree_method": "hist", "device": "cuda" if gpu else "cpu"}
        where = "on the GPU" if gpu else "on the CPU, for there is no GPU here"
        print(f"tree_method gpu_hist: using hist {where}.", flush=True)
    if parameters.get("sampling_method") == "gradient_based" and parameters.get("device") != "cuda":
        raise CustomerError(
            "Hyperparameter sampling_method: gradient_based needs a GPU and tree_method gpu_hist; "
            "use uniform."
        )
    return parameters | _updater(found)


def _updater(found: Mapping[str, Any]) -> dict[str, str]:
    names: tuple[str, ...] = found.get("updater", ())
    if not names:
        return {}
    if found.get("booster") == "gblinear":
        return {"updater": names[0]}
    method = next((_UPDATERS[name] for name in names if name in _UPDATERS), None)
    if method is None or found.get("tree_method", "auto") != "auto":
        print("The hyperparameter updater is ignored: tree_method decides it.", flush=True)
        return {}
    print(f"The hyperparameter updater is taken as tree_method {method}.", flush=True)
    return {"tree_method": method}


def _read(environment: TrainingEnvironment, channel: str, found: Mapping[str, Any]) -> Rows | None:
    if channel not in environment.input_data_config:
        return None
    rows = read_channel(environment, channel, found)
    if rows is None:
        if len(environment.hosts) == 1:
            raise CustomerError(f"The channel {channel} has no data.")
        print(f"The channel {channel} has no data on this host.", flush=True)
        return None
    print(
        f"The channel {channel} has {rows.count} rows and {rows.columns} columns.",
        flush=True,
    )
    return rows


def _train(
    environment: TrainingEnvironment,
    cluster: Cluster,
    found: Mapping[str, Any],
    parameters: dict[str, Any],
    rows: dict[str, Rows | None],
) -> None:
    width = _common_width(cluster, rows)
    threads = int(parameters["nthread"])
    if not cluster.largest(rows["train"].count if rows["train"] else 0):
        raise CustomerError("The channel train has no data on any host.")
    if "_kfold" in found:
        from bottega.algorithms.xgboost.folds import train_folds

        train_folds(environment, found, parameters, rows, width)
        return
    survival = found.get("objective") == "survival:aft"
    # The library makes its own copy: what was read is let go of as soon as it has.
    data = [(to_matrix(rows.pop("train"), width, threads, survival=survival), "train")]
    if cluster.largest(int(rows["validation"] is not None)):
        matrix = to_matrix(rows.pop("validation"), width, threads, survival=survival)
        data.append((matrix, "validation"))
    model = boost(environment, cluster, found, parameters, data)
    if cluster.leads:
        save_model(environment, model, MODEL_FILE)


def _common_width(cluster: Cluster, rows: Mapping[str, Rows | None]) -> int:
    """The number of features; sparse data may not show the last ones in every file."""
    from scipy import sparse

    here = [part for part in rows.values() if part is not None]
    width = cluster.largest(max((part.columns for part in here), default=0))
    for channel, part in rows.items():
        if part is not None and part.columns != width and not sparse.issparse(part.features):
            raise CustomerError(
                f"The channel {channel} has {part.columns} feature columns where other data of "
                f"this job has {width}; every file needs the same columns."
            )
    return width


def boost(
    environment: TrainingEnvironment,
    cluster: Cluster,
    found: Mapping[str, Any],
    parameters: dict[str, Any],
    data: list[tuple[Any, str]],
    *,
    checkpoints: bool = True,
    history: dict[str, Any] | None = None,
) -> Any:
    """Train one model and print each round; the result ends with its best round.

    Args:
        environment: where checkpoints are.
        cluster: the hosts that train together.
        found: the checked hyperparameters.
        parameters: those of the library.
        data: the matrices to evaluate, the first of which is trained on.
        checkpoints: whether to resume from them and to leave them.
        history: filled with every metric of every round, when given.
    """
    import xgboost

    from bottega.algorithms.xgboost import rounds

    folder = environment.checkpoints if checkpoints else None
    start = _resume(cluster, folder)
    begun = start.num_boosted_rounds() if start is not None else 0
    wanted = _metrics(found)
    native = [name for name in wanted if NAMES[name.partition("@")[0]].native]
    custom = [name for name in wanted if name not in native]
    callbacks: list[Any] = []
    stop: rounds.StopEarly | None = None
    if cluster.leads:
        callbacks.append(rounds.PrintRound(begun))
    if "early_stopping_rounds" in found and len(data) == 1:
        print("early_stopping_rounds is ignored: it needs a channel 'validation'.", flush=True)
    elif "early_stopping_rounds" in found:
        stop = rounds.StopEarly(found["early_stopping_rounds"], wanted[-1] if wanted else "")
        callbacks.append(stop)
    if folder is not None and cluster.leads:
        callbacks.append(rounds.Checkpoint(folder))
    if found.get("save_model_on_termination") == "true":
        callbacks.append(rounds.StopOnSignal(cluster.largest))
    model = xgboost.train(
        {**parameters, **({"eval_metric": native} if native else {})},
        data[0][0],
        num_boost_round=max(0, found["num_round"] - begun),
        evals=data,
        custom_metric=_custom(custom, found, cluster) if custom else None,
        callbacks=callbacks,
        evals_result=history,
        verbose_eval=False,
        xgb_model=start,
    )
    return _best(model, stop.best if stop is not None else None, found)


def save_model(environment: TrainingEnvironment, model: Any, name: str) -> None:
    """Leave a model in the model folder, whole or not at all."""
    from bottega.algorithms.xgboost.rounds import save

    environment.paths.model.mkdir(parents=True, exist_ok=True)
    save(model, environment.paths.model / name)


def _best(model: Any, best: int | None, found: Mapping[str, Any]) -> Any:
    # A linear model has no trees that could be left out: its last round is what it is.
    if best is None or best + 1 >= model.num_boosted_rounds() or found.get("booster") == "gblinear":
        return model
    attributes = model.attributes()
    model = model[: best + 1]
    model.set_attr(**attributes)
    return model


def _metrics(found: Mapping[str, Any]) -> list[str]:
    """The metrics asked for; tuning's comes last (where early stopping looks) if it is not one."""
    wanted = list(found.get("eval_metric", ()))
    tuning = found.get("_tuning_objective_metric")
    return [*wanted, tuning] if tuning is not None and tuning not in wanted else wanted


def _custom(names: list[str], found: Mapping[str, Any], cluster: Cluster) -> Any:
    from bottega.algorithms.xgboost.metrics import custom_metric

    objective = str(found.get("objective", "reg:squarederror"))
    classes = 2 if objective.startswith("binary:") else int(found.get("num_class", 0))
    return custom_metric(names, objective, classes, cluster.sum)


def _resume(cluster: Cluster, folder: Any) -> Any:
    """The model of the newest checkpoint of the leader, or None."""
    if folder is None:
        return None
    import xgboost

    from bottega.algorithms.xgboost.rounds import checkpoints

    raw = b""
    if cluster.leads and (found := checkpoints(folder)):
        rounds_done, path = found[-1]
        print(f"Resuming from {path.name}, after {rounds_done} rounds.", flush=True)
        raw = path.read_bytes()
    # A leading byte, for there is no way to broadcast nothing.
    raw = cluster.from_leader(b"-" + raw)[1:]
    if not raw:
        return None
    model = xgboost.Booster()
    try:
        model.load_model(bytearray(raw))
    except xgboost.core.XGBoostError as error:
        raise CustomerError(
            "The newest checkpoint cannot be loaded; remove it to start anew. " + _plain(str(error))
        ) from error
    return model


def _plain(text: str) -> str:
    """The library's message without its place in the source and its stack trace."""
    message = _PLACE.sub("", text.partition("\nStack trace")[0].strip())
    return f"XGBoost: {_CONDITION.sub('', message).strip()}"
