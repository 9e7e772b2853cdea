"""Stopping model servers and removing their folders and sockets, however often it is asked for."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from bottega.compute.leftovers import remove_tree
from bottega.compute.runner import Phase
from bottega.features.hosting.instances import run_folders
from bottega.features.hosting.places import endpoints_folder, socket_folder_of
from bottega.model_servers.usage import usage_group
from bottega.model_servers.workload import STOP_GRACE_SECONDS
from bottega.ports import Ports
from bottega.serving.sockets import instance_folders

_STOP_POLL_SECONDS = 0.02


class Remover:
    """Takes deployments down. It remembers only whom it has asked to stop."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._asked: set[Path] = set()

    def remove_deployment(self, folder: Path) -> bool:
        """Stop what runs in a deployment's folder; once nothing does, remove it.

        Returns:
            Whether it is gone.
        """
        running = [run for run in _runs(folder) if self._stop(run)]
        if running:
            return False
        for instance in _instances(folder):
            shutil.rmtree(socket_folder_of(self._ports.config, instance), ignore_errors=True)
        self._asked -= set(_runs(folder))
        _remove_tree(folder)
        return True

    def remove_instance(self, folder: Path) -> bool:
        """Stop the server of an instance that has this folder; once it has ended, remove both.

        Returns:
            Whether it is gone.
        """
        runs = run_folders(folder)
        if [run for run in runs if self._stop(run)]:
            return False
        shutil.rmtree(socket_folder_of(self._ports.config, folder), ignore_errors=True)
        self._asked -= set(runs)
        _remove_tree(folder)
        return True

    def remove_endpoint(self, name: str) -> bool:
        """Stop and remove every deployment of an endpoint, and its folder.

        Returns:
            Whether all of it is gone.
        """
        root = endpoints_folder(self._ports.config) / name
        if not root.is_dir():
            return True
        gone = [self.remove_deployment(folder) for folder in root.iterdir()]
        if not all(gone):
            return False
        self._ports.logs.delete(usage_group(name), prefix="")
        root.rmdir()
        return True

    def stop_all(self, timeout: float) -> bool:
        """Stop every model server and wait for it; folders stay.

        Returns:
            Whether none runs any more.
        """
        root = endpoints_folder(self._ports.config)
        folders = list(root.glob("*/*")) if root.is_dir() else []
        deadline = time.monotonic() + timeout
        while True:
            running = [run for folder in folders for run in _runs(folder) if self._stop(run)]
            if not running or time.monotonic() > deadline:
                return not running
            time.sleep(_STOP_POLL_SECONDS)

    def remove_stray_sockets(self) -> None:
        """Remove the socket folders of instances that have no folder any more."""
        root = endpoints_folder(self._ports.config)
        deployments = root.glob("*/*") if root.is_dir() else ()
        kept = {
            socket_folder_of(self._ports.config, instance)
            for folder in deployments
            for instance in _instances(folder)
        }
        for folder in instance_folders(self._ports.config.home):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _stop(self, run: Path) -> bool:
        """Ask a run to stop, once; returns whether it is still running."""
        if self._ports.runner.state(run).phase is not Phase.RUNNING:
            return False
        if run not in self._asked:
            self._asked.add(run)
            self._ports.runner.stop(run, grace_seconds=STOP_GRACE_SECONDS)
        return True


def _instances(deployment: Path) -> Iterator[Path]:
    if deployment.is_dir():
        yield from (path for path in deployment.iterdir() if not path.name.startswith("."))


def _runs(deployment: Path) -> list[Path]:
    return [run for instance in _instances(deployment) for run in run_folders(instance)]


def _remove_tree(folder: Path) -> None:
    """Remove a folder, under another name first: half of it is never taken for all of it."""
    doomed = folder.with_name(f".removed-{folder.name.lstrip('.')}")
    if folder != doomed and folder.exists():
        folder.rename(doomed)
    remove_tree(doomed)
