"""The adapter against a small HTTP server on loopback: answers, slowness, refusals, nonsense; and no key leaks."""

from __future__ import annotations

import importlib.util
import json
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mem_core.nn.chat_model import KEY_VARIABLE, MODEL_VARIABLE, URL_VARIABLE, ChatError, ChatModel, configured

KEY = "sk-never-to-be-seen"
needs_client = pytest.mark.skipif(importlib.util.find_spec("openai") is None, reason="the client openai is optional")


class Answers(BaseHTTPRequestHandler):
    """Answers by the model's name: `echo`, `slow`, `locked` and so on."""

    seen: list[dict[str, Any]]
    in_flight: int
    most_in_flight: int
    lock: threading.Lock

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = type(self)
        with kind.lock:
            sent = {name.lower(): value for name, value in self.headers.items()}
            kind.seen.append({**body, "authorization": self.headers["Authorization"], "headers": sent})
            kind.in_flight += 1
            kind.most_in_flight = max(kind.most_in_flight, kind.in_flight)
            count = len(kind.seen)
        self._answer(body, count)
        with kind.lock:
            kind.in_flight -= 1

    def _answer(self, body: dict[str, Any], count: int) -> None:
        model, prompt = body["model"], body["messages"][0]["content"]
        if model == "slow":
            time.sleep(1.0)
        if model == "pausing":
            time.sleep(0.1)
        if model == "locked":
            self._send(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
        elif model == "busy once" and count == 1:
            self._send(503, {"error": {"message": "busy"}})
        elif model == "broken":
            self._send(500, {"error": {"message": "broken"}})
        elif model == "nowhere":
            self._send(404, {"error": {"message": "no such model"}})
        elif model == "nonsense":
            self._send(200, {"weather": "fine"})
        else:
            text = "" if model == "silent" else f"heard: {prompt}"
            self._send(200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the caller of a slow model has gone

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Answers]]]:
    handler = type("Here", (Answers,), {"seen": [], "in_flight": 0, "most_in_flight": 0, "lock": threading.Lock()})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}/v1", handler
    listening.shutdown()
    listening.server_close()
    thread.join()


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


def test_without_configuration_nothing_is_there_and_the_message_says_what_to_set() -> None:
    assert not configured({})
    assert not configured({URL_VARIABLE: "http://127.0.0.1/v1", KEY_VARIABLE: KEY})
    with pytest.raises(ChatError, match=f"set {MODEL_VARIABLE}, or choose"):
        ChatModel.from_environment({URL_VARIABLE: "http://127.0.0.1/v1", KEY_VARIABLE: KEY})
    with pytest.raises(ChatError, match=f"{URL_VARIABLE} and {KEY_VARIABLE} and {MODEL_VARIABLE}"):
        ChatModel.from_environment({})


def test_a_missing_client_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ChatError, match="pip install openai"):
        ChatModel("http://127.0.0.1/v1", KEY, "echo")


@needs_client
def test_an_answer_comes_back_from_what_the_environment_names(server: tuple[str, type[Answers]]) -> None:
    environment = {URL_VARIABLE: server[0], KEY_VARIABLE: KEY, MODEL_VARIABLE: "echo"}
    assert configured(environment)
    assert ChatModel.from_environment(environment).ask("hello") == "heard: hello"
    assert server[1].seen[0]["authorization"] == f"Bearer {KEY}"
    assert server[1].seen[0]["temperature"] == 0


@needs_client
def test_many_are_asked_side_by_side_and_answer_in_order(server: tuple[str, type[Answers]]) -> None:
    prompts = [f"question {number}" for number in range(20)]
    assert ChatModel(server[0], KEY, "pausing").ask_all(prompts) == [f"heard: {prompt}" for prompt in prompts]
    assert 2 <= server[1].most_in_flight <= 8
    assert ChatModel(server[0], KEY, "echo").ask_all([]) == []


@needs_client
def test_a_busy_model_is_asked_again(server: tuple[str, type[Answers]]) -> None:
    assert ChatModel(server[0], KEY, "busy once", retries=1).ask("hello") == "heard: hello"
    assert len(server[1].seen) == 2


@needs_client
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("slow", "did not answer within 0.2 seconds"),
        ("locked", "refused the key"),
        ("broken", "error 500"),
        ("nowhere", "is not there"),
        ("nonsense", "not a chat completion"),
        ("silent", "without any text"),
    ],
)
def test_what_goes_wrong_is_said_in_one_sentence_without_the_key(
    server: tuple[str, type[Answers]], model: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = ChatModel(server[0], KEY, model, seconds=0.2 if model == "slow" else 30.0, retries=0)
    with pytest.raises(ChatError, match=words) as single:
        asked.ask("hello")
    with pytest.raises(ChatError, match=words) as several:
        asked.ask_all(["hello"] * 3)
    for error in (single.value, several.value):
        assert KEY not in everything_said(error)
        assert "\n" not in str(error)
    assert KEY not in repr(asked) + str(asked) + caplog.text


@needs_client
def test_an_address_where_nobody_listens_is_named() -> None:
    with pytest.raises(ChatError, match=f"cannot be reached: check {URL_VARIABLE}"):
        ChatModel("http://127.0.0.1:9/v1", KEY, "echo", retries=0).ask("hello")


@needs_client
@pytest.mark.parametrize("limits", [{"seconds": 0.0}, {"seconds": float("nan")}, {"retries": -1}])
def test_limits_without_meaning_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        ChatModel("http://127.0.0.1/v1", KEY, "echo", **limits)


@needs_client
@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000/v1", "ftp://127.0.0.1", "http://", "http://a:b:c/v1", "http://[::1"]
)
def test_what_is_no_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(ChatError, match=f"{URL_VARIABLE} is not an address like"):
        ChatModel(url, KEY, "echo")


@needs_client
@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}é"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ChatError, match=f"check {KEY_VARIABLE}") as refused:
        ChatModel("http://127.0.0.1/v1", key, "echo")
    assert KEY not in str(refused.value)


@needs_client
def test_what_is_secret_in_the_address_is_not_shown() -> None:
    model = ChatModel(f"http://user:{KEY}@127.0.0.1:9/v1?token={KEY}", KEY, "echo", retries=0)
    assert repr(model) == "ChatModel('echo' at 'http://127.0.0.1:9/v1')"
    with pytest.raises(ChatError) as failed:
        model.ask("hello")
    assert KEY not in everything_said(failed.value)


@needs_client
def test_other_variables_of_the_client_are_not_sent(
    server: tuple[str, type[Answers]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "somebody-else")
    ChatModel(server[0], KEY, "echo").ask("hello")
    assert "somebody-else" not in server[1].seen[0]["headers"].values()
