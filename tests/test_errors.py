"""Refusals survive the wire."""

from __future__ import annotations

import pytest

from bottega import errors


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ValidationException", errors.ValidationException),
        ("ResourceInUse", errors.ResourceInUse),
        ("ModelError", errors.ModelError),
        ("InternalFailure", errors.BottegaError),
    ],
)
def test_a_code_gives_its_class_back(code: str, kind: type[errors.BottegaError]):
    error = errors.from_code(code, "text")
    assert isinstance(error, kind)
    assert (error.code, error.message) == (code, "text")


def test_an_unknown_code_keeps_code_and_status():
    error = errors.from_code("Teapot", "short and stout", status=418)
    assert isinstance(error, errors.ClientFault)
    assert (error.code, error.status, error.retryable) == ("Teapot", 418, False)
    assert errors.from_code("Overloaded", "later", status=503).retryable
