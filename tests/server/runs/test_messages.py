"""The wire between the server and a worker."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from server.runs.messages import (
    LARGEST,
    LENGTH,
    Ended,
    Failed,
    Message,
    Ready,
    Shown,
    Stop,
    Task,
    Wire,
    WireClosedError,
)

MESSAGES: list[Message] = [
    Task(3, "memorybank", {"days": "10"}, 7, "numpy", "float32"),
    Stop(3),
    Ready(),
    Shown(b"\x00" * 100),
    Ended(stopped=True),
    Failed("run", "Training diverged.", "detail"),
]


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    ours, theirs = socket.socketpair()
    with theirs:
        wire = Wire(ours)
        yield wire, theirs
        wire.close()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent_however_it_is_cut(ends: tuple[Wire, socket.socket], message: Message) -> None:
    wire, theirs = ends
    wire.send(message)
    wire.send(message)
    data = theirs.recv(1 << 20)
    for number in range(len(data)):
        theirs.send(data[number : number + 1])
    assert wire.receive(5.0) == message
    assert wire.receive() == message
    assert wire.receive(0.01) is None


def test_a_message_larger_than_the_sockets_buffer_arrives(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    message = Shown(b"x" * (4 << 20))
    thread = threading.Thread(target=Wire(theirs).send, args=[message])
    thread.start()
    assert wire.receive(30.0) == message
    thread.join()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LENGTH.pack(LARGEST + 1), "the largest is"),
        (b"GET / HTTP/1.1\r\n\r\n", "the largest is"),
        (LENGTH.pack(3) + b"\x00\x00\x00", "is no message"),
        (LENGTH.pack(1) + b"\x80", "is no message"),
        (b"", "closed"),
        (LENGTH.pack(100) + b"half", "closed"),
    ],
    ids=["too large", "another language", "nonsense", "no type", "nothing", "half"],
)
def test_what_is_no_message_ends_the_connection(ends: tuple[Wire, socket.socket], data: bytes, words: str) -> None:
    wire, theirs = ends
    theirs.sendall(data)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(WireClosedError, match=words):
        wire.receive(5.0)


def test_what_is_too_large_to_arrive_is_not_sent(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    with pytest.raises(ValueError, match="cannot be sent; the largest is"):
        wire.send(Shown(b"x" * LARGEST))
    wire.send(Ready())
    assert Wire(theirs).receive(5.0) == Ready()


def test_sending_to_an_end_that_is_closed_says_so(ends: tuple[Wire, socket.socket]) -> None:
    wire, theirs = ends
    theirs.close()
    with pytest.raises(WireClosedError):
        wire.send(Ready())
