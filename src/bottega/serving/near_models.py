"""Models that are predicted with where the requests come in.

To hand a request to another process takes many times as long as a small prediction. So a model
server whose model is compiled leaves a part of it beside its socket
(:meth:`.Algorithm.near`), and whatever that part can answer, the router answers itself: the same
numbers, to the last bit, for as long as the server is in the route. All else goes to the server.

The part is data. What runs is our own code, whoever wrote the file.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import stat
import sys
from pathlib import Path
from weakref import ref

from bottega.algorithms import registry
from bottega.algorithms.base import NearModel
from bottega.algorithms.kernel_cache import KernelCache
from bottega.serving.answers import ServerAnswer
from bottega.serving.invocation import Invocation
from bottega.serving.routing import InstanceRoute, RoutingTable
from bottega.serving.sockets import near_path

log = logging.getLogger(__name__)

_LARGEST_FILE = 32 * 1024 * 1024
_LONGEST_NAME = 64
_LOOK_AGAIN_SECONDS = 1.0
_FEWEST_PRUNED = 64


class NotYet(Exception):
    """The model server may still leave a part of its model, or the kernels be compiled."""


class NearModels:
    """The parts that one router has. Belongs to its event loop.

    Args:
        table: whose servers they are of; what has left it is forgotten.
    """

    def __init__(self, table: RoutingTable, loop: asyncio.AbstractEventLoop) -> None:
        self._table = ref(table)
        self._loop = loop
        self._models: dict[str, NearModel] = {}
        """By instance, whose model never changes."""
        self._looked: set[str] = set()
        """Instances that were looked at, or are now, whatever was found."""
        self._prune_at = _FEWEST_PRUNED

    def knows(self, instance: InstanceRoute) -> bool:
        """Whether a part of the instance's model is here."""
        return instance.id in self._models

    def answer(self, instance: InstanceRoute, invocation: Invocation) -> ServerAnswer | None:
        """The answer of the instance's model server; None where the server has to be asked."""
        model = self._models.get(instance.id)
        if model is None:
            if instance.id not in self._looked:
                self._look(instance)
            return None
        try:
            found = model.answer(invocation.body, invocation.content_type, invocation.accept)
        except Exception:  # the server can answer, whatever is wrong here
            log.exception("the model server alone predicts for %s from now on", instance.id)
            del self._models[instance.id]
            return None
        if found is None:
            return None
        body, kind = found
        return ServerAnswer(200, body, kind, invocation.custom_attributes)

    def _look(self, instance: InstanceRoute) -> None:
        """Load what the instance's server has left, in a thread; again until that is decided."""
        if len(self._looked) >= self._prune_at:
            self._prune()
        try:
            looking = self._loop.run_in_executor(None, load, near_path(instance.socket))
        except RuntimeError as error:  # no thread is to be had now; the server is there
            log.warning("nobody looked what %s left: %s", instance.id, error)
            return
        self._looked.add(instance.id)

        def looked(done: asyncio.Future[NearModel | None]) -> None:
            if done.cancelled():
                return
            error = done.exception()
            if isinstance(error, NotYet | OSError):
                self._loop.call_later(_LOOK_AGAIN_SECONDS, self._looked.discard, instance.id)
            elif error is not None:
                log.warning("%s left nothing to predict with: %s", instance.id, error)
            elif (model := done.result()) is not None:
                self._models[instance.id] = model

        looking.add_done_callback(looked)

    def _prune(self) -> None:
        """Forget the instances that are in no route any more."""
        table = self._table()
        routes = table.endpoints() if table is not None else ()
        variants = [variant for route in routes for _, variant in route.variants()]
        there = {instance.id for variant in variants for instance in variant.instances}
        self._looked &= there
        self._models = {name: model for name, model in self._models.items() if name in there}
        self._prune_at = max(_FEWEST_PRUNED, 2 * len(self._looked))


def load(path: Path) -> NearModel | None:
    """What a model server left at ``path``; None where it says that there is nothing.

    Raises:
        NotYet: it has not said anything, or what has to predict is not compiled.
        ValueError: there is something else.
        OSError: it cannot be read.
    """
    if not os.path.lexists(path):
        raise NotYet
    is_first = "numba" not in sys.modules
    if not KernelCache().use():
        raise NotYet
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path} is no file")
        content = file.read(_LARGEST_FILE + 1)
    if not content:
        return None
    if len(content) > _LARGEST_FILE:
        raise ValueError(f"{path} has more than {_LARGEST_FILE} bytes")
    end = content.find(b"\n", 0, _LONGEST_NAME)
    if (name := content[: max(end, 0)].decode("ascii", "replace")) not in registry.names():
        raise ValueError(f"{path} names no algorithm")
    model = registry.algorithm(name).near_model(content[end + 1 :])
    if is_first:
        # As what was loaded at the start: a hundred thousand objects that stay need not be walked
        # by the collector, which would hold up the event loop for it.
        gc.freeze()
    return model
