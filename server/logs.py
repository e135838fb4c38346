"""What must never reach a log: the ids of marimo's sessions, which are as good as a key while a page is open."""

from __future__ import annotations

import logging
import re
from typing import Any

_SESSION_ID = re.compile(r"\bs_[a-z0-9]{6}\b")
HIDDEN = "s_******"


class _Record(logging.LogRecord):
    """A record whose text, and the text of whose exception, name no session."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.exc_info and self.exc_info[0] is not None:
            # A formatter takes this text if it is there, and does not make its own.
            self.exc_text = without_session_ids(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:  # noqa: N802 - logging's name
        return without_session_ids(super().getMessage())


def without_session_ids(text: str) -> str:
    """Return a text with every session id struck out.

    >>> without_session_ids("Valid sessions ids: ['s_ab12cd']")
    "Valid sessions ids: ['s_******']"
    """
    return _SESSION_ID.sub(HIDDEN, text)


def keep_session_ids_out() -> None:
    """Let no log of this process name a session, whoever writes it: marimo's warnings list all of them."""
    logging.setLogRecordFactory(_Record)
