"""A user who tells an assistant about themselves, session by session, and what a memory ought to make of it.

A user has ten slots (home city, pet, …), each with five possible values. In a session two slots come up: one that is
unknown so far is told, a known one is changed with some probability. Now and then the assistant says something wrong
about a third slot, an **interference point**, which nobody should store. After each session two told slots are asked
for, and one that was never mentioned, to which the right answer is "unknown". Between sessions may lie distractor
sessions of small talk.

The form is that of HaluMem's data (arXiv 2511.03506): memory points with a source, an importance and what they
replace, and questions with an answer. The words are ours; nothing of that data set is in here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

PERSONA, EVENT, RELATIONSHIP = "Persona", "Event", "Relationship"
KINDS = (PERSONA, EVENT, RELATIONSHIP)
"""Kinds of memory points."""

BASIC, UPDATED, CONFLICT, BOUNDARY = "Basic Fact Recall", "Dynamic Update", "Memory Conflict", "Memory Boundary"
QUESTION_KINDS = (BASIC, UPDATED, CONFLICT, BOUNDARY)
"""Four of the paper's six; multi-hop inference and generalization need a reader of texts."""


@dataclass(frozen=True)
class Slot:
    """One thing that can be known of a user."""

    name: str
    kind: str
    values: tuple[str, ...]


SLOTS = (
    Slot("favourite food", PERSONA, ("ramen", "lasagne", "paella", "curry", "pancakes")),
    Slot("favourite music", PERSONA, ("jazz", "techno", "opera", "folk", "metal")),
    Slot("home city", PERSONA, ("Lisbon", "Kyoto", "Lagos", "Oslo", "Quito")),
    Slot("job", PERSONA, ("nurse", "baker", "pilot", "lawyer", "welder")),
    Slot("weekend sport", EVENT, ("rowing", "judo", "climbing", "tennis", "handball")),
    Slot("pet", PERSONA, ("parrot", "greyhound", "tortoise", "cat", "hamster")),
    Slot("health goal", EVENT, ("sleeping", "running", "stretching", "fasting", "walking")),
    Slot("manager name", RELATIONSHIP, ("Ruth", "Ivo", "Dana", "Mei", "Carl")),
    Slot("best friend", RELATIONSHIP, ("Ana", "Bela", "Tom", "Yara", "Nils")),
    Slot("study topic", EVENT, ("glaciers", "enzymes", "poetry", "bridges", "voting")),
)
BY_NAME = {slot.name: slot for slot in SLOTS}
SMALL_TALK = (
    *("volcanoes", "chess openings", "tax forms", "bread ovens", "comets", "tree rings", "sailing knots", "fractions"),
    *("old films", "snowflakes", "train timetables", "beekeeping", "crosswords", "magnets", "sonnets", "tide tables"),
)
IMPORTANCES = (0.5, 0.75, 1.0)
SLOTS_PER_SESSION, QUESTIONS_PER_SESSION = 2, 2
INTERFERENCE_PROBABILITY = 0.3
"""Chance that the assistant says something wrong in a session."""
_STATEMENT = re.compile(rf"(\w+)'s ({'|'.join(BY_NAME)}) is (\w+)")


@dataclass(frozen=True)
class MemoryPoint:
    """One gold memory point of a session.

    Attributes:
        slot, value: what it says.
        interference: said wrongly by the assistant; a good memory does not store it.
        originals: earlier values, the latest last; empty for a fact that is new.
        importance: weight in [0, 1].

    Raises:
        ValueError: if the importance lies outside [0, 1].
    """

    slot: str
    value: str
    interference: bool = False
    originals: tuple[str, ...] = ()
    importance: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.importance <= 1:
            raise ValueError(f"The importance of a memory point lies in 0 to 1, got {self.importance!r}.")

    @property
    def is_update(self) -> bool:
        """Whether it changes what was told before."""
        return bool(self.originals)

    @property
    def kind(self) -> str:
        """Persona, Event or Relationship."""
        return BY_NAME[self.slot].kind


@dataclass(frozen=True)
class Question:
    """A question after a session; the answer is None where "unknown" is right."""

    slot: str
    answer: str | None
    kind: str


@dataclass(frozen=True)
class Session:
    """What one session says and asks: memory points, statements of small talk, questions."""

    points: tuple[MemoryPoint, ...] = ()
    small_talk: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """The sessions of one user.

    Raises:
        ValueError: if there are none.
    """

    name: str
    sessions: tuple[Session, ...]

    def __post_init__(self) -> None:
        if not self.sessions:
            raise ValueError("A timeline has no sessions.")


def statement(name: str, slot: str, value: str) -> str:
    """Write a fact as text."""
    return f"{name}'s {slot} is {value}"


def question_text(name: str, slot: str) -> str:
    """Write the question for a slot."""
    return f"What is {name}'s {slot}?"


def small_talk_text(name: str, topic: str) -> str:
    """Write what remains of a session about something else."""
    return f"{name} and the assistant talked about {topic}"


@cache
def facts_in(text: str) -> tuple[tuple[str, str], ...]:
    """Read the facts of a text as (slot, value); a text may hold several, or none.

    >>> facts_in("Mia's job is nurse, and Mia's pet is cat")
    (('job', 'nurse'), ('pet', 'cat'))
    """
    return tuple((slot, value) for _name, slot, value in _STATEMENT.findall(text))


def all_texts(name: str) -> list[str]:
    """List every text that can come up around one user: statements, questions, small talk."""
    statements = [statement(name, slot.name, value) for slot in SLOTS for value in slot.values]
    questions = [question_text(name, slot.name) for slot in SLOTS]
    return statements + questions + [small_talk_text(name, topic) for topic in SMALL_TALK]


def other_value(slot: str, value: str, share: float) -> str:
    """Choose one of the slot's other values by a number in [0, 1)."""
    others = [other for other in BY_NAME[slot].values if other != value]
    return others[int(share * len(others))]


def any_value(slot: str, share: float) -> str:
    """Choose one of the slot's values by a number in [0, 1)."""
    values = BY_NAME[slot].values
    return values[int(share * len(values))]


def draw_timeline(
    generator: np.random.Generator,
    name: str,
    sessions: int,
    update_probability: float,
    interference_probability: float = INTERFERENCE_PROBABILITY,
    distractors: int = 0,
) -> Timeline:
    """Draw the sessions of one user.

    Args:
        generator: as `philox` gives it.
        name: of the user, one word.
        sessions: how many, at least 1.
        update_probability: chance that a told slot that comes up is changed.
        interference_probability: chance of a wrong statement by the assistant in a session.
        distractors: sessions of small talk before each session but the first.

    Raises:
        ValueError: for no sessions, fewer than no distractors, or a probability outside [0, 1].
    """
    chances = {"update_probability": update_probability, "interference_probability": interference_probability}
    for argument, chance in chances.items():
        if not 0 <= chance <= 1:
            raise ValueError(f"{argument} is {chance!r}, but a probability lies in 0 to 1.")
    if distractors < 0:
        raise ValueError(f"There cannot be fewer than no distractors, got {distractors}.")
    told: dict[str, tuple[str, ...]] = {}
    # What number of true values a slot had when the assistant last said something wrong about it.
    disturbed: dict[str, int] = {}
    drawn: list[Session] = []
    for number in range(sessions):
        if number:
            drawn += [_small_talk(generator, name) for _ in range(distractors)]
        points = _points(generator, told, disturbed, update_probability, interference_probability)
        drawn.append(Session(points, (), _questions(generator, told, disturbed)))
    return Timeline(name, tuple(drawn))


def _small_talk(generator: np.random.Generator, name: str) -> Session:
    topics = generator.permutation(len(SMALL_TALK))[:2].tolist()
    return Session(small_talk=tuple(small_talk_text(name, SMALL_TALK[topic]) for topic in topics))


def _points(
    generator: np.random.Generator,
    told: dict[str, tuple[str, ...]],
    disturbed: dict[str, int],
    update_probability: float,
    interference_probability: float,
) -> tuple[MemoryPoint, ...]:
    order = [SLOTS[place].name for place in generator.permutation(len(SLOTS)).tolist()]
    # The same numbers are drawn whatever the probabilities, so that two settings differ in nothing else.
    lots = generator.random((len(order), 3)).tolist()
    points = []
    for slot, (change, choice, weight) in zip(order[:SLOTS_PER_SESSION], lots, strict=False):
        before = told.get(slot, ())
        if before and change >= update_probability:
            continue
        value = other_value(slot, before[-1], choice) if before else any_value(slot, choice)
        told[slot] = (*before, value)
        points.append(MemoryPoint(slot, value, originals=before, importance=_pick(IMPORTANCES, weight)))
    slot, (chance, choice, weight) = order[SLOTS_PER_SESSION], lots[SLOTS_PER_SESSION]
    if chance < interference_probability:
        value = other_value(slot, told[slot][-1], choice) if slot in told else any_value(slot, choice)
        disturbed[slot] = len(told.get(slot, ()))
        points.append(MemoryPoint(slot, value, interference=True, importance=_pick(IMPORTANCES, weight)))
    return tuple(points)


def _questions(
    generator: np.random.Generator, told: dict[str, tuple[str, ...]], disturbed: dict[str, int]
) -> tuple[Question, ...]:
    order = [SLOTS[place].name for place in generator.permutation(len(SLOTS)).tolist()]
    asked = [slot for slot in order if slot in told][:QUESTIONS_PER_SESSION]
    asked += [slot for slot in order if slot not in told and slot not in disturbed][:1]
    return tuple(
        Question(slot, told[slot][-1] if slot in told else None, _kind(slot, told, disturbed)) for slot in asked
    )


def _kind(slot: str, told: dict[str, tuple[str, ...]], disturbed: dict[str, int]) -> str:
    if slot not in told:
        return BOUNDARY
    if disturbed.get(slot) == len(told[slot]):  # something else was said since it was told
        return CONFLICT
    return UPDATED if len(told[slot]) > 1 else BASIC


def _pick(options: Sequence[float], share: float) -> float:
    return options[int(share * len(options))]
