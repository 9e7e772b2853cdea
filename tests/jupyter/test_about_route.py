"""The about route, and through it what every route inherits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.web import HTTPError

import bottega
from bottega.errors import ValidationException
from bottega_jupyter.base import _described
from bottega_jupyter.routes.about import AboutHandler

Fetch = Callable[..., Any]


async def test_it_says_version_and_home(jp_fetch: Fetch, bottega_home: Path) -> None:
    answer = await jp_fetch("bottega", "about")
    assert json.loads(answer.body) == {"version": bottega.__version__, "home": str(bottega_home)}
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_nobody_is_let_in_without_a_token(jp_fetch: Fetch) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("bottega", "about", headers={"Authorization": "token wrong"})
    assert refused.value.code == 403
    assert refused.value.response is not None
    assert json.loads(refused.value.response.body)["code"] == "Forbidden"


async def test_who_may_not_read_the_resource_is_refused(
    jp_fetch: Fetch, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def is_authorized(_handler: Any, _user: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("bottega", "about")
    assert refused.value.code == 403
    assert asked == [("read", "bottega")]


async def test_a_refusal_keeps_its_code_text_and_status(
    jp_fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handler: AboutHandler) -> Any:
        raise ValidationException("The name is wrong.")

    monkeypatch.setattr(AboutHandler, "bottega_config", property(refuse))
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("bottega", "about")
    assert refused.value.code == 400
    assert refused.value.response is not None
    assert json.loads(refused.value.response.body) == {
        "code": "ValidationException",
        "message": "The name is wrong.",
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValidationException("No."), (400, "ValidationException", "No.")),
        (HTTPError(404), (404, "NotFound", "Not Found")),
        (HTTPError(404, "No such route."), (404, "NotFound", "No such route.")),
    ],
)
def test_every_error_is_told_in_one_form(error: Exception, expected: tuple[int, str, str]) -> None:
    status, described = _described(error, expected[0])
    assert (status, described["code"], described["message"]) == expected


def test_what_went_wrong_unexpectedly_is_not_shown() -> None:
    status, described = _described(RuntimeError("secret"), 500)
    assert (status, described["code"]) == (500, "InternalServerError")
    assert "secret" not in described["message"]
