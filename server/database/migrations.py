"""Bringing a database to the version this program works with."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.database.connection import Database, DatabaseError

SCRIPTS = Path(__file__).parent.parent / "migrations"


def migrate(database: Database) -> None:
    """Bring the database to the newest version; all of a step is done, or nothing of it."""
    database.check()
    with database.engine.execution_options(writes=True).begin() as connection:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def require_newest(database: Database) -> None:
    """Raise `DatabaseError` unless the database is at the version this program works with."""
    database.check()
    with database.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != ScriptDirectory.from_config(_configuration()).get_current_head():
        raise DatabaseError("The database is of another version; run `python -m server migrate`.")


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(SCRIPTS))
    configuration.set_main_option("path_separator", "os")
    return configuration
