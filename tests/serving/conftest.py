"""Model servers in processes of their own, as the runner starts them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from bottega.testing.model_servers import ServerProcess

FEATURES = 6


@pytest.fixture
def servers() -> Iterator[Callable[..., ServerProcess]]:
    """Starts model servers, and ends those that are left."""
    started: list[ServerProcess] = []
    with tempfile.TemporaryDirectory(prefix="b-") as short:  # sockets need short paths

        def start(image: str, ml_root: Path, **environment: str) -> ServerProcess:
            folder = Path(short) / str(len(started))
            folder.mkdir()
            started.append(ServerProcess(folder, image, ml_root, **environment))
            return started[-1]

        yield start
        for server in started:
            server.close()


@pytest.fixture(scope="session")
def xgboost_root(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, np.ndarray]:
    """An ML root with a small xgboost model, the model, and rows to predict."""
    root = tmp_path_factory.mktemp("ml")
    (root / "model").mkdir()
    rows = np.random.default_rng(7).normal(size=(200, FEATURES)).astype(np.float32)
    target = rows[:, 0] * 3 - rows[:, 1] ** 2
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, xgboost.DMatrix(rows, target), 10)
    booster.save_model(root / "model" / "xgboost-model.ubj")
    (root / "model" / "xgboost-model.ubj").rename(root / "model" / "xgboost-model")
    return root, booster, rows


@pytest.fixture
def script_root(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an ML root whose model is served by a script of the user."""

    def make(script: str) -> Path:
        code = tmp_path / "model" / "code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(script)
        return tmp_path

    return make
