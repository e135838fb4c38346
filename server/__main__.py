"""The command line of the server: python -m server solo | init | serve | instructor | migrate."""

from __future__ import annotations

import argparse
import getpass
import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import uvicorn

from mem_core.__main__ import OneSentenceParser, whole
from mem_core.engine import Engine, EngineError, select
from server import configuration as configured
from server.configuration import Configuration, ConfigurationError
from server.database.connection import Database, DatabaseError
from server.database.migrations import migrate, require_newest
from server.first_start import initialise
from server.people import instructors
from server.people.refusals import RefusedError

HOST = "127.0.0.1"
PORT = 2718
LARGEST_MESSAGE = 1024 * 1024
"""Bytes of one websocket message from a page; pages send next to nothing that way."""
STOP_SECONDS = 10
"""How long open requests may take to end when the server is stopped."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 if it cannot be done as asked."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except (ConfigurationError, DatabaseError, RefusedError, EngineError) as error:
        print(f"server: {error}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = OneSentenceParser(prog="server", description="Memory Lab: on this machine, or for a class.")
    commands = parser.add_subparsers(
        required=True, metavar="solo | init | serve | instructor | migrate", parser_class=OneSentenceParser
    )
    with_file = OneSentenceParser(add_help=False)
    with_file.add_argument("--config", type=Path, metavar="FILE", help=f"{configured.FILE_NAME} here if left out")
    with_person = OneSentenceParser(add_help=False)
    with_person.add_argument("--name", help="the instructor's name; asked for if left out")
    with_person.add_argument("--password-stdin", action="store_true", help="read the password from a line of input")

    command = commands.add_parser("solo", help="for one person: no login, reachable from this machine only")
    command.add_argument("--port", type=whole(1, 65535), default=PORT)
    command.set_defaults(command=_solo)

    command = commands.add_parser("init", parents=[with_person], help="make a configuration, a database, an instructor")
    command.add_argument("--directory", type=Path, default=Path(), metavar="D", help="where they go; here if left out")
    command.add_argument("--public-url", default=f"http://{HOST}:{PORT}", metavar="URL", help="where learners come to")
    command.add_argument("--database-url", metavar="URL", help="a file in the directory if left out")
    command.set_defaults(command=_init)

    command = commands.add_parser("serve", parents=[with_file], help="for a class")
    command.set_defaults(command=_serve)

    command = commands.add_parser(
        "instructor", parents=[with_file, with_person], help="add an instructor, or give one a new password"
    )
    command.set_defaults(command=_instructor)

    command = commands.add_parser("migrate", parents=[with_file], help="bring the database to this version")
    command.set_defaults(command=_migrate)
    return parser


def _solo(options: argparse.Namespace) -> int:
    engine = select()
    _require_free(HOST, options.port, "choose another with --port")
    from server.app import solo

    _announce(f"http://{HOST}:{options.port}", engine)
    uvicorn.run(solo(), host=HOST, port=options.port, log_level="warning")
    return 0


def _init(options: argparse.Namespace) -> int:
    name, password = _person(options)
    file = initialise(options.directory, options.public_url, options.database_url, name, password)
    print(f"Wrote {file}. Start the class with: python -m server serve --config {file}")
    return 0


def _serve(options: argparse.Namespace) -> int:
    configuration, database = _opened(options)
    with closing(database):
        require_newest(database)
        with database.reading() as session:
            if not instructors.count(session):
                raise ConfigurationError("There is no instructor yet; add one with `python -m server instructor`.")
        engine = select()
        host, port = str(configuration.listen_host), configuration.listen_port
        _require_free(host, port, "choose another listen_port")
        from server.classroom import classroom, runs_on_workers

        with runs_on_workers(configuration, STOP_SECONDS):
            _announce(configuration.public_url, engine)
            if not configuration.secure:
                print("Over plain http the class can be reached from this machine only; cookies are less protected.")
            uvicorn.run(
                classroom(configuration, database),
                host=host,
                port=port,
                log_level="warning",
                access_log=False,  # a query holds session ids and join codes
                proxy_headers=False,  # the door believes the configured proxies only
                server_header=False,
                ws_max_size=LARGEST_MESSAGE,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
    return 0


def _instructor(options: argparse.Namespace) -> int:
    _, database = _opened(options)
    with closing(database):
        require_newest(database)
        name, password = _person(options)
        with database.writing() as session:
            saved = instructors.save(session, name, password)
        print(f"{saved.name} can log in.")
    return 0


def _migrate(options: argparse.Namespace) -> int:
    _, database = _opened(options)
    with closing(database):
        migrate(database)
    print("The database is at this version.")
    return 0


def _opened(options: argparse.Namespace) -> tuple[Configuration, Database]:
    configuration = configured.load(options.config)
    return configuration, Database(configuration.database_url.get_secret_value())


def _person(options: argparse.Namespace) -> tuple[str, str]:
    if options.password_stdin:
        if options.name is None:
            raise ConfigurationError("--password-stdin needs --name.")
        return options.name, sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask at; use --name and --password-stdin.")
    name = options.name or input("The instructor's name: ")
    password = getpass.getpass(f"Password (at least {instructors.SHORTEST_PASSWORD} characters): ")
    if getpass.getpass("The same again: ") != password:
        raise ConfigurationError("The two passwords differ; nothing was changed.")
    return name, password


def _announce(address: str, engine: Engine) -> None:
    print(f"Memory Lab: {address}   ({engine.badge}; stop with Ctrl-C)", flush=True)


def _require_free(host: str, port: int, way_out: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise ConfigurationError(f"Port {port} is in use; {way_out}.") from None


if __name__ == "__main__":
    sys.exit(main())
