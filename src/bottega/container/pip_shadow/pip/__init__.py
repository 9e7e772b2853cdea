"""Stands before the installed pip, whose modules are found here all the same."""

from importlib.metadata import version
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
__version__ = version("pip")
