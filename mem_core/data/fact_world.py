"""A small world of facts: people with two names, and what is true of each, asked for in a few words.

A prompt has four tokens, [context, relation wording, first name, last name], and the answer is an object of the
relation. Names are shared: only both names together say who is meant. Every relation can be worded in two ways, and
any of eight context words may stand in front.

Tokens: contexts, then the wordings of each relation, then first names, then last names. Answers: the objects of the
first relation, then those of the second, and so on.

Axes: S people, R relations, O objects of each relation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wholes = NDArray[np.int64]
Numbers = Wholes | Sequence[int] | int

PROMPT_LENGTH = 4
WORDINGS = 2
CONTEXTS = ("(nothing)", "well,", "now,", "they say", "I read", "of course", "by the way", "as you know")
"""Words that may stand in front; the first is the plain prompt."""


@dataclass(frozen=True)
class Relation:
    """One thing that can be true of a person."""

    name: str
    wordings: tuple[str, str]
    objects: tuple[str, ...]


RELATIONS = (
    Relation(
        "is a",
        ("is a", "belongs to the"),
        ("doctor", "painter", "farmer", "teacher", "sailor", "baker", "judge", "pilot"),
    ),
    Relation(
        "lives in",
        ("lives in", "has a home in"),
        ("Oslo", "Lima", "Cairo", "Delhi", "Kyoto", "Quito", "Sofia", "Accra"),
    ),
    Relation(
        "plays",
        ("plays", "performs on the"),
        ("violin", "piano", "flute", "harp", "drum", "cello", "horn", "guitar"),
    ),
    Relation(
        "keeps",
        ("keeps", "looks after"),
        ("bees", "horses", "cats", "goats", "parrots", "hens", "dogs", "fish"),
    ),
)
OBJECTS = 8
"""Of each relation."""
ANSWERS = OBJECTS * len(RELATIONS)
"""To all questions together."""

FIRST_NAMES = (
    *("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo", "Iris", "Jon", "Kim", "Leo"),
    *("Mia", "Ned", "Olga", "Per"),
)
LAST_NAMES = (
    *("Abbott", "Berg", "Cruz", "Diaz", "Engel", "Frost", "Gray", "Hahn", "Ito", "Jones", "Kerr", "Lund"),
    *("Moss", "Novak", "Ortiz", "Park"),
)


@dataclass(frozen=True)
class FactWorld:
    """Who there is and what is true.

    Attributes:
        names: how many first names there are, and last names too.
        people: first and last name of each, numbers below `names` (S, 2).
        facts: the object of each person under each relation, 0 … O − 1 (S, R).
    """

    names: int
    people: Wholes
    facts: Wholes

    @property
    def vocabulary(self) -> int:
        """How many different tokens a prompt may hold."""
        return len(CONTEXTS) + WORDINGS * len(RELATIONS) + 2 * self.names

    @property
    def answers(self) -> Wholes:
        """The right answer to every fact, (S, R)."""
        return answer_of(np.arange(len(RELATIONS)), self.facts)

    def prompts(self, person: Numbers, relation: Numbers, wording: Numbers, context: Numbers) -> Wholes:
        """Build prompts, (…, 4), from numbers or arrays of shapes that broadcast.

        >>> world = draw_world(np.random.default_rng(0), people=2, names=2)
        >>> world.prompts(np.array([0, 1]), 3, 1, 0).shape
        (2, 4)
        """
        asked = len(CONTEXTS) + WORDINGS * np.asarray(relation) + np.asarray(wording)
        first = len(CONTEXTS) + WORDINGS * len(RELATIONS) + self.people[person, 0]
        last = len(CONTEXTS) + WORDINGS * len(RELATIONS) + self.names + self.people[person, 1]
        return np.stack(np.broadcast_arrays(context, asked, first, last), axis=-1).astype(np.int64)

    def questions(self) -> Wholes:
        """Build the plain prompts for all facts in both wordings, (S, R, 2, 4)."""
        person = np.arange(len(self.people))[:, None, None]
        return self.prompts(person, np.arange(len(RELATIONS))[:, None], np.arange(WORDINGS), 0)

    def draw(self, generator: np.random.Generator, count: int) -> tuple[Wholes, Wholes]:
        """Draw prompts about random facts, in a random wording and context, and their right answers.

        Returns:
            Tokens (count, 4) and answers (count,).

        Raises:
            ValueError: if count is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}.")
        person, relation, wording, context = (
            generator.integers(size, size=count) for size in (len(self.people), len(RELATIONS), WORDINGS, len(CONTEXTS))
        )
        return self.prompts(person, relation, wording, context), self.answers[person, relation]

    def name(self, person: int) -> str:
        """Return first and last name of a person."""
        first, last = self.people[person]
        return f"{FIRST_NAMES[first]} {LAST_NAMES[last]}"


def draw_world(generator: np.random.Generator, *, people: int, names: int) -> FactWorld:
    """Draw people without repetition and a random object for each under every relation.

    Args:
        generator: where the random numbers come from.
        people: S.
        names: first names and last names to draw from, of each that many.

    Raises:
        ValueError: if there are more people than pairs of names, or no name for a number.
    """
    if not 1 <= names <= len(FIRST_NAMES):
        raise ValueError(f"names must be from 1 to {len(FIRST_NAMES)}, got {names}.")
    if not 1 <= people <= names * names:
        raise ValueError(f"people must be from 1 to {names * names}, the pairs of {names} names, got {people}.")
    pairs = generator.permutation(names * names)[:people]
    facts = generator.integers(OBJECTS, size=(people, len(RELATIONS)))
    return FactWorld(names, np.stack(np.divmod(pairs, names), axis=-1), facts)


def answer_of(relation: Numbers, item: Numbers) -> Wholes:
    """Return the number of an object among all answers."""
    answers: Wholes = OBJECTS * np.asarray(relation) + np.asarray(item)
    return answers


def word_of(answer: int) -> str:
    """Return the word for an answer.

    >>> word_of(8)
    'Oslo'
    """
    relation, item = divmod(answer, OBJECTS)
    return RELATIONS[relation].objects[item]
