"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# pytest takes plugins from here only; the tests of the Jupyter extension use its fixtures.
pytest_plugins = ("pytest_jupyter.jupyter_server",)

# How long an example takes says more about the machine than about the code.
settings.register_profile("bottega", deadline=None)
settings.load_profile("bottega")


def pytest_make_parametrize_id(config: object, val: object, argname: str) -> str | None:
    """Name a parameter of packed bytes after its argument: such bytes may hold the time they were
    made at, and each worker must collect the same names."""
    if isinstance(val, bytes) and not val.isascii():
        return argname
    return None


# The SageMaker SDKs have environments of their own: scripts/test --sdk v2
collect_ignore = ["sdk_v2", "sdk_v3"]
