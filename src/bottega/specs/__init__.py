"""The shapes of requests and responses: botocore's models, our own, and the checks they imply.

The functions here are all that the rest of bottega uses; see ``models``, ``validation`` and
``pagination``.
"""

from __future__ import annotations

from bottega.specs.models import exists, operation_model, service_model, signing_name
from bottega.specs.validation import validate

__all__ = ["exists", "operation_model", "service_model", "signing_name", "validate"]
