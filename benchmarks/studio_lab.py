"""JupyterLab in a real browser, as the Studio's benchmark drives it."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXTENSION = "@bottega/labextension"
BROWSERS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that answers."""

    url: str
    started_seconds: float
    """From the start of the process to its first answer."""


@contextmanager
def lab(folder: Path, home: Path, *, studio: bool = True, kernels: bool = True) -> Iterator[Lab]:
    """Run JupyterLab over a fresh configuration.

    Args:
        folder: where its configuration, workspaces and notebooks go.
        home: of bottega.
        studio: with the extension on both sides; without it neither of them is loaded.
        kernels: whether kernels get bottega's environment.
    """
    config = folder / "config"
    (config / "labconfig").mkdir(parents=True, exist_ok=True)
    (folder / "files").mkdir(exist_ok=True)
    disabled = {} if studio else {EXTENSION: True}
    page_config = config / "labconfig" / "page_config.json"
    page_config.write_text(json.dumps({"disabledExtensions": disabled}))
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
        *("--ip", "127.0.0.1", "--port", str(port)),
        f"--ServerApp.root_dir={folder / 'files'}",
        f"--ServerApp.jpserver_extensions={{'bottega_jupyter': {studio}}}",
        *("--IdentityProvider.token=", "--ServerApp.password="),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
        "--LabApp.news_url=",
    ]
    if studio:
        command += [
            f"--BottegaApp.home={home}",
            f"--BottegaApp.kernel_environment={kernels}",
        ]
    variables = os.environ | {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    began = time.monotonic()
    with (folder / "lab.log").open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=variables)
    try:
        _await_answer(f"{url}/api/status", process)
        yield Lab(url, time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"JupyterLab ended with {process.returncode} while starting")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.005)
    raise SystemExit(f"JupyterLab does not answer at {url}")


@contextmanager
def browser() -> Iterator[Any]:
    """The distribution's Chromium, through playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise SystemExit("playwright is not installed: pip install playwright") from None
    found = next((path for path in BROWSERS if Path(path).exists()), None)
    if found is None:
        raise SystemExit(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield chromium
        chromium.close()


@dataclass
class Opened:
    """A page with JupyterLab restored."""

    page: Any
    seconds: float
    """From the request for the page to the restored application."""
    extension_files: dict[str, int]
    """What was fetched of the extension so far: file to its size under gzip."""


@contextmanager
def opened(chromium: Any, url: str, *, width: int = 1280) -> Iterator[Opened]:
    """Open JupyterLab in a browser that has never seen it."""
    context = chromium.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    files: dict[str, int] = {}

    def keep(response: Any) -> None:
        if f"/extensions/{EXTENSION}/" in response.url and response.ok:
            name = response.url.rpartition("/")[2].partition("?")[0]
            files[name] = len(gzip.compress(response.body(), 9))

    page.on("response", keep)
    began = time.monotonic()
    page.goto(f"{url}/lab", wait_until="commit")
    page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored")
    seconds = time.monotonic() - began
    page.wait_for_load_state("networkidle")
    try:
        yield Opened(page, seconds, files)
    finally:
        context.close()
