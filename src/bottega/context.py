"""Who asks, from where, against which studio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bottega.ports import Ports

Call = Callable[[str, str, Mapping[str, Any], "Context"], Mapping[str, Any]]
"""An operation's service and name, its request, and the context it is called in."""


@dataclass(frozen=True)
class Identity:
    """An authenticated caller."""

    access_key: str
    arn: str
    """``arn:aws:sts::<account>:assumed-role/<role>/<session>``."""
    user_id: str
    owner: bool = False
    """The owner of the home, who may do everything."""

    @property
    def is_workload(self) -> bool:
        """Whether a job or a model server asks, not a person: see the names of sessions in
        ``bottega.wire.callers``. What it may reach must not be more than what it runs in."""
        return "=" in self.arn.rpartition("/")[2]

    @property
    def user_context(self) -> Mapping[str, Any]:
        """Who created or changed something, as Describe shows it."""
        return {"IamIdentity": {"Arn": self.arn, "PrincipalId": self.user_id}}


@dataclass(frozen=True)
class Errand:
    """What a service of bottega's own starts a job for; nobody else's call has one."""

    arn: str
    """Of the resource that wants the job: a tuning job that tries something."""
    cores: int | None = None
    """How many of the machine's cores the job should count on, as others run beside it; None for
    all of them."""
    live_seconds: float | None = None
    """How often the job's log is read while it runs; None for as often as any."""


@dataclass(frozen=True)
class Context:
    """What an operation knows about its call besides the request."""

    ports: Ports
    caller: Identity
    request_id: str
    face: str
    """``wire``, ``jupyter``, ``sdk`` or ``cli``."""
    source: str = ""
    """The address the call came from."""
    operations: Call | None = None
    """The registry's way in, for an operation that is made of others; the registry sets it."""
    errand: Errand | None = None
    """Set where a service of bottega's own calls."""

    def call(self, service: str, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call another operation for the same caller: it is checked, authorised and audited.

        Raises:
            BottegaError: it refuses.
        """
        if self.operations is None:
            raise RuntimeError("this context was not made by a registry's call")
        return self.operations(service, name, request, self)
