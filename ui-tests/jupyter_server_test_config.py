"""The JupyterLab that the browser tests open; for tests only, as it lets everybody in."""

import tempfile

from jupyterlab.galata import configure_jupyter_server

c = get_config()  # noqa: F821 - Jupyter gives it to the files it reads
configure_jupyter_server(c)
c.ServerApp.allow_root = True
c.BottegaApp.home = tempfile.mkdtemp(prefix="bottega-ui-")
