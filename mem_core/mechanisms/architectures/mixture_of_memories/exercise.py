"""The exercise: how many memories are enough."""

from __future__ import annotations

from dataclasses import dataclass

from mem_core.engine import Engine
from mem_core.mechanisms.architectures.mixture_of_memories.memories import Memories, draw
from mem_core.mechanisms.architectures.mixture_of_memories.settings import (
    BY_KEY,
    LINEAR,
    MIXTURE,
    SHIPPED,
    MixtureSettings,
)
from mem_core.mechanisms.architectures.mixture_of_memories.tables import shares
from mem_core.mechanisms.contract import Exercise, Grade
from mem_core.mechanisms.controls import Whole, setting
from mem_core.mechanisms.settings import Settings

ITEMS, ENOUGH = 64, 0.7
ASKED = {
    "top_k": 1,
    "rule": LINEAR,
    "router": BY_KEY,
    "shared": False,
    "decay": 1.0,
    "key_width": 16,
    "items": ITEMS,
    "sequences": 10,
    "layer": SHIPPED,
}
"""What the question fixes, whatever the page is set to."""


@dataclass(frozen=True)
class MemoriesAnswer(Settings):
    """What the learner answers."""

    memories: int = setting(
        2, Whole(label="Memories M", unit="memories", help="The smallest number that is enough.", low=1, high=8)
    )


def recall(memories: int, settings: MixtureSettings, engine: Engine, seed: int) -> float:
    """Return the share of the items that a mixture of so many memories recalls."""
    asked = settings.changed(**ASKED, memories=memories)
    items = draw(asked, engine, seed)
    mixture = Memories(asked, engine, items)
    mixture.write(ITEMS)
    return shares(engine, items, mixture.scores(), ITEMS, ITEMS)[MIXTURE]


def grade(answer: MemoriesAnswer, settings: MixtureSettings, seed: int, engine: Engine) -> Grade:
    """Write fresh items into so many memories, and into one fewer."""
    count = answer.memories
    found = recall(count, settings, engine, seed)
    words = f"In 10 fresh sequences, M = {count} recalls {found:.2f} of {ITEMS} items"
    if found < ENOUGH:
        return Grade(False, f"{words}: not enough. Too many items share a memory.")
    if count == 1:
        return Grade(True, f"{words}.")
    fewer = recall(count - 1, settings, engine, seed)
    words += f", M = {count - 1} recalls {fewer:.2f}"
    if fewer >= ENOUGH:
        return Grade(False, f"{words}: fewer memories are enough.")
    return Grade(True, f"{words}.")


EXERCISE = Exercise(
    question=(
        "The keys are 16 numbers wide, the rule is linear, each item goes to one memory, and there is no shared "
        f"memory. What is the smallest M with which at least {ENOUGH:.0%} of {ITEMS} items are recalled?"
    ),
    answer=MemoriesAnswer,
    grade=grade,
    follow_up=(
        "With M memories each holds about 64 / M items. That is the number to compare with the key width: at 16 items "
        "in a memory of width 16 most of them are still found."
    ),
)
