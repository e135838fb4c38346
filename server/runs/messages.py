"""What the server and a worker say to each other, and the wire they say it on.

MessagePack behind a length, over a pair of sockets: typed, checked on reading, never pickled.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Literal

import msgspec

LENGTH = struct.Struct(">I")
LARGEST = 64 << 20
"""Bytes of the largest message: far beyond any frame, and short of what could hurt the server."""
CHUNK = 1 << 20


class Task(msgspec.Struct, tag=True, frozen=True):
    """To a worker: compute this run."""

    number: int
    slug: str
    settings: dict[str, str]
    seed: int
    engine: str
    precision: str


class Stop(msgspec.Struct, tag=True, frozen=True):
    """To a worker: nobody wants this run any more."""

    number: int


class Ready(msgspec.Struct, tag=True, frozen=True):
    """From a worker: everything is loaded."""


class Shown(msgspec.Struct, tag=True, frozen=True):
    """From a worker: a frame, as `write_frame` writes it."""

    frame: bytes


class Ended(msgspec.Struct, tag=True, frozen=True):
    """From a worker: the run is over, after its last frame or because it was told to stop."""

    stopped: bool = False


class Failed(msgspec.Struct, tag=True, frozen=True):
    """From a worker: the run ended early.

    Attributes:
        reason: the run said so, memory ran out, or an error of ours.
        sentence: for the learner, where the run said so; else the error's type.
        detail: for the log.
    """

    reason: Literal["run", "memory", "program"]
    sentence: str
    detail: str = ""


Message = Task | Stop | Ready | Shown | Ended | Failed

_WRITER = msgspec.msgpack.Encoder()
_READER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


class WireClosedError(ConnectionError):
    """The other end is gone, or speaks no language of ours."""


class Wire:
    """One end of the pair; one thread may send while another receives, if none of them sets a time to wait."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._received = bytearray()

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            ValueError: if it is too large.
            WireClosedError: if the other end is gone.
        """
        data = _WRITER.encode(message)
        if len(data) > LARGEST:
            raise ValueError(f"A message of {len(data)} bytes cannot be sent; the largest is {LARGEST}.")
        try:
            self._end.settimeout(None)
            self._end.sendall(LENGTH.pack(len(data)) + data)
        except OSError as error:
            raise WireClosedError(str(error)) from error

    def receive(self, seconds: float | None = None) -> Message | None:
        """Return the next message, or None if there is none within that time.

        Raises:
            WireClosedError: if the other end is gone, or sent what is no message.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while (message := self._next()) is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._fill(left)
        return message

    def close(self) -> None:
        """Close this end, which the other end notices."""
        self._end.close()

    def _fill(self, seconds: float | None) -> None:
        try:
            self._end.settimeout(seconds)
            data = self._end.recv(CHUNK)
        except TimeoutError:
            return
        except OSError as error:
            raise WireClosedError(str(error)) from error
        if not data:
            raise WireClosedError("The other end is closed.")
        self._received += data

    def _next(self) -> Message | None:
        if len(self._received) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._received)
        if length > LARGEST:
            raise WireClosedError(f"A message of {length} bytes was announced; the largest is {LARGEST}.")
        end = LENGTH.size + length
        if len(self._received) < end:
            return None
        data = bytes(self._received[LENGTH.size : end])
        del self._received[:end]
        try:
            return _READER.decode(data)
        except msgspec.DecodeError as error:
            raise WireClosedError(f"What arrived is no message: {error}") from error
