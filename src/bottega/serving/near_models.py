"""Models that are predicted with where the requests come in.

A small prediction takes a tenth of the time that it takes to hand a request to another process. So
a model server whose model is compiled leaves a part of it beside its socket
(:meth:`.Algorithm.near`), and whatever that part can answer, the router answers itself: the same
numbers, to the last bit, for as long as the server is in the route. All else goes to the server.

The part is data. What runs is our own code, whoever wrote the file.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from pathlib import Path

from bottega.algorithms import registry
from bottega.algorithms.base import NearModel
from bottega.algorithms.kernel_cache import KernelCache
from bottega.serving.answers import ServerAnswer
from bottega.serving.invocation import Invocation
from bottega.serving.routing import InstanceRoute
from bottega.serving.sockets import near_path

log = logging.getLogger(__name__)

_LARGEST_FILE = 64 * 1024 * 1024
_LOOK_AGAIN_SECONDS = 1.0
_MOST = 256
"""Model servers whose parts are kept before all are forgotten, and looked for again."""


class NearModels:
    """The parts that one router has. Belongs to its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._known: dict[str, NearModel | None] = {}
        """By instance, whose model never changes; None where it is being looked for, or refused."""

    def answer(self, instance: InstanceRoute, invocation: Invocation) -> ServerAnswer | None:
        """The answer of the instance's model server; None where the server has to be asked."""
        try:
            model = self._known[instance.id]
        except KeyError:
            self._look(instance)
            return None
        if model is None:
            return None
        try:
            found = model.answer(invocation.body, invocation.content_type, invocation.accept)
        except Exception:  # the server can answer, whatever is wrong here
            log.exception("model servers alone predict for %s from now on", instance.id)
            self._known[instance.id] = None
            return None
        if found is None:
            return None
        body, kind = found
        return ServerAnswer(200, body, kind, invocation.custom_attributes)

    def _look(self, instance: InstanceRoute) -> None:
        """Load what the instance's server has left, in a thread; again until it is there."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[instance.id] = None
        looking = self._loop.run_in_executor(None, load, near_path(instance.socket))

        def looked(done: asyncio.Future[NearModel | None]) -> None:
            if done.cancelled():
                return
            if (error := done.exception()) is not None:
                log.warning("%s left nothing to predict with: %s", instance.id, error)
            elif (model := done.result()) is not None:
                self._known[instance.id] = model
            else:
                self._loop.call_later(_LOOK_AGAIN_SECONDS, self._known.pop, instance.id, None)

        looking.add_done_callback(looked)


def load(path: Path) -> NearModel | None:
    """What a model server left at ``path``; None where nothing is there yet, or the kernels are not
    compiled.

    Raises:
        ValueError: there is something else.
        OSError: it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size > _LARGEST_FILE:
            raise ValueError(f"{path} is no file, or one of {state.st_size} bytes")
        if not KernelCache().use():
            return None
        name, _, content = file.read().partition(b"\n")
    if name.decode("ascii", "replace") not in registry.names():
        raise ValueError(f"{path} names no algorithm")
    return registry.algorithm(name.decode()).near_model(content)
