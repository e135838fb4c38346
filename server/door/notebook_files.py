"""Files that a notebook makes and offers for download, as marimo names them (marimo 0.25).

marimo keeps them in one place for everybody and hands one to whoever knows its name; as long as no notebook has run,
it even looks for the name among all shared memory of this machine. So only names in its own form are looked at, and
only those that were sent to the login that asks; `server.door.kernel_sessions` remembers which.
"""

from __future__ import annotations

import re

from marimo._runtime.virtual_file.storage import VirtualFileStorageManager

PATH = "/@file/"
_NAME = re.compile(r"@file/(\d{1,9}-\d{1,10}-[A-Za-z0-9]{8}\.[A-Za-z0-9]{1,10})(?![A-Za-z0-9.])")


def names_in(text: str) -> list[str]:
    """List the files that a message to a page offers.

    >>> names_in('<a href="./@file/41-123-abcdEFG8.csv">')
    ['41-123-abcdEFG8.csv']
    """
    return _NAME.findall(text) if PATH in text else []


def is_there(name: str) -> bool:
    """Tell whether marimo still has a file."""
    storage = VirtualFileStorageManager().storage
    return storage is not None and storage.has(name.partition("-")[2])
