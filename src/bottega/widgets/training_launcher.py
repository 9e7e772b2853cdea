"""A form that trains a model: data, algorithm, hyperparameters; then it is the job's monitor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from bottega.errors import BottegaError
from bottega.sdk.session import Session, connect
from bottega.widgets import frontend
from bottega.widgets.job_monitor import JobMonitor
from bottega.widgets.lasting import LastingDisplay, OpensOnAPage, PageLayout

HERE = Path(__file__).parent
VARIABLE, PLACE = "variable", "place"
"""What data can be: a frame of the notebook, or a path or ``s3://`` URI."""


class LaunchForm(OpensOnAPage, anywidget.AnyWidget):
    """The fields. What is chosen comes back by a message, and is judged by the studio."""

    _esm = HERE / "training_launcher.js"
    _css = HERE / "studio.css"

    frames: Any = traitlets.List().tag(sync=True)
    """``{"name", "rows", "columns"}`` of every frame of the notebook."""
    algorithms: Any = traitlets.List().tag(sync=True)
    """As ListAlgorithms describes them."""
    problem = traitlets.Unicode().tag(sync=True)
    """Why the last launch was refused."""
    busy = traitlets.Bool().tag(sync=True)


class TrainingLauncher(LastingDisplay, ipywidgets.VBox):  # type: ignore[misc]
    """Shows the form, and after the launch the job.

    Args:
        studio: the session; the default home's when absent.
        namespace: where variables are looked for; the notebook's when absent.
    """

    def __init__(
        self, *, studio: Session | None = None, namespace: Mapping[str, Any] | None = None
    ) -> None:
        self._studio = studio or connect()
        shell = frontend.shell()
        self._namespace = namespace if namespace is not None else getattr(shell, "user_ns", {})
        self.monitor: JobMonitor | None = None
        answer = self._studio.client.call("bottega", "ListAlgorithms")
        self.form = LaunchForm(
            algorithms=answer["Algorithms"], frames=self._frames(), layout=PageLayout()
        )
        self.form.on_msg(self._told)
        super().__init__([self.form], layout=PageLayout())

    def __repr__(self) -> str:
        return str(self.standing_alone()["text/plain"])

    def standing_alone(self) -> Mapping[str, str]:
        if self.monitor is not None:
            return self.monitor.standing_alone()
        names = ", ".join(item["Name"] for item in self.form.algorithms)
        text = (
            "A form to train a model, for a page with widgets. The same in code: "
            f'bottega.connect().train("xgboost", data=df, target="label"); algorithms: {names}.'
        )
        return {"text/plain": text, "text/html": f"<p>{text}</p>"}

    def _ipython_display_(self, **_: Any) -> None:
        if self.monitor is not None:
            self.monitor._ipython_display_()
        else:
            super()._ipython_display_()

    def launch(self, wanted: Mapping[str, Any]) -> None:
        """Start what the form says; a refusal goes to the form.

        Args:
            wanted: ``algorithm``, ``data`` and ``validation`` (``{"kind", "value"}``),
                ``channels`` (the same by name), ``target``, ``name``, ``experiment``,
                ``content_type`` and ``hyperparameters``; empty texts count as absent.
        """
        self.form.problem, self.form.busy = "", True
        try:
            job = self._studio.train(
                wanted["algorithm"],
                data=self._source(wanted.get("data")),
                validation=self._source(wanted.get("validation")),
                channels=self._channels(wanted.get("channels") or {}),
                target=wanted.get("target") or None,
                content_type=wanted.get("content_type") or "",
                name=wanted.get("name") or None,
                experiment=wanted.get("experiment") or None,
                hyperparameters=wanted.get("hyperparameters") or {},
                wait=False,
            )
            self.monitor = JobMonitor(job)
        except BottegaError as error:
            self.form.problem = error.message
            return
        finally:
            self.form.busy = False
        self.monitor.takes_over(self)
        self.children = [self.monitor]

    def _channels(self, chosen: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        sources = {name: self._source(place) for name, place in chosen.items()}
        return {name: source for name, source in sources.items() if source is not None}

    def _source(self, chosen: Mapping[str, str] | None) -> Any:
        if not chosen or not chosen.get("value"):
            return None
        value = chosen["value"]
        return self._namespace.get(value, value) if chosen["kind"] == VARIABLE else value

    def _frames(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "rows": len(value), "columns": [str(x) for x in value.columns]}
            for name, value in list(self._namespace.items())
            if not name.startswith("_") and hasattr(value, "to_csv") and hasattr(value, "columns")
        ]

    def _told(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """The page asks for something."""
        if content.get("do") == "refresh":
            self.form.frames = self._frames()
        elif content.get("do") == "launch":
            self.launch(content["wanted"])
