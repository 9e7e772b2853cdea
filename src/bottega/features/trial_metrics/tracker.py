"""The way from an operation to the metrics of components, and how refusals are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.tracking.component_metrics import ComponentMetrics
from bottega.tracking.refusals import told


@contextmanager
def metrics_of(context: Context) -> Iterator[ComponentMetrics]:
    """The studio's metrics of components, with the tracker's refusals as ours.

    Raises:
        ValidationException: tracking is switched off, or the tracker refuses; it says why.
        ResourceNotFound: there is no such component.
        ServiceUnavailable: the tracker does not answer now; the same call again loses and doubles
            nothing.
    """
    metrics = context.ports.component_metrics
    if metrics is None:
        raise ValidationException(
            "Tracking is switched off in this studio, so it keeps no metrics. Start the service "
            "with BOTTEGA_TRACKING=true to have them."
        )
    with told():
        yield metrics
