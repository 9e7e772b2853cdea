"""The standard library's ``tarfile``, with the filters that make extraction safe.

They came with Python 3.11.4; before that they are the backport's, a copy of the same module.
"""

from __future__ import annotations

import sys

if sys.version_info >= (3, 11, 4):
    import tarfile
else:
    from backports import tarfile  # type: ignore[no-redef]

__all__ = ["tarfile"]
