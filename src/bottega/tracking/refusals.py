"""How an operation tells what the tracker refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bottega.errors import ResourceNotFound, ServiceUnavailable, ValidationException
from bottega.tracking.port import TrackingMissing, TrackingRefused, TrackingUnavailable


@contextmanager
def told() -> Iterator[None]:
    """The tracker's refusals as ours.

    Raises:
        ResourceNotFound: what the request is about is not there.
        ValidationException: the tracker refuses; it says why.
        ServiceUnavailable: the tracker does not answer now.
    """
    try:
        yield
    except TrackingMissing as error:
        raise ResourceNotFound(error.reason) from error
    except TrackingRefused as error:
        raise ValidationException(error.reason) from error
    except TrackingUnavailable as error:
        raise ServiceUnavailable(str(error)) from error
