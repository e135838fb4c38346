"""Databases for the tests: SQLite always, a PostgreSQL of their own where its programs are on the machine."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from server.app import notebook_file
from server.classroom import behind_the_door, unguarded
from server.configuration import checked
from server.database.connection import Database, DatabaseError
from server.database.migrations import migrate
from server.database.models import Base, Membership, Section
from server.door.access import Table
from server.door.services import Services
from server.people import classes, instructors

START_SECONDS = 20


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Start a PostgreSQL on a unix socket of its own, and stop it at the end."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and postgres are not on this machine")
    # It does not run as root, and the path of a socket is short: so not in pytest's own directory.
    owner = _somebody_but_root()
    if os.getuid() == 0 and owner is None:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    directory = Path(tempfile.mkdtemp(prefix="ml-pg-"))
    if owner is not None:
        shutil.chown(directory, owner)
    initdb = [programs / "initdb", "-D", directory / "data", "-A", "trust", "-U", "lab", "-E", "UTF8", "--no-sync"]
    subprocess.run([*initdb, "--locale=C"], check=True, user=owner, cwd=directory, stdout=subprocess.DEVNULL)
    serve = [programs / "postgres", "-D", directory / "data", "-k", directory, "-h", "", "-F"]
    log = (directory / "log").open("w")
    process = subprocess.Popen(serve, user=owner, cwd=directory, stdout=log, stderr=log)
    url = f"postgresql+psycopg://lab@/postgres?host={directory}"
    try:
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()
        shutil.rmtree(directory)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'lab.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give a database with no tables in it, once of each kind."""
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    if request.param == "postgresql":
        with database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield database
    database.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an SQLite file of the newest version, to be copied: that is sooner than migrating for each test."""
    file = tmp_path_factory.mktemp("migrated") / "lab.sqlite"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> Iterator[Database]:
    """Give a PostgreSQL of the newest version beside the one that tests of migrations empty."""
    database = Database(postgresql_url)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE lab"))
    database.close()
    database = Database(postgresql_url.replace("/postgres?", "/lab?"))
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def sqlite(sqlite_url: str, migrated_file: Path) -> Iterator[Database]:
    """Give an SQLite database of the newest version."""
    shutil.copy(migrated_file, sqlite_url.removeprefix("sqlite:///"))
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def postgresql(migrated_postgresql: Database) -> Iterator[Database]:
    """Give a PostgreSQL database of the newest version."""
    yield migrated_postgresql
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with migrated_postgresql.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """Give a database of the newest version, once of each kind."""
    found: Database = request.getfixturevalue(request.param)
    return found


class Room:
    """A classroom with one notebook, and browsers of those who come to it.

    Two instructors, Ada and Bob, have a class each, of the sections Red and Blue. Class 1 is Ada's.
    """

    ORIGIN = "https://lab.example.org"
    NOTEBOOK = "/continual/stability-gap"
    SECRET = "s" * 40
    PASSWORD = "correct horse battery staple"

    def __init__(self, database: Database, pages: Starlette) -> None:
        configuration = checked(
            {
                "secret": self.SECRET,
                "public_url": self.ORIGIN,
                "database_url": "sqlite:////not/opened/here",
                "trusted_proxies": "10.0.0.1",
            }
        )
        self.database = database
        self.services = Services(configuration, database, Table([self.NOTEBOOK]))
        self.app = behind_the_door(pages, self.services)
        with database.writing() as session:
            for name in ("Ada", "Bob"):
                instructors.save(session, name, self.PASSWORD)
        self.ada, self.bob = self.instructor("Ada"), self.instructor("Bob")
        for browser, name in ((self.ada, "Memory"), (self.bob, "Vision")):
            self.post(browser, "/classes", name=name, sections="Red\nBlue")

    def browser(self, address: str = "192.0.2.1") -> Any:
        """Open a browser that nobody is logged in with; it says where its requests come from, as browsers do."""
        headers = {"origin": self.ORIGIN}
        return TestClient(
            self.app, base_url=self.ORIGIN, client=(address, 5000), headers=headers, follow_redirects=False
        )

    def form(self, browser: TestClient, page: str = "/join") -> str:
        """Return the token of the forms of a page."""
        return re.findall(r'name="form" value="(\w+)"', browser.get(page).text)[-1]

    def post(self, browser: TestClient, path: str, page: str = "/join", **fields: str) -> Any:
        """Send a form as its page would."""
        return browser.post(path, data={"form": self.form(browser, page), **fields})

    def instructor(self, name: str) -> TestClient:
        """Log an instructor in."""
        browser = self.browser()
        assert self.post(browser, "/login", name=name, password=self.PASSWORD).status_code == 303
        return browser

    def code(self, class_id: int = 1, section: str = "Red") -> str:
        """Return the code on the board of a section."""
        with self.database.reading() as session:
            found = select(Section).where(Section.class_id == class_id, Section.name == section)
            return classes.join_code(session, session.scalars(found).one())

    def learner(self, name: str, class_id: int = 1, section: str = "Red", address: str = "192.0.2.1") -> TestClient:
        """Let a learner join."""
        browser = self.browser(address)
        answer = self.post(browser, "/join", code=self.code(class_id, section), name=name)
        assert (answer.status_code, answer.headers["location"]) == (303, "/me")
        return browser

    def assistant(self, name: str, section: str = "Red", class_id: int = 1) -> TestClient:
        """Add an assistant and let them come in with their personal code."""
        browser, owner = self.browser(), self.ada if class_id == 1 else self.bob
        with self.database.reading() as session:
            number = session.scalars(
                select(Section.id).where(Section.class_id == class_id, Section.name == section)
            ).one()
        shown = self.post(owner, f"/classes/{class_id}/assistants", name=name, section=str(number)).text
        code = re.findall(r'class="code big">([\w-]+)<', shown)[0]
        assert self.post(browser, "/return", code=code).headers["location"] == "/classes"
        return browser

    def number(self, name: str) -> int:
        """Return the number of a member."""
        with self.database.reading() as session:
            return session.scalars(select(Membership.id).where(Membership.display_name == name)).one()


@pytest.fixture(scope="session")
def pages() -> Starlette:
    """Give the pages of a classroom with one notebook; what they know of a classroom comes with each request."""
    return unguarded([(Room.NOTEBOOK, notebook_file("continual", "stability-gap"))])


@pytest.fixture
def room(sqlite: Database, pages: Starlette) -> Room:
    return Room(sqlite, pages)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords with the least work argon2 can do; one test looks at the real parameters."""
    real = instructors._hasher
    instructors._hasher = instructors.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    instructors._nobodys_hash.cache_clear()
    yield
    instructors._hasher = real
    instructors._nobodys_hash.cache_clear()


def _programs() -> Path | None:
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in candidates if (place / "initdb").exists() and (place / "postgres").exists()), None)


def _somebody_but_root() -> str | None:
    if os.getuid() != 0:
        return None
    return next((name for name in ("postgres",) if name in {entry.pw_name for entry in pwd.getpwall()}), None)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        database = Database(url)
        try:
            database.check()
            return
        except DatabaseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        finally:
            database.close()
