"""The real language model that a run may ask, where somebody has set one up."""

from __future__ import annotations

from mem_core.mechanisms.contract import RunError
from mem_core.nn.chat_model import ChatError, ChatModel


def model_or_sentence() -> ChatModel:
    """Return the model that is set up.

    Raises:
        RunError: if there is none; the message says how to set one up.
    """
    try:
        return ChatModel.from_environment()
    except ChatError as error:
        raise RunError(str(error)) from None
