"""What all routes share: who may ask, and the one place where an error becomes an answer."""

from __future__ import annotations

import json
from http.client import responses
from typing import TYPE_CHECKING, Any

from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

from bottega.config import Config
from bottega.errors import BottegaError, RequestEntityTooLarge
from bottega_jupyter.fields import Fields
from bottega_jupyter.identity import session_name
from bottega_jupyter.server import SETTING, BottegaServer

if TYPE_CHECKING:
    from bottega.credentials import SessionKeys

LARGEST_JSON_BYTES = 1024 * 1024


class Guarded(JupyterHandler):
    """What makes a handler one of ours, whatever it speaks.

    A verb is decorated with Jupyter's ``authorized``, which asks about ``auth_resource``, under
    tornado's ``authenticated``, or ``ws_authenticated`` for a websocket. It raises;
    :meth:`write_error` answers.
    """

    auth_resource = "bottega"

    @property
    def bottega(self) -> BottegaServer:
        """The home that this server works on."""
        server: BottegaServer = self.settings[SETTING]
        return server

    @property
    def bottega_config(self) -> Config:
        """The configuration of the home."""
        return self.bottega.config

    @property
    def person(self) -> str:
        """The session name of who asks."""
        return session_name(self.current_user, self.identity_provider)

    @property
    def keys(self) -> SessionKeys:
        """What requests on behalf of who asks are signed with."""
        return self.bottega.keys_of(self.person)

    def skip_check_origin(self) -> bool:
        """Refuse pages of other origins even where they know the token.

        Jupyter lets a token's holder in from anywhere. ``ServerApp.allow_origin`` is the way to let
        an origin in here.
        """
        return False

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with ``{"code", "message"}``, in the words of the error where it has some."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        status, described = _described(error, status_code)
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(described))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is no incident: one line says it. Anything unexpected keeps its traceback."""
        if isinstance(value, BottegaError) and value.status < 500:
            self.log.info("%s %s: %s", self.request.path, value.code, value.message)
        elif isinstance(value, BottegaError):
            self.log.warning("%s %s: %s", self.request.path, value.code, value.message)
        else:
            super().log_exception(typ, value, tb)


class BottegaHandler(Guarded, APIHandler):
    """The base of every route that is no websocket."""

    def raw_body(self, limit: int) -> bytes:
        """The body as it came.

        Raises:
            RequestEntityTooLarge: it has more than ``limit`` bytes.
        """
        body: bytes = self.request.body
        if len(body) > limit:
            raise RequestEntityTooLarge(
                f"The body has {len(body)} bytes; this request may have {limit}."
            )
        return body

    def read_fields(self, *known: str) -> Fields:
        """The body's members.

        Args:
            known: the names that there are.

        Raises:
            ValidationException: it is no JSON object, or has a member of another name.
        """
        return Fields.read(self.raw_body(LARGEST_JSON_BYTES), known)


class BottegaSocket(WebSocketMixin, WebSocketHandler, Guarded):
    """The base of every websocket."""


def _described(error: BaseException | None, status: int) -> tuple[int, dict[str, Any]]:
    if isinstance(error, BottegaError):
        return error.status, {**error.members, "code": error.code, "message": error.message}
    phrase = responses.get(status, "Unknown Error")
    message = "Bottega failed unexpectedly; the Jupyter server's log has the traceback."
    if isinstance(error, HTTPError):
        message = error.log_message or phrase
    return status, {"code": phrase.title().replace(" ", ""), "message": message}
