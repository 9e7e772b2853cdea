"""What the monitors share: they follow something that runs until it has ended."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import anywidget
import traitlets

from bottega.errors import BottegaError, ResourceNotFound
from bottega.widgets.lasting import LastingDisplay, PageLayout

POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 15.0
HERE = Path(__file__).parent


def script(*own: str) -> str:
    """The module of a monitor: what all of them do on the page, and then what is its own.

    Joined, as a page loads nothing beside a widget's one module.
    """
    return "".join((HERE / file).read_text(encoding="utf-8") for file in ("monitor.js", *own))


class Stoppable(Protocol):
    """What a monitor follows."""

    name: str

    def stop(self) -> None: ...


class View(Protocol):
    """What is known of it at one moment."""

    @property
    def seen(self) -> float: ...

    @property
    def ended(self) -> bool: ...


class Monitor(LastingDisplay, anywidget.AnyWidget):
    """Shows something until it has ended; then every display becomes a still picture of it.

    A thread of its own asks the studio, so it goes on while the kernel is busy; it ends with what
    it follows, or when the widget is closed, and keeps no process alive. Where the kernel is gone,
    the page asks the Jupyter server instead.
    """

    _css = HERE / "studio.css"

    name = traitlets.Unicode().tag(sync=True)
    seen = traitlets.Float().tag(sync=True)
    """When this was asked; the page takes the kernel for gone when it stays behind."""
    problem = traitlets.Unicode().tag(sync=True)
    """Why nothing is known at present; empty when something is."""

    def __init__(self, followed: Stoppable) -> None:
        self._closed = threading.Event()
        self._over = threading.Event()
        self._broken: Exception | None = None
        self._followed = followed
        view = self._read()
        super().__init__(name=followed.name, layout=PageLayout(), **self._shown())
        self.on_msg(self._told)
        if view.ended:
            self._over.set()
        else:
            threading.Thread(target=self._follow, name=f"monitor {self.name}", daemon=True).start()

    @abstractmethod
    def _read(self) -> View:
        """Ask the studio, and keep what it answers.

        Raises:
            ResourceNotFound: it is not there (any more).
        """

    @abstractmethod
    def _shown(self) -> dict[str, Any]:
        """What was read, as the page gets it; ``seen`` among it."""

    @property
    def is_live(self) -> bool:
        return not self._over.is_set()

    def wait_for_end(self) -> None:
        """Wait until the watching has ended: with what is followed, or with the widget.

        Raises:
            Exception: why the watching broke off.
        """
        while not self._over.wait(0.2):
            pass
        if self._broken is not None:
            raise self._broken

    def takes_over(self, other: LastingDisplay) -> None:
        """Stand for another widget in its displays, which this one will settle."""
        self._displays += other._displays

    def close(self) -> None:
        """Take the widget off the page and ask no more."""
        self._closed.set()
        super().close()

    def _follow(self) -> None:
        try:
            self._poll()
        except Exception as error:
            self._broken = error
            self.problem = str(error)
        finally:
            self._over.set()
            if not self._closed.is_set():
                self.settle()

    def _poll(self) -> None:
        pause = POLL_SECONDS
        while not self._closed.wait(pause):
            try:
                view = self._read()
            except ResourceNotFound:
                raise
            except BottegaError as error:  # the service may be on its way back
                self.problem = str(error)
                pause = min(LONGEST_POLL_SECONDS, pause * 1.5)
                continue
            pause = POLL_SECONDS
            self._publish()
            if view.ended:
                return

    def _publish(self) -> None:
        with self.hold_sync():
            self.problem = ""
            for trait, value in self._shown().items():
                setattr(self, trait, value)

    def _told(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """The page asks for something."""
        if content.get("do") != "stop":
            return
        try:
            self._followed.stop()
        except BottegaError as error:
            self.problem = str(error)
