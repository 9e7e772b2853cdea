"""What happens after each round: the log line, early stopping, checkpoints, and the way out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xgboost.callback import TrainingCallback

from bottega.algorithms.xgboost.metric_names import NAMES, maximize

_CHECKPOINT = "xgboost-checkpoint."
_KEPT_CHECKPOINTS = 5
_CHECKPOINT_SHARE = 0.05


class PrintRound(TrainingCallback):
    """Prints ``[3]<TAB>train-rmse:0.10000<TAB>validation-rmse:0.20000`` for metric regexes."""

    def __init__(self, first_round: int = 0) -> None:
        super().__init__()
        self._first = first_round

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        print(metric_line(self._first + epoch, evals_log), flush=True)
        return False


class StopEarly(TrainingCallback):
    """Ends training when a metric of the last data set stops getting better.

    The best round is kept in the model's attributes, so that a resumed job knows it.

    Args:
        rounds: how many rounds without a better one end it.
        metric: the one to look at; the objective's own, which is printed last, when empty.
    """

    def __init__(self, rounds: int, metric: str = "") -> None:
        super().__init__()
        self._patience = rounds
        self._metric = metric
        self.best: int | None = None

    def before_training(self, model: Any) -> Any:
        if (best := model.attr("best_iteration")) is not None:
            self.best = int(best)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        scores = list(evals_log.values())[-1]
        name = self._metric if self._metric in scores else list(scores)[-1]
        values = scores[name]
        score, current = float(values[-1]), model.num_boosted_rounds() - 1
        known = model.attr("best_score")
        up = name.partition("@")[0] in NAMES and maximize(name)
        better = known is None or (score > float(known) if up else score < float(known))
        if better:
            model.set_attr(best_score=repr(score), best_iteration=str(current))
            self.best = current
        assert self.best is not None
        if current - self.best < self._patience:
            return False
        print(f"Stopping early: the best round was [{self.best}].", flush=True)
        return True


class Checkpoint(TrainingCallback):
    """Saves the model after a round, as often as costs at most a twentieth of the time."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._next = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if time.monotonic() >= self._next:
            self._save(model)
        return False

    def after_training(self, model: Any) -> Any:
        self._save(model)
        return model

    def _save(self, model: Any) -> None:
        began = time.monotonic()
        save(model, self._folder / f"{_CHECKPOINT}{model.num_boosted_rounds()}")
        for _, old in checkpoints(self._folder)[:-_KEPT_CHECKPOINTS]:
            old.unlink(missing_ok=True)
        self._next = time.monotonic() + (time.monotonic() - began) / _CHECKPOINT_SHARE


class StopOnSignal(TrainingCallback):
    """Ends training after the round in which SIGTERM came, so that its model is saved.

    Hosts that train together have to end with the same round; ``agree`` is their maximum.
    """

    def __init__(self, agree: Callable[[int], int]) -> None:
        super().__init__()
        self._agree = agree
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: Any) -> None:
        self._asked = True

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if not self._agree(int(self._asked)):
            return False
        print("Stopped by SIGTERM: saving the model of the last round.", flush=True)
        return True


def metric_line(round_number: int, evals_log: Any) -> str:
    """The line of one round."""
    parts = [
        f"{data}-{name}:{float(values[-1]):.5f}"
        for data, scores in evals_log.items()
        for name, values in scores.items()
    ]
    return "\t".join([f"[{round_number}]", *parts])


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoints of a folder by their number of rounds, oldest first."""
    found = []
    for path in folder.glob(f"{_CHECKPOINT}*"):
        number = path.name.removeprefix(_CHECKPOINT)
        if number.isdigit():
            found.append((int(number), path))
    return sorted(found)


def save(model: Any, path: Path) -> None:
    """Write a model (UBJSON, the library's own form): the file is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(model.save_raw("ubj"))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
