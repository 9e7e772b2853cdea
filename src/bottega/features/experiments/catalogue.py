"""The way from an operation to the runs and entities, and how the tracker's refusals are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.tracking.catalogue import RunCatalogue
from bottega.tracking.experiments import ExperimentStore
from bottega.tracking.refusals import told


@contextmanager
def catalogue_of(context: Context) -> Iterator[RunCatalogue]:
    """The studio's catalogue of runs, with its refusals as ours.

    Raises:
        ValidationException: tracking is switched off, or the tracker refuses; it says why.
        ResourceNotFound: what is asked for is not in the tracker.
        ServiceUnavailable: the tracker does not answer now.
    """
    catalogue = context.ports.catalogue
    if catalogue is None:
        raise _switched_off()
    with told():
        yield catalogue


@contextmanager
def experiments_of(context: Context) -> Iterator[ExperimentStore]:
    """The studio's experiments, trials and trial components, with its refusals as ours.

    Raises:
        ValidationException: tracking is switched off, or the tracker refuses, because something of
            this name exists, for example; it says why.
        ResourceNotFound: what the request is about is not there.
        ServiceUnavailable: the tracker does not answer now.
    """
    experiments = context.ports.experiments
    if experiments is None:
        raise _switched_off()
    with told():
        yield experiments


def _switched_off() -> ValidationException:
    return ValidationException(
        "Tracking is switched off in this studio, so it has no runs. Start the service with "
        "BOTTEGA_TRACKING=true to have them."
    )
