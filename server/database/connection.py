"""A database that is open: transactions for reading and for writing.

Synchronous, in threads. SQLite has no other way to work than in a thread, and plain sessions are simpler to write,
to test and to call from worker threads; what a request does here takes about a millisecond.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

BUSY_SECONDS = 10
"""How long a writer waits for another before it gives up."""


class DatabaseError(RuntimeError):
    """The database cannot be opened or is not ready; the message is one sentence and holds no password."""


class Database:
    """One database and its connections.

    Args:
        url: `sqlite:///FILE` or `postgresql+psycopg://...`.
    """

    def __init__(self, url: str) -> None:
        self.engine = _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _postgresql(url)
        self._readers = sessionmaker(self.engine, expire_on_commit=False)
        self._writers = sessionmaker(self.engine.execution_options(writes=True), expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose changes are thrown away."""
        with self._readers() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that commits at the end of the block, or undoes everything if the block raises."""
        with self._writers.begin() as session:
            yield session

    def check(self) -> None:
        """Raise `DatabaseError` if the database does not answer."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise DatabaseError(f"The database does not answer: {_reason(error)}.") from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _sqlite(url: str) -> Engine:
    file = Path(make_url(url).database or "")
    if not file.parent.is_dir():
        raise DatabaseError(f"There is no directory {file.parent} for the database.")
    try:
        # Made here, so that it is nobody else's to read from its first moment on.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseError(f"The database {file} cannot be opened: {error.strerror}.") from None
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # Python's driver opens transactions too late; `_begin_sqlite` opens them
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that starts by reading and then writes can be refused at once, however long it would wait.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: str) -> Engine:
    return create_engine(url, pool_pre_ping=True, pool_size=10, connect_args={"connect_timeout": BUSY_SECONDS})


def _reason(error: SQLAlchemyError) -> str:
    cause = str(getattr(error, "orig", None) or error)
    return cause.strip().splitlines()[0].rstrip(".") if cause.strip() else type(error).__name__
