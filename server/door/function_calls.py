"""The one function of a notebook that a page may call by name: show what was folded away.

marimo lets a page call what its elements offer, by name and with arguments. A fold that is filled when it is opened
offers `load`, without arguments; tables, file browsers and downloads offer more, which no notebook here needs.
"""

from __future__ import annotations

import json

from starlette.types import Message, Receive

CALL = "/api/kernel/function_call"
_FIELDS = {"functionCallId", "namespace", "functionName", "args"}


def only_unfolds(body: bytes) -> bool:
    """Tell whether a call asks for nothing but what was folded away.

    >>> only_unfolds(b'{"functionCallId": "1", "namespace": "a-0", "functionName": "load", "args": {}}')
    True
    >>> only_unfolds(b'{"functionCallId": "1", "namespace": "a-0", "functionName": "list_directory", "args": {}}')
    False
    """
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(call, dict) and set(call) == _FIELDS and call["functionName"] == "load" and call["args"] == {}


async def whole_body(receive: Receive) -> bytes | None:
    """Read a request to its end; None if the client goes before."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def once_more(body: bytes, receive: Receive) -> Receive:
    """Let a body that was read be read again by whoever the request goes on to."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again
