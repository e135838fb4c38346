"""A real language model in the extractor's place: it reads the sessions and writes down what is worth remembering.

Real then: what is missed, corrupted, invented, and which wrong statements of the assistant are believed. Simulated
still: the sessions, which are made from templates, and the answerer. The model answers in lines of the form
"slot = value", which become the same texts as the simulator's, so that the same memory and the same judges follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mem_core.data.user_timeline import BY_NAME, Session, statement
from mem_core.mechanisms.agents.halumem.users import User
from mem_core.mechanisms.contract import RunError
from mem_core.nn.chat_model import ChatError, ChatModel

_LINE = re.compile(rf"^\W*({'|'.join(BY_NAME)})\s*=\s*(\w+)\W*$", re.IGNORECASE)


def dialogue(session: Session) -> str:
    """Write a session as a dialogue: the user tells facts, the assistant gets others wrong; "" if nothing is said."""
    turns = []
    for point in session.points:
        if point.interference:
            turns.append(f"Assistant: As far as I know, your {point.slot} is {point.value}.\nUser: Let us go on.")
        elif point.is_update:
            turns.append(f"User: My {point.slot} is {point.value} now.\nAssistant: I see.")
        else:
            turns.append(f"User: My {point.slot} is {point.value}, by the way.\nAssistant: Good to know.")
    for said in session.small_talk:
        topic = said.split(" talked about ")[-1]
        turns.append(f"User: Tell me something about {topic}.\nAssistant: There is much to say about {topic}.")
    return "\n".join(turns)


def prompt(session: Session) -> str:
    """Ask for the memories of one session."""
    return (
        f"You keep the long-term memory of an assistant. A session with the user:\n{dialogue(session)}\n"
        f"What is worth remembering about the user? The memory has the slots {', '.join(BY_NAME)}. Write one line for "
        "each fact, in the form: slot = value, with one word as the value. Write only such lines, or the word none."
    )


def memories_in(answer: str, name: str) -> list[str]:
    """Read the lines of an answer as statements about the user; a line that has another form is left out."""
    found = (_LINE.match(line.strip()) for line in answer.splitlines())
    return [statement(name, match.group(1).lower(), match.group(2)) for match in found if match]


def extract_with(model: ChatModel, user: User) -> list[list[str]]:
    """Let the model extract from every session of a user; sessions in which nothing is said are not sent.

    Raises:
        RunError: if the model does not answer.
    """
    sessions: Sequence[Session] = user.timeline.sessions
    try:
        answers = iter(model.ask_all([prompt(session) for session in sessions if dialogue(session)]))
    except ChatError as error:
        raise RunError(f"{error} Set extractor to simulator to go on without it.") from None
    return [memories_in(next(answers), user.name) if dialogue(session) else [] for session in sessions]
