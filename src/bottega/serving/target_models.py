"""The models of multi-model variants: each is brought to a server when it is first asked for."""

from __future__ import annotations

from weakref import ref

from bottega.serving.answers import ServerAnswer
from bottega.serving.invocation import Invocation
from bottega.serving.model_client import AnswerHead
from bottega.serving.routing import InstanceRoute, RoutingTable, VariantRoute

_MOST_KNOWN = 16384


class TargetModels:
    """Which server was brought which model, as far as one router knows."""

    def __init__(self, table: RoutingTable) -> None:
        self._table = ref(table)
        self._there: set[tuple[str, str]] = set()

    def has(self, variant: VariantRoute, instance: InstanceRoute, invocation: Invocation) -> bool:
        """Whether nothing has to be brought before the request is sent."""
        return not variant.multi_model or (instance.id, invocation.target_model) in self._there

    async def bring(
        self,
        endpoint: str,
        variant: VariantRoute,
        instance: InstanceRoute,
        invocation: Invocation,
    ) -> None:
        """Bring the model of a request to the server that gets it, if that has to be done.

        Raises:
            ValidationError: there is no such model, or it cannot be unpacked.
        """
        table = self._table()
        if self.has(variant, instance, invocation):
            return
        if table is not None and table.fetch_model is not None:
            await table.fetch_model(endpoint, variant.name, instance.id, invocation.target_model)
        if len(self._there) >= _MOST_KNOWN:
            self._there.clear()
        self._there.add((instance.id, invocation.target_model))

    def is_lacking(self, variant: VariantRoute, answer: ServerAnswer | AnswerHead) -> bool:
        """Whether an answer says that the server has not got the model; a 404 of a script that
        has nothing to say of a request is an answer like any other."""
        return variant.multi_model and answer.model_missing

    def forget(self, instance: InstanceRoute, invocation: Invocation) -> None:
        """Have the model of a request brought again."""
        self._there.discard((instance.id, invocation.target_model))
