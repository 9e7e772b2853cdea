"""The JupyterLab that the browser tests open; for tests only, as it lets everybody in."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from jupyterlab.galata import configure_jupyter_server
from sklearn.datasets import load_breast_cancer

from bottega.config import Config
from bottega.daemon import lifecycle

c = get_config()  # noqa: F821 - Jupyter gives it to the files it reads
configure_jupyter_server(c)
c.ServerApp.allow_root = True

tumours = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "benign"})
tumours.iloc[:400].to_csv(Path(c.ServerApp.root_dir) / "tumours.csv", index=False)
tumours.iloc[400:].to_csv(Path(c.ServerApp.root_dir) / "tumours-validation.csv", index=False)

# A short path: Unix sockets have little room for theirs.
home = Path(os.environ.get("BOTTEGA_UI_HOME") or tempfile.mkdtemp(prefix="bottega-ui-"))
c.BottegaApp.home = str(home)


def end_studio() -> None:
    """The daemon outlives the server that started it; the tests' own shall not."""
    lifecycle.stop(Config.load(home))
    shutil.rmtree(home, ignore_errors=True)


atexit.register(end_studio)
