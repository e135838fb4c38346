"""What is to be changed: requests, each for another person, and the prompts under which a request is optimised.

Axes: E requests, J contexts, four tokens in a prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mem_core.data.fact_world import OBJECTS, RELATIONS, FactWorld, answer_of
from mem_core.engine import philox
from mem_core.mechanisms.editing.pmet.settings import EditSettings

Wholes = Any
"""A NumPy array of whole numbers."""

PREFIXES = (1, 2, 3, 4, 5)
"""Contexts under which a request is optimised, beside the plain prompt 0."""
UNUSED_CONTEXTS = (6, 7)
"""Contexts kept back: generalisation is measured in them."""
ASKED, OTHER = 0, 1
"""Wording of the requests, and the one in which generalisation is measured."""
KEPT_RELATION = 0
"""The relation "is a" is never edited: its answer is what the optimisation must leave alone."""


@dataclass(frozen=True, eq=False)
class Requests:
    """Facts to change.

    Attributes:
        person, relation: whose fact, and which (E,).
        wanted, true: the new answer, and the one until now (E,).
    """

    person: Wholes
    relation: Wholes
    wanted: Wholes
    true: Wholes

    @property
    def count(self) -> int:
        """How many there are, E."""
        return len(self.person)

    def kept(self, which: Any) -> Requests:
        """Return some of the requests, by a slice or by true and false for each."""
        return Requests(self.person[which], self.relation[which], self.wanted[which], self.true[which])

    def prompts(self, world: FactWorld, contexts: tuple[int, ...], wording: int) -> Wholes:
        """Build the prompts of every request in each context, (E, J, 4)."""
        return world.prompts(self.person[:, None], self.relation[:, None], wording, contexts)

    def kept_prompts(self, world: FactWorld) -> Wholes:
        """Build the plain "is a" prompt about each person, (E, 4)."""
        return world.prompts(self.person, KEPT_RELATION, ASKED, 0)

    def require_consistent(self) -> None:
        """Refuse two answers for one fact.

        Raises:
            ValueError: naming person and relation, as numbers.
        """
        wanted: dict[tuple[int, int], int] = {}
        columns = (self.person.tolist(), self.relation.tolist(), self.wanted.tolist())
        for person, relation, answer in zip(*columns, strict=True):
            if wanted.setdefault((person, relation), answer) != answer:
                raise ValueError(f"Person {person} and relation {relation} are asked for with two different answers.")


def draw_requests(world: FactWorld, settings: EditSettings, count: int, seed: int) -> Requests:
    """Draw requests about different people with wrong answers of the right relation; the first is the one picked.

    A longer list begins with the shorter one.
    """
    generator = philox(seed, "pmet", "requests")
    people = generator.permutation(len(world.people))
    relation = generator.integers(KEPT_RELATION + 1, len(RELATIONS), size=len(people))
    further = generator.integers(1, OBJECTS, size=len(people))
    picked = settings.person - 1
    people[people == picked], people[0] = people[0], picked
    relation[0] = next(number for number, known in enumerate(RELATIONS) if known.name == settings.relation)
    further[0] = settings.new_object
    person, relation, further = (column[:count] for column in (people, relation, further))
    true = world.facts[person, relation]
    return Requests(person, relation, answer_of(relation, (true + further) % OBJECTS), answer_of(relation, true))
