"""The command line of the server: python -m server solo [--port N]."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence

import uvicorn

from mem_core.__main__ import OneSentenceParser, whole
from mem_core.engine import EngineError, select

HOST = "127.0.0.1"
PORT = 2718


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the server and return its exit code: 2 if it cannot start as asked."""
    parser = OneSentenceParser(prog="server", description="Memory Lab on this machine.")
    commands = parser.add_subparsers(required=True, metavar="solo", parser_class=OneSentenceParser)
    command = commands.add_parser("solo", help="for one person: no login, reachable from this machine only")
    command.add_argument("--port", type=whole(1, 65535), default=PORT)
    command.set_defaults(command=_solo)
    options = parser.parse_args(arguments)
    code: int = options.command(options)
    return code


def _solo(options: argparse.Namespace) -> int:
    try:
        engine = select()
    except EngineError as error:
        print(f"server: {error}", file=sys.stderr)
        return 2
    if _taken(options.port):
        print(f"server: Port {options.port} is in use; choose another with --port.", file=sys.stderr)
        return 2
    from server.app import solo

    print(f"Memory Lab: http://{HOST}:{options.port}   ({engine.badge}; stop with Ctrl-C)", flush=True)
    uvicorn.run(solo(), host=HOST, port=options.port, log_level="warning")
    return 0


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
