"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# pytest takes plugins from here only; the tests of the Jupyter extension use its fixtures.
pytest_plugins = ("pytest_jupyter.jupyter_server",)

# How long an example takes says more about the machine than about the code.
settings.register_profile("bottega", deadline=None)
settings.load_profile("bottega")

# The SageMaker SDKs have environments of their own: scripts/test --sdk v2
collect_ignore = ["sdk_v2", "sdk_v3"]
