"""A folder for ``PYTHONPATH``: with it, ``python -m pip`` is ``bottega.container.pip_command``."""
