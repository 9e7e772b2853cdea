"""The hook for scikit-learn: what an estimator has learnt, and how its loss went down.

Each outermost ``fit`` or ``partial_fit`` is looked at when it has ended; those that it makes itself
(of a pipeline's steps, of a forest's trees) are its own affair. An estimator that keeps the course
of its loss (networks, gradient boosting) has a step for each of its iterations, the last of which
has what was learnt; any other has one step for each call. Losses of validation are steps of EVAL.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from bottega.container.debugging.recorder import Recorder
from bottega.container.debugging.timeline import Timeline
from bottega.debugger import phases
from bottega.debugger.tensors.configuration import Framework
from bottega.debugger.tensors.modes import ModeKeys

FRAMEWORK = Framework(
    name="scikit-learn",
    patterns={
        "losses": r"^(?:loss|score)$",
        "metrics": r"^(?:loss|score)$",
        "weights": r"(?:^|/)(?:coef_|coefs_/\d+|components_|cluster_centers_)$",
        "biases": r"(?:^|/)(?:intercept_|intercepts_/\d+)$",
        "feature_importance": r"^feature_importance/",
        "labels": r"^labels$",
        "predictions": r"^predictions$",
        "hyperparameters": r"^hyperparameters/",
    },
    always=("losses",),
    interval=10,
)
_METHODS = ("fit", "partial_fit")
_LEARNT = ("coef_", "intercept_", "components_", "cluster_centers_")
_LEARNT_BY_LAYER = ("coefs_", "intercepts_")
_MARK = "__bottega_debugger__"


class SklearnHook:
    """Looks at the estimators of this process.

    Args:
        recorder: what saves tensors; None where only times are wanted.
        timeline: what keeps times; None where only tensors are wanted.
    """

    def __init__(self, recorder: Recorder | None, timeline: Timeline | None) -> None:
        self._recorder = recorder
        self._timeline = timeline
        self._inside = False
        self._lock = threading.Lock()
        self._number = -1

    def install(self, module: Any) -> None:
        """Stand around the methods of all estimators, those that are not defined yet, too."""
        base = module.BaseEstimator
        original = base.__init_subclass__

        @classmethod  # type: ignore[misc]
        def defined(cls: Any, **named: Any) -> None:
            original.__func__(cls, **named)
            self._wrap(cls)

        base.__init_subclass__ = defined
        for known in _below(base):
            self._wrap(known)

    def _wrap(self, estimator: Any) -> None:
        for name in _METHODS:
            method = estimator.__dict__.get(name)
            if inspect.isfunction(method) and not hasattr(method, _MARK):
                setattr(estimator, name, self._around(method))

    def _around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def around(estimator: Any, *arguments: Any, **named: Any) -> Any:
            with self._lock:
                outermost, self._inside = not self._inside, True
            if not outermost:
                return method(estimator, *arguments, **named)
            try:
                began = time.time()
                answer = method(estimator, *arguments, **named)
                self._ended(estimator, began, arguments, named)
                return answer
            finally:
                self._inside = False

        setattr(around, _MARK, True)
        return around

    def _ended(self, estimator: Any, began: float, arguments: Any, named: Any) -> None:
        self._number += 1
        if self._timeline is not None:
            name = type(estimator).__name__
            self._timeline.add(phases.FIT, name, began, time.time(), self._number)
        if self._recorder is None or type(estimator).__module__.startswith("xgboost"):
            return  # XGBoost's estimators have a hook of their own
        data = named.get("X", arguments[0] if arguments else None)
        labels = named.get("y", arguments[1] if len(arguments) > 1 else None)
        try:
            self._save(self._recorder, estimator, data, labels)
        except Exception as error:
            self._recorder.fail(error)

    def _save(self, recorder: Recorder, estimator: Any, data: Any, labels: Any) -> None:
        learner = _learner(estimator)
        training, validation = _courses(learner)
        learnt = [one for one in _learnt(learner) if recorder.knows(one[0])]
        if labels is not None and recorder.knows("labels"):
            learnt.append(("labels", labels))
        predicts = recorder.knows("predictions") and hasattr(estimator, "predict")
        if not (training or validation or learnt or predicts):
            return  # a scaler: no step of a training
        learnt += [
            (f"hyperparameters/{name}", value)
            for name, value in estimator.get_params().items()
            if isinstance(value, (bool, int, float, str))
        ]
        for name, value in training[:-1]:
            recorder.begin(ModeKeys.TRAIN)
            recorder.save(name, value)
        if recorder.begin(ModeKeys.TRAIN):
            for name, value in [*training[-1:], *learnt]:
                recorder.save(name, value)
            if predicts and recorder.wants("predictions"):
                recorder.save("predictions", estimator.predict(data))
        for name, value in validation:
            recorder.begin(ModeKeys.EVAL)
            recorder.save(name, value)
        recorder.close_step()


def _learnt(learner: Any) -> Iterator[tuple[str, Any]]:
    kind = type(learner).__name__
    for name in _LEARNT:
        if (value := _plain(learner, name)) is not None:
            yield f"{kind}/{name}", value
    for name in _LEARNT_BY_LAYER:
        for number, value in enumerate(_plain(learner, name) or ()):
            yield f"{kind}/{name}/{number}", value
    if (importances := _plain(learner, "feature_importances_")) is not None:
        names = getattr(learner, "feature_names_in_", None)
        for number, value in enumerate(importances):
            feature = f"f{number}" if names is None else names[number]
            # As XGBoost's gain: by how much a feature's splits make the target purer.
            yield f"feature_importance/gain/{feature}", value


def _below(estimator: Any) -> Iterator[Any]:
    for known in estimator.__subclasses__():
        yield known
        yield from _below(known)


def _learner(estimator: Any) -> Any:
    """The estimator that learns in a pipeline, or the best of a search."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(getattr(estimator, "steps", None), list) and estimator.steps:
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def _plain(learner: Any, name: str) -> Any:
    """An attribute that was learnt; None where there is none, or it cannot be computed."""
    try:
        return getattr(learner, name, None)
    except (ValueError, TypeError):  # the coefficients of a machine whose kernel is not linear
        return None


def _courses(learner: Any) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """The losses, or scores, of each iteration, of training and of validation; each with its name.

    Histogram-based boosting counts from before its first iteration, and has scores, which rise.
    """
    losses = _plain(learner, "loss_curve_")
    if losses is not None:
        scores = _plain(learner, "validation_scores_")
        return _named("loss", losses), _named("score", scores)
    scores = _plain(learner, "train_score_")
    if scores is None:
        return [], []
    if hasattr(learner, "validation_score_"):
        name = "loss" if getattr(learner, "scoring", "loss") == "loss" else "score"
        sign = -1.0 if name == "loss" else 1.0
        return (
            _named(name, [sign * one for one in scores]),
            _named(name, [sign * one for one in learner.validation_score_]),
        )
    return _named("loss", scores), []


def _named(name: str, course: Any) -> list[tuple[str, float]]:
    return [] if course is None else [(name, float(one)) for one in course]
