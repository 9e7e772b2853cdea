"""The hook for XGBoost: what each boosting round shows, and how long it takes.

``xgboost.train``, ``xgboost.cv`` and the estimators all go through one class of the library, the
container of callbacks; the hook stands around its methods, which get the data as well as the model.
"""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from bottega.container.debugging.recorder import Recorder
from bottega.container.debugging.timeline import Timeline
from bottega.debugger import phases
from bottega.debugger.tensors.configuration import Framework
from bottega.debugger.tensors.modes import ModeKeys

FRAMEWORK = Framework(
    name="xgboost",
    patterns={
        "hyperparameters": r"^hyperparameters/",
        "metrics": r"^[^/-]+-[^/]+$",
        "losses": r"^[^/-]+-(?!.*(?:auc|map|ndcg|pre|accuracy|f1)(?:@.*)?$)[^/]+$",
        "predictions": r"^predictions$",
        "labels": r"^labels$",
        "feature_importance": r"^feature_importance/",
        "average_shap": r"^average_shap/",
        "full_shap": r"^full_shap/",
        "trees": r"^trees/",
    },
    always=("metrics",),
    interval=10,
)


class XGBoostHook:
    """Looks at every round of every training in this process.

    Rounds are the steps, of mode GLOBAL. A second training goes on counting where the first ended.

    Args:
        recorder: what saves tensors; None where only times are wanted.
        timeline: what keeps times; None where only tensors are wanted.
        hyperparameters: of the job.
    """

    def __init__(
        self,
        recorder: Recorder | None,
        timeline: Timeline | None,
        hyperparameters: Mapping[str, Any],
    ) -> None:
        self._recorder = recorder
        self._timeline = timeline
        self._hyperparameters = hyperparameters
        self._current: Any = None
        self._thread = 0
        self._began = 0.0
        self._first = 0
        self._trees = True
        self._importances = Importances()
        self.forced_mode: ModeKeys | None = None
        """What the script says it does, by smdebug's ``set_mode``."""

    def install(self, module: Any) -> None:
        """Stand around the methods of ``xgboost.callback.CallbackContainer``."""
        container = module.CallbackContainer
        container.before_training = self._around(container.before_training, self._before)
        container.before_iteration = self._around(container.before_iteration, self._begin)
        container.after_iteration = self._around(container.after_iteration, self._after)
        container.after_training = self._around(container.after_training, self._end)

    @staticmethod
    def _around(original: Callable[..., Any], action: Callable[..., None]) -> Callable[..., Any]:
        @functools.wraps(original)
        def around(container: Any, *arguments: Any, **named: Any) -> Any:
            answer = original(container, *arguments, **named)
            action(container, *arguments, **named)
            return answer

        return around

    def _before(self, container: Any, model: Any) -> None:
        here = threading.get_ident()
        alive = {thread.ident for thread in threading.enumerate()}
        if self._current is not None and self._thread != here and self._thread in alive:
            return  # one training at a time is looked at
        self._current, self._thread = container, here
        self._first = self._recorder.next_step if self._recorder is not None else 0
        if not container.is_cv:
            configuration = json.loads(model.save_config())
            booster = configuration["learner"]["gradient_booster"]["name"]
            # While trees are changed instead of added, the library shows none.
            self._trees = booster in ("gbtree", "dart") and not _changes_trees(configuration)
            self._importances = Importances()
            # A training that goes on from a checkpoint goes on counting, too.
            self._first = max(self._first - model.num_boosted_rounds(), 0)

    def _begin(self, container: Any, model: Any, epoch: int, *rest: Any, **named: Any) -> None:
        if self._current is None and self._recorder is None:
            self._before(container, model)  # the profile was switched on in the midst of it
        if container is self._current:
            self._began = time.time()

    def _after(self, container: Any, model: Any, epoch: int, dtrain: Any, evals: Any) -> None:
        if container is not self._current:
            return
        round_ = epoch if container.is_cv else model.num_boosted_rounds() - 1
        step = self._first + round_
        if self._timeline is not None:
            now = time.time()
            phase = phases.step_phase(ModeKeys.TRAIN)
            self._timeline.add(phase, f"Round:{round_}", self._began, now, step)
        recorder = self._recorder
        if recorder is None or not recorder.begin(self.forced_mode or ModeKeys.GLOBAL, step):
            return
        try:
            if recorder.is_saving("hyperparameters"):
                for name, value in self._hyperparameters.items():
                    recorder.save(f"hyperparameters/{name}", value)
            self._metrics(recorder, container)
            if not container.is_cv:
                self._model(recorder, model, round_, dtrain, evals or [])
        except Exception as error:
            recorder.fail(error)
        recorder.close_step()

    def _end(self, container: Any, model: Any) -> None:
        if container is self._current:
            self._current = None
            if self._recorder is not None:
                self._recorder.flush()

    @staticmethod
    def _metrics(recorder: Recorder, container: Any) -> None:
        for data, metrics in container.history.items():
            for metric, values in metrics.items():
                value = values[-1]
                # Cross-validation has the mean and the deviation over its folds.
                recorder.save(
                    f"{data}-{metric}", value[0] if isinstance(value, tuple) else float(value)
                )

    def _model(
        self, recorder: Recorder, model: Any, round_: int, dtrain: Any, evals: list[Any]
    ) -> None:
        others = [data for data, _ in evals if data is not dtrain]
        shown = others[-1] if others else dtrain
        if recorder.wants("labels"):
            recorder.save("labels", shown.get_label())
        if recorder.wants("predictions"):
            recorder.save("predictions", model.predict(shown))
        if self._trees and recorder.is_saving("feature_importance"):
            for kind, scores in self._importances.of(model).items():
                total = sum(scores.values()) or 1.0
                for feature, score in scores.items():
                    recorder.save(f"feature_importance/{kind}/{feature}", score / total)
        if self._trees and recorder.is_saving("trees"):
            for name, column in trees(model, round_).items():
                recorder.save(f"trees/{name}", column)
        if recorder.is_saving("average_shap") or recorder.is_saving("full_shap"):
            self._shap(recorder, model, dtrain)

    @staticmethod
    def _shap(recorder: Recorder, model: Any, dtrain: Any) -> None:
        contributions = model.predict(dtrain, pred_contribs=True)
        names = model.feature_names or [f"f{n}" for n in range(contributions.shape[-1] - 1)]
        for number, name in enumerate(names):  # behind the features is the bias
            column = contributions[..., number]
            recorder.save(f"full_shap/{name}", column)
            recorder.save(f"average_shap/{name}", column.mean())


class Importances:
    """Each kind of importance by feature, as ``get_score`` has it, of a model that grows.

    What trees split, gain and cover adds up, so only trees that are new are looked at; of a large
    model, looking at all of them takes as long as a round.
    """

    def __init__(self) -> None:
        self._rounds = 0
        self._sums: tuple[dict[str, float], ...] = ({}, {}, {})

    def of(self, model: Any) -> dict[str, dict[str, float]]:
        """The importances of the model's rounds so far, which were fewer the time before."""
        rounds = model.num_boosted_rounds()
        new = model[self._rounds : rounds] if self._rounds else model
        for sums, kind in zip(self._sums, ("weight", "total_gain", "total_cover"), strict=True):
            for feature, score in new.get_score(importance_type=kind).items():
                sums[feature] = sums.get(feature, 0.0) + score
        self._rounds = rounds
        weight, gain, cover = self._sums
        return {
            "weight": weight,
            "gain": {feature: total / weight[feature] for feature, total in gain.items()},
            "cover": {feature: total / weight[feature] for feature, total in cover.items()},
            "total_gain": gain,
            "total_cover": cover,
        }


def _changes_trees(configuration: Mapping[str, Any]) -> bool:
    """Whether a training only changes trees that there are: process_type is ``update``."""
    booster = configuration["learner"]["gradient_booster"]
    trees = booster.get("gbtree", booster)  # dart stands around it
    updaters = trees.get("gbtree_train_param", {}).get("updater_seq", "grow")
    return "grow" not in updaters


def trees(model: Any, round_: int) -> dict[str, list[Any]]:
    """The trees of one round, a list of the same length for each column of a table of nodes.

    The columns are ``Tree``, ``Node``, ``ID``, ``Feature`` (``Leaf`` where it is none), ``Split``,
    ``Yes``, ``No``, ``Missing``, ``Gain``, ``Cover`` and ``Category``. Without a value a number is
    NaN and a text is empty.
    """
    columns = ("Tree", "Node", "ID", "Feature", "Split", "Yes", "No", "Missing", "Gain", "Cover")
    table: dict[str, list[Any]] = {name: [] for name in (*columns, "Category")}
    part = model[round_ : round_ + 1]
    dumped = part.get_dump(with_stats=True, dump_format="json")
    nan = float("nan")
    for number, text in enumerate(dumped, start=round_ * len(dumped)):
        waiting = [json.loads(text)]
        nodes = []
        while waiting:
            node = waiting.pop()
            nodes.append(node)
            waiting.extend(node.get("children", ()))
        for node in sorted(nodes, key=lambda one: int(one["nodeid"])):
            leaf, split = "leaf" in node, node.get("split_condition", nan)
            categories = split if isinstance(split, list) else []
            row = (
                number,
                node["nodeid"],
                f"{number}-{node['nodeid']}",
                "Leaf" if leaf else str(node["split"]),
                nan if leaf or categories else float(split),
                *("" if leaf else f"{number}-{node[way]}" for way in ("yes", "no", "missing")),
                node["leaf"] if leaf else node["gain"],
                node["cover"],
                ",".join(map(str, categories)),
            )
            for name, value in zip(table, row, strict=True):
                table[name].append(value)
    return table
