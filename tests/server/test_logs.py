from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from server.logs import HIDDEN, keep_session_ids_out, without_session_ids


@pytest.fixture(autouse=True)
def the_old_records_afterwards() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    keep_session_ids_out()
    yield
    logging.setLogRecordFactory(before)


def test_no_session_id_is_logged_whoever_logs_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("marimo").warning("Valid sessions ids: %s", ["s_ab12cd", "s_zzzzzz"])
    logging.getLogger("uvicorn.error").error('"WebSocket /a/ws?session_id=s_ab12cd" 403')
    assert "s_ab12cd" not in caplog.text
    assert "s_zzzzzz" not in caplog.text
    assert caplog.text.count(HIDDEN) == 3


def test_no_session_id_is_in_a_logged_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("s_ab12cd")
    except KeyError:
        logging.getLogger("marimo").exception("It went wrong")
    assert "KeyError" in caplog.text
    assert "s_ab12cd" not in caplog.text


@pytest.mark.parametrize("text", ["", "names_abcdef", "s_abc", "as_ab12cd", "s_ab12cdef"])
def test_other_words_stay(text: str) -> None:
    assert without_session_ids(text) == text
