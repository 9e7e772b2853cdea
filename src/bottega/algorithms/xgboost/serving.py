"""Answering requests with an XGBoost model.

A few rows are answered without the library's matrix: the numbers go straight into its in-place
prediction, on one thread; or, once the model is compiled, into a loop of our own that gives the
same numbers. Large requests use all threads, on a copy of the model that is made when the first one
comes.
"""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.readers import csv, libsvm
from bottega.algorithms.records.media_types import CSV, RECORDIO, media_of
from bottega.algorithms.xgboost import answers
from bottega.algorithms.xgboost.compiled import CompiledTrees, NotCompiled, compiled
from bottega.algorithms.xgboost.complete_trees import CompleteTrees
from bottega.algorithms.xgboost.direct import DirectPrediction

_SMALL_BODY = 1 << 16
_MANY_ROWS = 2000
CONTENT_TYPES = ("text/csv", "text/libsvm", "text/x-libsvm", RECORDIO)
"""What a request can be; the first is meant where it does not say."""


@dataclass(frozen=True)
class Model:
    """The boosters of a model folder, and how to answer."""

    boosters: tuple[Any, ...]
    """On one thread each; never changed after loading, so that threads can share them."""
    raw: tuple[bytes, ...]
    objective: str
    classes: int
    width: int
    """How many features a row has."""
    linear: bool
    rounds: tuple[int, ...]
    """How many rounds of each booster count; 0 means all."""
    direct: tuple[DirectPrediction, ...]
    """The short way for a few rows, for each booster; empty when the model is linear."""
    output: tuple[str, ...]
    """``SAGEMAKER_INFERENCE_OUTPUT``; empty for plain predictions."""
    default_accept: str
    _wide: list[tuple[Any, ...]] = field(default_factory=list)
    _compiled: list[tuple[CompiledTrees, ...]] = field(default_factory=list)
    _numbers: list[Callable[[bytes, int], Any]] = field(default_factory=list)
    """Reads plain CSV, once it is loaded."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str]) -> Model:
        """Load every booster of a model folder; several are an ensemble.

        Raises:
            CustomerError: there is none, or one cannot be loaded.
        """
        files = _model_files(folder)
        if environment.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true").lower() == "false":
            files = files[:1]
        raw = tuple(_content(path) for path in files)
        boosters = tuple(_booster(content, threads=1) for content in raw)
        config = json.loads(boosters[0].save_config())["learner"]
        width = {booster.num_features() for booster in boosters}
        if len(width) > 1:
            raise CustomerError(
                f"The models of the ensemble have different features: {sorted(width)}."
            )
        output = environment.get("SAGEMAKER_INFERENCE_OUTPUT", "").replace(" ", "").lower()
        rounds = tuple(_best_rounds(booster) for booster in boosters)
        features = width.pop()
        linear = config["gradient_booster"]["name"] == "gblinear"
        model = cls(
            boosters=boosters,
            raw=raw,
            objective=config["objective"]["name"],
            classes=int(config["learner_model_param"]["num_class"]),
            width=features,
            linear=linear,
            rounds=rounds,
            direct=tuple(
                DirectPrediction(booster, features, count)
                for booster, count in zip(boosters, rounds, strict=True)
                if not linear
            ),
            output=tuple(key for key in output.split(",") if key),
            default_accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or "text/csv",
        )
        answers.check_output(model.output, model.objective)
        # The first prediction configures the booster; it must not happen in two threads at once.
        for booster, count in zip(boosters, rounds, strict=True):
            model._predict(booster, np.zeros((1, features), np.float32), count, margin=False)
        return model

    def scores(self, features: Any, *, margin: bool = False) -> Any:
        """Predict rows (an array or a CSR matrix): one number each, or one for each class."""
        rows = features.shape[0]
        short = not margin and type(features) is np.ndarray
        if short and self._compiled and 0 < rows <= self._compiled[0][0].most_rows:
            found = [predict_compiled(features) for predict_compiled in self._compiled[0]]
        elif short and self.direct and self.direct[0].fits(rows):
            found = [predict_directly(features) for predict_directly in self.direct]
        else:
            boosters = self._for_many() if rows > _MANY_ROWS else self.boosters
            found = [
                self._predict(booster, features, count, margin=margin)
                for booster, count in zip(boosters, self.rounds, strict=True)
            ]
        if len(found) == 1:
            return found[0]
        stacked = np.stack(found)
        if not margin and self.objective in ("multi:softmax", "binary:hinge"):
            return _most_frequent(stacked)
        return stacked.mean(axis=0)

    def parse(self, body: bytes, content_type: str) -> Any:
        """The rows of a request, as :func:`parse` reads them; plain CSV by a compiled loop, where
        there is one."""
        if (
            self._numbers
            and len(body) <= _SMALL_BODY
            and media_of(content_type, CONTENT_TYPES) == CSV
            and (plain := self._numbers[0](body, self.width)) is not None
        ):
            return plain
        return parse(body, content_type, self.width)

    @property
    def joins(self) -> bool:
        """Whether several requests are answered faster by one prediction than by one each: the
        library takes longer to begin than to predict a row, the compiled loop does not."""
        return not self._compiled and not self.output

    def compile(self) -> str:
        """Predict by a compiled loop from now on, if that gives the same numbers faster.

        Takes the better part of a second; requests may be answered meanwhile.

        Returns:
            What predicts now, and why, as a sentence.
        """
        # Boosters of its own: the model's predict requests at the same time.
        boosters = tuple(_booster(content, threads=1) for content in self.raw)
        try:
            found = compiled(
                boosters,
                self.width,
                self.rounds,
                [self._by_library(*one) for one in zip(boosters, self.rounds, strict=True)],
            )
        except NotCompiled as error:
            return f"The XGBoost library predicts, because {error}."
        from bottega.algorithms.readers.number_kernels import numbers

        self._numbers.append(numbers)
        self._compiled.append(found)
        rows = found[0].most_rows
        return (
            f"Compiled trees predict up to {rows} rows at a time: their numbers equal those of the "
            "XGBoost library."
        )

    def complete_trees(self) -> CompleteTrees | None:
        """All that a prediction needs, where the model is compiled, of one booster and gives plain
        predictions."""
        if not self._compiled or len(self._compiled[0]) > 1 or self.output:
            return None
        return self._compiled[0][0].complete

    def _by_library(self, booster: Any, rounds: int) -> Callable[[Any], Any]:
        direct = None if self.linear else DirectPrediction(booster, self.width, rounds)

        def predict_rows(features: Any) -> Any:
            if direct is not None and direct.fits(features.shape[0]):
                return direct(features)
            return self._predict(booster, features, rounds, margin=False)

        return predict_rows

    def _predict(self, booster: Any, features: Any, rounds: int, *, margin: bool) -> Any:
        if self.linear:
            import xgboost

            # The linear booster has no in-place prediction.
            return booster.predict(
                xgboost.DMatrix(features), output_margin=margin, validate_features=False
            )
        return booster.inplace_predict(
            features,
            iteration_range=(0, rounds),
            predict_type="margin" if margin else "value",
            validate_features=False,
        )

    def _for_many(self) -> tuple[Any, ...]:
        with self._lock:
            if not self._wide:
                boosters = tuple(_booster(content, threads=0) for content in self.raw)
                for booster, rounds in zip(boosters, self.rounds, strict=True):
                    row = np.zeros((1, self.width), dtype=np.float32)
                    self._predict(booster, row, rounds, margin=False)
                self._wide.append(boosters)
            return self._wide[0]


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    kind = answers.choose(accept, model.default_accept)
    if not body.strip():
        return b"", kind
    features = model.parse(body, content_type)
    scores = model.scores(features)
    if not model.output:
        return answers.encode(scores, kind), kind
    margin = model.scores(features, margin=True) if answers.needs_margin(model) else None
    return answers.encode_selected(model, scores, margin, kind), kind


def predict_many(
    model: Model, bodies: Sequence[bytes], content_type: str, accept: str
) -> list[tuple[bytes, str] | RequestError]:
    """Answer several requests by one prediction; see ``Algorithm.predict_many``."""
    try:
        kind = answers.choose(accept, model.default_accept)
    except RequestError as error:
        return [error] * len(bodies)
    found: list[tuple[bytes, str] | RequestError] = [(b"", "")] * len(bodies)
    joined: list[tuple[int, Any]] = []
    for number, body in enumerate(bodies):
        try:
            features = model.parse(body, content_type) if body.strip() else None
            if type(features) is np.ndarray and not model.output:
                joined.append((number, features))
            else:
                found[number] = predict(model, body, content_type, accept)
        except RequestError as error:
            found[number] = error
    if not joined:
        return found
    scores = model.scores(np.concatenate([features for _, features in joined]))
    start = 0
    for number, features in joined:
        stop = start + features.shape[0]
        found[number] = answers.encode(scores[start:stop], kind), kind
        start = stop
    return found


def load_boosters(folder: Path) -> list[Any]:
    """The boosters of a model folder, with as many threads as there are cores.

    Raises:
        CustomerError: there is none, or one cannot be loaded.
    """
    return [_booster(_content(path), threads=0) for path in _model_files(folder)]


def parse(body: bytes, content_type: str, width: int = 0) -> Any:
    """The rows of a request: a float32 array, or a CSR matrix for libsvm and sparse records.

    Args:
        body: the request.
        content_type: CSV when empty.
        width: how many features a row has to have; 0 when that is not known.

    Raises:
        RequestError: 415 when the body is not what it says it is, 400 when rows have another width.
    """
    return _PARSERS[media_of(content_type, CONTENT_TYPES)](body, width)


def _parse_csv(body: bytes, width: int) -> Any:
    if len(body) <= _SMALL_BODY and b"_" not in body:
        lines = body.split(b"\n") if b"\n" in body else [body]
        try:
            rows = [list(map(float, line.split(b","))) for line in lines if line.strip()]
            table = np.array(rows, dtype=np.float32)
        except ValueError:
            pass  # Missing values, quotes, another delimiter or nonsense: the careful way tells.
        else:
            return _fitting(table, width, "CSV")
    try:
        table = csv.table(body)
    except csv.MalformedCsv as error:
        raise RequestError(415, f"Loading csv data failed: {error}") from error
    return _fitting(table, width, "CSV")


def _parse_libsvm(body: bytes, width: int) -> Any:
    try:
        features = libsvm.parse(body)[0]
    except libsvm.MalformedLibsvm as error:
        raise RequestError(415, f"Loading libsvm data failed: {error}") from error
    if features.shape[1] < width:
        features.resize((features.shape[0], width))
    return _fitting(features, width, "libsvm")


def _parse_recordio(body: bytes, width: int) -> Any:
    from bottega.algorithms.readers.record_blocks import MalformedRecords, rows_of_records

    try:
        features = rows_of_records(body, width=width, single=False)
    except MalformedRecords as error:
        raise RequestError(415, f"Loading recordio-protobuf data failed: {error}") from error
    return _fitting(features, width, "recordio-protobuf")


def _fitting(features: Any, width: int, kind: str) -> Any:
    if width and features.shape[1] != width:
        raise RequestError(
            400,
            f"Feature size of {kind} inference data {features.shape[1]} is not consistent with "
            f"feature size of trained model {width}.",
        )
    return features


_PARSERS = {
    CSV: _parse_csv,
    "text/libsvm": _parse_libsvm,
    "text/x-libsvm": _parse_libsvm,
    RECORDIO: _parse_recordio,
}


def _model_files(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [path for path in entries if path.is_file() and not path.name.startswith(".")]
    named = [path for path in files if path.name.startswith("xgboost-model")]
    if not (named or files):
        raise CustomerError("The model has no file; a file named xgboost-model is needed.")
    return named or files


def _content(path: Path) -> bytes:
    """A model file in one of the library's own forms.

    A file that is a pickle is unpickled, which can run code: it comes from the model's owner, whose
    scripts this server would run as well.
    """
    import xgboost

    content = path.read_bytes()
    if content[:1] == b"\x80":
        print(
            f"{path.name} is a pickle: loading it can run code of the model's author.", flush=True
        )
        try:
            loaded = pickle.loads(content)
        except Exception as error:
            raise CustomerError(
                f"{path.name} is a pickle that cannot be loaded: {error}"
            ) from error
        loaded = loaded.get_booster() if hasattr(loaded, "get_booster") else loaded
        if not isinstance(loaded, xgboost.Booster):
            raise CustomerError(
                f"{path.name} holds a {type(loaded).__name__}, not an XGBoost model."
            )
        return bytes(loaded.save_raw("ubj"))
    return content


def _booster(content: bytes, *, threads: int) -> Any:
    import xgboost

    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(content))
    except xgboost.core.XGBoostError as error:
        raise CustomerError(
            "The model cannot be loaded by this version of XGBoost "
            f"({xgboost.__version__}); save it with Booster.save_model of version 1.6 or later, as "
            "JSON or UBJSON."
        ) from error
    booster.set_param({"nthread": threads, "device": "cpu"})
    return booster


def _best_rounds(booster: Any) -> int:
    """Early stopping of the user's own script leaves its best round in the model."""
    best = booster.attr("best_iteration")
    return int(best) + 1 if best is not None and str(best).isdigit() else 0


def _most_frequent(stacked: Any) -> Any:
    from scipy import stats

    return stats.mode(stacked, axis=0).mode.astype(np.float32)
