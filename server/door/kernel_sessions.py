"""Whose marimo session is whose.

A page chooses the id of its session by itself, and marimo gives the session to whoever knows the id. So an id belongs
to the login that connects with it first, and to nobody else for as long as marimo could still know it.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

MARIMO_KEEPS_SECONDS = 120
"""How long marimo keeps a session whose page is gone; given to marimo, too."""
REMEMBERED_SECONDS = 15 * 60
"""How long an id stays bound after its page is gone: safely longer than marimo keeps its session."""
MOST_PER_LOGIN = 40
"""Sessions of one login that marimo may hold at once; each has a kernel, and a reload makes a new one."""

MOST_FILES = 200
"""Files of one session that can be downloaded: a page shows some, and each run replaces them."""

_ID = re.compile(r"s_[a-z0-9]{6}")
HEADER = "marimo-session-id"
# Other ways to name a session or a file, which a page of a class never uses.
_FOREIGN_HEADERS = ("marimo-stable-session-id",)
_FOREIGN_QUERIES = ("kiosk", "access_token", "file")


@dataclass
class _Bound:
    login_id: int
    open: int = 0
    left_at: float = 0.0
    files: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_FILES))


class KernelSessions:
    """The ids that are bound, in this process: marimo's sessions end with it too.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bound: dict[str, _Bound] = {}

    def enter(self, session_id: str, login_id: int) -> bool:
        """Connect a page, binding its id at first sight; False if it is another's or the login has too many."""
        self._forget_old()
        bound = self._bound.get(session_id)
        if bound is None:
            if self._held_by(login_id) >= MOST_PER_LOGIN:
                return False
            bound = self._bound[session_id] = _Bound(login_id)
        if bound.login_id != login_id:
            return False
        bound.open += 1
        return True

    def leave(self, session_id: str) -> None:
        """Disconnect a page."""
        bound = self._bound[session_id]
        bound.open -= 1
        bound.left_at = self._clock()

    def belongs(self, session_id: str, login_id: int) -> bool:
        """Tell whether an id is bound to a login."""
        bound = self._bound.get(session_id)
        return bound is not None and bound.login_id == login_id

    def offer(self, session_id: str, files: Iterable[str]) -> None:
        """Remember files that a notebook offers to the page of a session."""
        self._bound[session_id].files.extend(files)

    def offered(self, file: str, login_id: int) -> bool:
        """Tell whether a notebook has offered a file to a page of a login."""
        return any(file in bound.files for bound in self._bound.values() if bound.login_id == login_id)

    def _held_by(self, login_id: int) -> int:
        alive_since = self._clock() - MARIMO_KEEPS_SECONDS
        mine = (bound for bound in self._bound.values() if bound.login_id == login_id)
        return sum(1 for bound in mine if bound.open or bound.left_at > alive_since)

    def _forget_old(self) -> None:
        gone_before = self._clock() - REMEMBERED_SECONDS
        for session_id in [key for key, bound in self._bound.items() if not bound.open and bound.left_at < gone_before]:
            del self._bound[session_id]


def session_id_of(connection: HTTPConnection) -> str | None:
    """Return the one session id a request names in marimo's form; None if it names none, several, or in other ways."""
    if any(name in connection.headers for name in _FOREIGN_HEADERS):
        return None
    if any(name in connection.query_params for name in _FOREIGN_QUERIES):
        return None
    named = connection.query_params.getlist("session_id") + connection.headers.getlist(HEADER)
    return named[0] if len(named) == 1 and _ID.fullmatch(named[0]) else None
