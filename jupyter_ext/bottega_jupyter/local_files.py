"""From a path of the file browser to a file of this machine, under the file browser's own rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.contents.fileio import FileManagerMixin

from bottega.errors import AccessDeniedException, ValidationException


class NoSuchFile(ValidationException):
    """The file browser has no such file."""

    code = "NoSuchFile"
    status = 404


async def local_path(handler: JupyterHandler, path: str, action: str = "read") -> Path:
    """Where a file or folder of the file browser is.

    Args:
        handler: of who asks.
        path: as the file browser writes it: relative to its root, with slashes.
        action: what who asks must be allowed to do with contents: ``read`` or ``write``.

    Raises:
        ValidationException: the file browser does not show files of this machine.
        AccessDeniedException: who asks may not do that.
        NoSuchFile: it is not there, or is hidden.
        HTTPError: it is outside the root, which is answered in the same way.
    """
    manager: Any = handler.contents_manager
    if not issubclass(type(manager), FileManagerMixin):
        raise ValidationException(
            f"The file browser shows what {type(manager).__name__} keeps, not files of this "
            "machine; upload the file to the object store and give its s3:// URI."
        )
    user = handler.current_user
    allowed = handler.authorizer.is_authorized(handler, user, action, "contents")
    if not await ensure_async(allowed):
        raise AccessDeniedException(f"You may not {action} the files of this Jupyter server.")
    api_path = path.strip("/")
    hidden = not manager.allow_hidden and await ensure_async(manager.is_hidden(api_path))
    if hidden or not await ensure_async(manager.exists(api_path)):
        raise NoSuchFile(f"The file browser has no file or folder {path!r}.")
    return Path(str(manager._get_os_path(api_path)))


def contents_path(handler: JupyterHandler, path: Path) -> str:
    """How the file browser writes the path of a file below its root."""
    return path.relative_to(os.path.abspath(handler.contents_manager.root_dir)).as_posix()
