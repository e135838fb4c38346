"""A working configuration from nothing: `python -m server init`."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from server.configuration import FILE_NAME, Configuration, ConfigurationError, checked
from server.database.connection import Database
from server.database.migrations import migrate
from server.people import instructors

DATABASE_NAME = "memory-lab.sqlite"
RESULTS_NAME = "memory-lab-results"
SECRET_BYTES = 32


def initialise(directory: Path, public_url: str, database_url: str | None, name: str, password: str) -> Path:
    """Make the database with a first instructor, and the file that `serve` reads; return the file.

    The file is written last and only if it is not there, so whatever goes wrong can be tried again.

    Args:
        directory: where the file goes, and the database unless another is named.
        public_url: where learners will reach the server.
        database_url: None for an SQLite file in the directory.
        name, password: the first instructor's.

    Raises:
        ConfigurationError: something named here cannot be used, or a configuration is there already.
        DatabaseError: the database cannot be opened.
        RefusedError: the instructor's name or password cannot be used.
    """
    file = directory / FILE_NAME
    if file.exists():
        raise ConfigurationError(f"{file} is there already; nothing was changed.")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The directory {directory} cannot be made: {error.strerror}.") from None
    url = database_url or f"sqlite:///{directory.resolve() / DATABASE_NAME}"
    configuration = checked(_values(public_url, url) | {"results_directory": directory.resolve() / RESULTS_NAME})
    database = Database(configuration.database_url.get_secret_value())
    try:
        migrate(database)
        with database.writing() as session:
            instructors.save(session, name, password)
    finally:
        database.close()
    _write(file, configuration)
    return file


def _values(public_url: str, database_url: str) -> dict[str, object]:
    values: dict[str, object] = {
        "secret": secrets.token_urlsafe(SECRET_BYTES),
        "public_url": public_url,
        "database_url": database_url,
    }
    parts = urlsplit(public_url)
    if parts.scheme == "https":
        values["trusted_proxies"] = "127.0.0.1"
    elif parts.netloc.rpartition(":")[2].isdigit():
        values["listen_port"] = int(parts.netloc.rpartition(":")[2])
    return values


def _write(file: Path, configuration: Configuration) -> None:
    # A string of JSON is one of TOML too, whatever stands in it.
    proxies = json.dumps([str(network) for network in configuration.trusted_proxies])
    text = f"""\
# Memory Lab, the classroom. Keep this file to yourself: the secret protects form tokens and personal codes.
# With another secret, learners need new personal codes.
secret = {json.dumps(configuration.secret.get_secret_value())}
# Where learners reach the server.
public_url = {json.dumps(configuration.public_url)}
database_url = {json.dumps(configuration.database_url.get_secret_value())}
# Proxies whose word about a client's address is believed.
trusted_proxies = {proxies}
# Where results of runs are kept, to be shown again at once; the folder may be emptied at any time.
results_directory = {json.dumps(str(configuration.results_directory))}
# Where the server itself listens.
listen_host = "{configuration.listen_host}"
listen_port = {configuration.listen_port}
"""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from None
