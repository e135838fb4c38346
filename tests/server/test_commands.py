"""The command line of a classroom: init, instructor, migrate, and serve, which starts only what is complete."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from benchmarks.real_browser import ROOT, free_port
from server import __main__ as command
from server.configuration import load
from server.database.connection import Database
from server.people import instructors

PASSWORD = "correct horse battery staple"
START_SECONDS = 60


@pytest.fixture(autouse=True)
def a_clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("MEMORY_LAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str = PASSWORD) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    return command.main(arguments)


def _init(monkeypatch: pytest.MonkeyPatch, *more: str, password: str = PASSWORD) -> int:
    return _run(monkeypatch, "init", "--name", "Ada", "--password-stdin", *more, password=password)


def _database(file: Path) -> Database:
    return Database(load(file).database_url.get_secret_value())


def test_init_makes_what_serve_needs_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "class"
    assert _init(monkeypatch, "--directory", str(directory)) == 0
    file = directory / "memory-lab.toml"
    values = tomllib.loads(file.read_text())
    shown = capsys.readouterr()
    assert f"python -m server serve --config {file}" in shown.out
    for secret in (values["secret"], PASSWORD):
        assert secret not in shown.out + shown.err
    assert len(values["secret"]) >= 43
    assert {
        stat.S_IMODE(found.stat().st_mode) for found in directory.iterdir() if found.suffix in (".toml", ".sqlite")
    } == {0o600}
    database = _database(file)
    assert instructors.recognise(database, "Ada", PASSWORD) == 1
    database.close()


def test_init_twice_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _init(monkeypatch)
    before = (tmp_path / "memory-lab.toml").read_text()
    assert _init(monkeypatch, password="another good password") == 2
    assert "is there already; nothing was changed" in capsys.readouterr().err
    assert (tmp_path / "memory-lab.toml").read_text() == before


def test_two_secrets_are_never_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("a", "b"):
        _init(monkeypatch, "--directory", name)
    assert load(tmp_path / "a/memory-lab.toml").secret != load(tmp_path / "b/memory-lab.toml").secret


@pytest.mark.parametrize(
    ("more", "password", "words"),
    [
        ((), "short", "A password has 12 to 200 characters."),
        (("--public-url", "http://lab.example.org"), PASSWORD, "must start with https://"),
        (("--database-url", "mysql://u:hunter2@h/d"), PASSWORD, "must look like sqlite:///"),
        (("--directory", "/proc/nowhere"), PASSWORD, "cannot be made"),
    ],
)
def test_what_init_cannot_use_is_one_sentence_and_leaves_no_configuration(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    password: str,
    words: str,
) -> None:
    assert _init(monkeypatch, *more, password=password) == 2
    error = capsys.readouterr().err
    assert (words in error, error.count("\n"), "hunter2" in error) == (True, 1, False)
    assert not (tmp_path / "memory-lab.toml").exists()
    assert _init(monkeypatch) == 0  # and can be tried again


def test_without_a_terminal_init_does_not_wait_for_a_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "init", "--name", "Ada") == 2
    assert "use --name and --password-stdin" in capsys.readouterr().err


def test_init_behind_a_proxy_on_this_machine_is_ready_to_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _init(monkeypatch, "--public-url", "https://lab.example.org") == 0
    loaded = load(tmp_path / "memory-lab.toml")
    assert loaded.secure
    assert [str(network) for network in loaded.trusted_proxies] == ["127.0.0.1/32"]


def test_serve_starts_with_nothing_missing_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "memory-lab.toml"

    def refusal() -> str:
        assert command.main(["serve"]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    assert "Set MEMORY_LAB_SECRET or secret in memory-lab.toml" in refusal()
    _init(monkeypatch)
    database = _database(file)
    with database.writing() as session:
        session.execute(text("DELETE FROM instructors"))
    assert "no instructor yet" in refusal()
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    database.close()
    assert "run `python -m server migrate`" in refusal()
    file.chmod(0o644)
    assert "chmod 600" in refusal()
    monkeypatch.setenv("MEMORY_LAB_PUBLIC_URL", "https://lab.example.org")
    file.chmod(0o600)
    assert "TRUSTED_PROXIES" in refusal()


def test_instructors_are_added_and_get_new_passwords(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _init(monkeypatch)
    assert _run(monkeypatch, "instructor", "--name", "Bob", "--password-stdin") == 0
    assert _run(monkeypatch, "instructor", "--name", "ada", "--password-stdin", password="another good password") == 0
    assert "Bob can log in." in capsys.readouterr().out
    database = _database(tmp_path / "memory-lab.toml")
    assert instructors.recognise(database, "Bob", PASSWORD) == 2
    assert instructors.recognise(database, "Ada", PASSWORD) is None
    assert instructors.recognise(database, "Ada", "another good password") == 1
    database.close()


def test_migrate_brings_an_empty_database_to_this_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _init(monkeypatch)
    monkeypatch.setenv("MEMORY_LAB_DATABASE_URL", f"sqlite:///{tmp_path}/other.sqlite")
    assert command.main(["migrate"]) == 0
    assert "The database is at this version." in capsys.readouterr().out
    assert command.main(["serve"]) == 2
    assert "no instructor yet" in capsys.readouterr().err


@pytest.mark.slow
def test_serve_answers_keeps_secrets_to_itself_and_stops_when_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    assert _init(monkeypatch, "--public-url", address) == 0
    secret = load(tmp_path / "memory-lab.toml").secret.get_secret_value()
    serve = [sys.executable, "-m", "server", "serve", "--config", str(tmp_path / "memory-lab.toml")]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(serve, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        answer = None
        while answer is None and time.monotonic() < deadline and process.poll() is None:
            try:
                answer = httpx.get(f"{address}/?session_id=s_abcdef")
            except httpx.TransportError:
                time.sleep(0.1)
        assert answer is not None, (tmp_path / "log").read_text()
        assert (answer.status_code, "server" in answer.headers) == (303, False)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
    written = (tmp_path / "log").read_text()
    assert address in written
    assert "this machine only; cookies are less protected" in written
    for word in (secret, PASSWORD, "s_abcdef", "Traceback"):
        assert word not in written
