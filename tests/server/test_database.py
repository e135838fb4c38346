from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, StatementError

from server.database.connection import Database, DatabaseError
from server.database.migrations import _configuration, migrate, require_newest
from server.database.models import Base, Instructor, Login, Membership, SchoolClass, Section


def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrating_twice_changes_nothing(empty_database: Database) -> None:
    migrate(empty_database)
    migrate(empty_database)
    require_newest(empty_database)


def test_a_migration_can_be_undone(empty_database: Database) -> None:
    database = empty_database
    migrate(database)
    with database.engine.execution_options(writes=True).begin() as connection:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "base")
    assert inspect(database.engine).get_table_names() == ["alembic_version"]


def test_a_database_of_another_version_is_refused(empty_database: Database) -> None:
    with pytest.raises(DatabaseError, match="run `python -m server migrate`"):
        require_newest(empty_database)


def test_what_raises_is_undone(database: Database) -> None:
    def fail_half_way() -> None:
        with database.writing() as session:
            session.add(SchoolClass(name="Memory"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with database.reading() as session:
        assert session.query(SchoolClass).count() == 0


def test_a_reading_session_keeps_nothing(database: Database) -> None:
    with database.reading() as session:
        session.add(SchoolClass(name="Memory"))
        session.flush()
    with database.reading() as session:
        assert session.query(SchoolClass).count() == 0


def test_times_come_back_in_utc_and_need_a_zone(database: Database) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 15, 250, tzinfo=UTC)
    elsewhere = moment.astimezone(tz=datetime.now().astimezone().tzinfo) + timedelta()
    with database.writing() as session:
        session.add(SchoolClass(name="Memory", created_at=elsewhere))
    with database.reading() as session:
        found = session.query(SchoolClass).one().created_at
    assert found == moment
    assert found.tzinfo is UTC
    with pytest.raises(StatementError, match="needs a zone"), database.writing() as session:
        session.add(SchoolClass(name="Memory", created_at=datetime(2026, 3, 1)))


def test_a_row_cannot_point_to_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(Section(class_id=77, name="A"))


@pytest.mark.parametrize("role", ["instructor", "owner"])
def test_a_place_in_a_class_fits_its_role(database: Database, role: str) -> None:
    with database.writing() as session:
        session.add(SchoolClass(id=1, name="Memory", sections=[Section(name="A")]))
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(Membership(class_id=1, section_id=1, role=role, display_name="Ada"))


def test_a_login_is_one_persons(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(Login(token_hash="0" * 64, expires_at=datetime.now(UTC)))


def test_the_number_of_an_erased_learner_is_not_given_again(database: Database) -> None:
    def add() -> int:
        with database.writing() as session:
            member = Membership(class_id=class_id, section_id=section_id, role="learner", display_name="Ada")
            session.add(member)
            session.flush()
            return member.id

    with database.writing() as session:
        section = Section(name="A")
        session.add(SchoolClass(name="Memory", sections=[section]))
        session.flush()
        class_id, section_id = section.class_id, section.id
    first = add()
    with database.writing() as session:
        session.delete(session.get_one(Membership, first))
    assert add() > first


def test_many_writers_at_once_lose_nothing(database: Database) -> None:
    with database.writing() as session:
        session.add(SchoolClass(id=1, name="0"))

    def count_up() -> None:
        for _ in range(10):
            with database.writing() as session:
                school_class = session.get_one(SchoolClass, 1, with_for_update=True)
                school_class.name = str(int(school_class.name) + 1)

    threads = [threading.Thread(target=count_up) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.get_one(SchoolClass, 1).name == "60"


def test_sqlite_is_the_owners_alone_and_set_up_for_many_readers(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    migrate(database)
    assert stat.S_IMODE((tmp_path / "lab.sqlite").stat().st_mode) == 0o600
    with database.engine.connect() as connection:
        for pragma, value in (
            ("journal_mode", "wal"),
            ("foreign_keys", 1),
            ("busy_timeout", 10_000),
            ("synchronous", 2),
        ):
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value
    database.close()


def test_a_reader_goes_on_while_somebody_writes(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    with database.writing() as writer:
        writer.add(Instructor(name="Ada", name_key="ada", password_hash="x"))
        writer.flush()
        with database.reading() as reader:
            assert reader.query(Instructor).count() == 0
    database.close()


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all/lab.sqlite", "postgresql+psycopg://u:hunter2@/d?host=/nowhere"]
)
def test_a_database_that_cannot_be_opened_is_one_sentence(url: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        migrate(Database(url))
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
