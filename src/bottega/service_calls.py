"""Operations that a service of bottega calls by itself, without a caller.

An autoscaler changes a variant's capacity, a schedule starts a job. Such calls are checked,
authorised and audited like any, under the name of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context, Errand, Identity
from bottega.identifiers import request_id
from bottega.ports import Ports
from bottega.registry import Registry


class ServiceCaller:
    """Calls operations as one service.

    Args:
        role: the service-linked role it acts with, such as
            ``AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint``.
        session: who it is in the audit trail, such as ``autoscaling``.
    """

    def __init__(self, registry: Registry, ports: Ports, role: str, session: str) -> None:
        self._registry = registry
        self._ports = ports
        self._identity = Identity(
            access_key="",
            arn=f"arn:aws:sts::{ports.config.account}:assumed-role/{role}/{session}",
            user_id=f"{role}:{session}",
            owner=True,
        )

    def call(
        self,
        service: str,
        name: str,
        request: Mapping[str, Any],
        errand: Errand | None = None,
    ) -> Mapping[str, Any]:
        """Call one operation.

        Args:
            errand: what for, where the operation has to know.

        Raises:
            BottegaError: it refuses.
        """
        context = Context(self._ports, self._identity, request_id(), face="service", errand=errand)
        return self._registry.call(service, name, request, context)
