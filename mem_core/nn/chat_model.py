"""A real language model behind an OpenAI-compatible address, for those who have one; everything works without.

Address, key and model come from three environment variables and from nowhere else. The key appears in no message,
representation or log of this module.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

URL_VARIABLE, KEY_VARIABLE = "MEMORY_LAB_CHAT_URL", "MEMORY_LAB_CHAT_KEY"
MODEL_VARIABLE = "MEMORY_LAB_CHAT_MODEL"
VARIABLES = (URL_VARIABLE, KEY_VARIABLE, MODEL_VARIABLE)
SECONDS = 30.0
"""How long one call may take."""
RETRIES = 2
"""After the first try, where the address does not answer, is busy or fails."""
AT_ONCE = 8
"""Calls in flight."""


class ChatError(RuntimeError):
    """A language model that is not there or does not answer; the message says what happened and what to do."""


def configured(environment: Mapping[str, str] | None = None) -> bool:
    """Say whether address, key and model are all set."""
    known = os.environ if environment is None else environment
    return all(known.get(name) for name in VARIABLES)


class ChatModel:
    """One model at one address, asked one question or several at once.

    Attributes:
        url: the address as messages show it, without a user's name and password.
        model: its name there.
        seconds: limit of one call.

    Args:
        url: base address, for example `http://127.0.0.1:8000/v1`.
        key: what the address wants to see; never shown.
        model: its name there.
        seconds: limit of one call.
        retries: further tries.

    Raises:
        ChatError: if the client is not installed, or address or key cannot be used.
        ValueError: if a limit has no meaning.
    """

    def __init__(self, url: str, key: str, model: str, seconds: float = SECONDS, retries: int = RETRIES) -> None:
        if not (math.isfinite(seconds) and seconds > 0 and retries >= 0):
            raise ValueError(f"seconds must be above 0 and retries 0 or more, got {seconds!r} and {retries!r}.")
        if importlib.util.find_spec("openai") is None:
            raise ChatError("A language model is set up, but its client is not installed: pip install openai.")
        if not (key.isascii() and key.isprintable() and key == key.strip()):
            raise ChatError(f"The key has a space at an end, or a character that cannot be sent: check {KEY_VARIABLE}.")
        self.url, self.model, self.seconds = _shown(url), model, seconds
        self._errors: Any = importlib.import_module("openai")
        self._client: Any = self._errors.OpenAI(base_url=url, api_key=key, timeout=seconds, max_retries=retries)
        # The client takes these from variables of its own, and this address has no business with them.
        self._client.organization = self._client.project = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> ChatModel:
        """Return the model that the environment names.

        Raises:
            ChatError: if it names none, or not all of it.
        """
        known = os.environ if environment is None else environment
        missing = [name for name in VARIABLES if not known.get(name)]
        if missing:
            raise ChatError(f"No language model is set up here: set {' and '.join(missing)}, or choose the simulator.")
        return cls(known[URL_VARIABLE], known[KEY_VARIABLE], known[MODEL_VARIABLE])

    def __repr__(self) -> str:
        return f"ChatModel({self.model!r} at {self.url!r})"

    def ask(self, prompt: str, most_tokens: int = 200) -> str:
        """Send one prompt and return the answer's text.

        Raises:
            ChatError: if there is no answer, or none with text.
        """
        try:
            answer = self._client.chat.completions.create(
                model=self.model,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=most_tokens,
                temperature=0.0,
            )
            text = answer.choices[0].message.content
        except Exception as error:
            # "from None": what the client raises may quote the request, and with it the key.
            raise ChatError(self._explained(error)) from None
        if not isinstance(text, str) or not text.strip():
            raise ChatError(f"{self.model} at {self.url} answered without any text.")
        return text.strip()

    def ask_all(self, prompts: Sequence[str], most_tokens: int = 200) -> list[str]:
        """Send prompts side by side, at most `AT_ONCE` in flight, and return the answers in their order.

        Raises:
            ChatError: as soon as one of them fails for good; prompts that have not been sent yet are not sent.
        """
        pool = ThreadPoolExecutor(max_workers=AT_ONCE)
        try:
            waiting = [pool.submit(self.ask, prompt, most_tokens) for prompt in prompts]
            return [answer.result() for answer in waiting]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _explained(self, error: Exception) -> str:
        """Say in one sentence what happened, in words of our own only."""
        who = f"{self.model} at {self.url}"
        if isinstance(error, self._errors.APITimeoutError):
            return f"{who} did not answer within {self.seconds:g} seconds."
        if isinstance(error, self._errors.APIConnectionError):
            return f"{who} cannot be reached: check {URL_VARIABLE}."
        if isinstance(error, self._errors.AuthenticationError | self._errors.PermissionDeniedError):
            return f"{who} refused the key ({error.status_code}): check {KEY_VARIABLE}."
        if isinstance(error, self._errors.NotFoundError):
            return f"{who} is not there (404): check {URL_VARIABLE} and {MODEL_VARIABLE}."
        if isinstance(error, self._errors.APIStatusError):
            return f"{who} answered with error {error.status_code}."
        return f"{who} answered with something that is not a chat completion."


def _shown(url: str) -> str:
    """Return an address without what could be secret in it: name, password and query.

    Raises:
        ChatError: if it is no web address.
    """
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable():
        raise ChatError(f"{URL_VARIABLE} is not an address like http://127.0.0.1:8000/v1.")
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
