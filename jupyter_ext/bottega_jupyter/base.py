"""What all routes share: who may ask, and the one place where an error becomes an answer."""

from __future__ import annotations

import json
from http.client import responses
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from bottega.config import Config
from bottega.errors import BottegaError

CONFIG_SETTING = "bottega_config"


class BottegaHandler(APIHandler):
    """The base of every route.

    A verb is decorated with tornado's ``authenticated`` and Jupyter's ``authorized``, which asks
    about ``auth_resource``. It raises; :meth:`write_error` answers.
    """

    auth_resource = "bottega"

    @property
    def bottega_config(self) -> Config:
        """The configuration of the home that this server works on."""
        config: Config = self.settings[CONFIG_SETTING]
        return config

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with ``{"code", "message"}``, in the words of the error where it has some."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        status, code, message = _described(error, status_code)
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"code": code, "message": message}))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is no incident: one line says it. Anything unexpected keeps its traceback."""
        if isinstance(value, BottegaError) and value.status < 500:
            self.log.info("%s %s: %s", self.request.path, value.code, value.message)
        else:
            super().log_exception(typ, value, tb)


def _described(error: BaseException | None, status: int) -> tuple[int, str, str]:
    if isinstance(error, BottegaError):
        return error.status, error.code, error.message
    phrase = responses.get(status, "Unknown Error")
    code = phrase.title().replace(" ", "")
    if isinstance(error, HTTPError):
        return status, code, error.log_message or phrase
    return status, code, "Bottega failed unexpectedly; the Jupyter server's log has the traceback."
