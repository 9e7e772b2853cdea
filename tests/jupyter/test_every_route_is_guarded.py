"""Who may not, gets nowhere: every verb of every route, found in the table of routes itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketHandler

from bottega_jupyter.routes import all_routes
from bottega_jupyter.routes.objects import ObjectHandler

Fetch = Callable[..., Any]
VERBS = ("get", "head", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Door:
    """One verb of one route, at an address that fits it."""

    verb: str
    path: str
    socket: bool

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


def doors() -> list[Door]:
    found = []
    for pattern, handler in all_routes():
        path = re.sub(r"\([^)]*\)", "x", pattern)
        verbs = [verb for verb in VERBS if verb in vars(handler)]
        assert verbs, pattern
        socket = issubclass(handler, WebSocketHandler)
        found += [Door(verb, path, socket) for verb in verbs]
    return found


every_door = pytest.mark.parametrize("door", doors(), ids=str)


@pytest.fixture
def knock(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str, jp_ws_fetch: Fetch
) -> Fetch:
    """Try a door; returns the status and the answer of who was refused."""

    async def knock(door: Door, headers: dict[str, str]) -> tuple[int, str]:
        url = jp_base_url.rstrip("/") + door.path
        body = None if door.verb in ("get", "head") else b"{}"
        if door.socket:
            upgrade = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }
            headers = {**upgrade, **headers}
        with pytest.raises(HTTPClientError) as refused:
            await http_server_client.fetch(
                url,
                method=door.verb.upper(),
                body=body,
                headers=headers,
                follow_redirects=False,
            )
        answer = refused.value.response
        return refused.value.code, "" if answer is None else answer.body.decode()

    return knock


@every_door
@pytest.mark.parametrize("headers", [{}, {"Authorization": "token of-another-user"}])
async def test_nobody_comes_in_without_the_token(
    knock: Fetch, door: Door, headers: dict[str, str]
) -> None:
    status, body = await knock(door, headers)
    assert status == 403
    assert door.socket or json.loads(body)["code"] == "Forbidden"


@every_door
async def test_no_page_of_another_origin_comes_in(
    knock: Fetch, door: Door, jp_auth_header: dict[str, str]
) -> None:
    status, _ = await knock(door, {**jp_auth_header, "Origin": "http://elsewhere.example"})
    assert status in (403, 404)


@every_door
async def test_a_user_without_the_right_does_not_come_in(
    knock: Fetch,
    door: Door,
    jp_auth_header: dict[str, str],
    jp_serverapp: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = set()

    def is_authorized(_handler: Any, _user: Any, action: str, resource: str) -> bool:
        asked.add((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    status, _ = await knock(door, jp_auth_header)
    assert status == 403
    action = "read" if door.verb in ("get", "head") else "write"
    assert asked == {(action, "bottega")}


@pytest.mark.parametrize(
    "door", [door for door in doors() if door.verb not in ("get", "head")], ids=str
)
async def test_a_cookie_alone_changes_nothing(knock: Fetch, door: Door, jp_fetch: Fetch) -> None:
    logged_in = await jp_fetch("bottega", "about")
    cookies = [value.split(";")[0] for value in logged_in.headers.get_list("Set-Cookie")]
    assert any(cookie.startswith("username-") for cookie in cookies)
    status, body = await knock(door, {"Cookie": "; ".join(cookies)})
    assert status == 403
    assert "_xsrf" in json.loads(body)["message"]


async def test_an_upload_of_who_may_not_is_refused_before_it_is_taken(
    knock: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    async def data_received(_handler: Any, chunk: bytes) -> None:
        taken.append(chunk)

    monkeypatch.setattr(ObjectHandler, "data_received", data_received)
    status, _ = await knock(Door("put", "/bottega/objects/x/x", False), {})
    assert status == 403
    assert taken == []
