"""A studio whose model packages are validated, and models to register there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bottega.testing.hosting import HostingStudio


@pytest.fixture(scope="package")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    """A working studio with a model's data at ``s3://<its bucket>/model.tar.gz``."""
    home = tmp_path_factory.mktemp("home") / "h"
    with HostingStudio.opened(home, preload=False) as opened:
        ports = opened.studio.ports
        ports.objects.put(ports.config.bucket, "model.tar.gz", b"model")
        opened.studio.start()
        yield opened
