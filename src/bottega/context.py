"""Who asks, from where, against which studio."""

from __future__ import annotations

from dataclasses import dataclass

from bottega.ports import Ports


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
