"""The live store: facts come in, questions recall some of them, nights take the others.

Axes: R lives, P policies, Q questions a day, N facts told so far, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mem_core.engine import Array, Engine, philox
from mem_core.mechanisms.agents.memorybank.forgetting import (
    HAZARD,
    MATCHED,
    SURVIVAL,
    keep_highest,
    keeping_order,
)
from mem_core.mechanisms.agents.memorybank.settings import ForgettingSettings
from mem_core.mechanisms.agents.memorybank.world import World, draw_world
from mem_core.nn.memory_store import nearest

FOLLOWED = 200
"""How many of the first facts have their recalls written down, to draw the life of one of them."""


@dataclass
class Diary:
    """What was seen, day by day, as NumPy arrays.

    Attributes:
        sizes, hits: per day (R, P): pieces left after the night, share of the questions answered.
        recalls: per day (F,): how often each of the first facts was recalled, first life and first policy.
        alive: per day (F,): whether it was left after the night.
    """

    sizes: list[Any] = field(default_factory=list)
    hits: list[Any] = field(default_factory=list)
    recalls: list[Any] = field(default_factory=list)
    alive: list[Any] = field(default_factory=list)


class Store:
    """The same life under every policy at once: same facts, same questions, same lots at night.

    Attributes:
        policies: the learner's, and `hazard` after them if others need its number of places.
        stored: which facts are in the store, booleans (R, P, N).
        strength: S, 1 at the first mention and one more with every recall, double precision (R, P, N).
        recalled_on: day of the last recall, (R, P, N).
        diary: what was seen so far.
    """

    def __init__(self, settings: ForgettingSettings, engine: Engine, seed: int) -> None:
        self.settings, self.engine = settings, engine
        needs_hazard = HAZARD not in settings.policies and any(policy in MATCHED for policy in settings.policies)
        self.policies = (*settings.policies, HAZARD) if needs_hazard else settings.policies
        self.world: World = draw_world(settings, engine, seed)
        self.day = 0
        self.diary = Diary()
        self._lots = [philox(seed, "lots", life) for life in range(settings.repeats)]
        xp = engine.xp
        shape = (settings.repeats, len(self.policies), 0)
        self.stored = xp.zeros(shape, dtype=xp.bool)
        self.strength = xp.zeros(shape, dtype=xp.float64)
        self.recalled_on = xp.zeros(shape, dtype=xp.float64)

    def advance(self) -> None:
        """Live one day: hear new facts, answer questions, forget overnight."""
        self._hear()
        recalled = self._answer()
        self._strengthen(recalled)
        self._night()
        self._write_down()
        self.day += 1

    def _hear(self) -> None:
        """Store today's facts with strength 1; they are in the store from now on, recalled today."""
        xp = self.engine.xp
        new = (*self.stored.shape[:2], self.settings.facts_per_day)
        self.stored = xp.concat([self.stored, xp.ones(new, dtype=xp.bool)], axis=-1)
        self.strength = xp.concat([self.strength, xp.ones(new, dtype=xp.float64)], axis=-1)
        today = xp.ones(new, dtype=xp.float64) * self.day
        self.recalled_on = xp.concat([self.recalled_on, today], axis=-1)

    def _answer(self) -> Array:
        """Search for every question of the day; return how often each fact was recalled, (R, P, N)."""
        xp, world = self.engine.xp, self.world
        told = self.stored.shape[-1]
        scores = world.questions[:, self.day] @ xp.matrix_transpose(world.facts[:, :told])  # (R, Q, N)
        found = nearest(self.engine, scores[:, None], self.stored[:, :, None], self.settings.top_k)  # (R, P, Q, N)
        asked = xp.asarray([life[self.day].tolist() for life in world.asked])[:, None, :, None]  # (R, 1, Q, 1)
        hit = xp.take_along_axis(found, xp.broadcast_to(asked, (*found.shape[:3], 1)), axis=-1)[..., 0]
        self.diary.hits.append(self.engine.to_numpy(xp.mean(xp.astype(hit, xp.float64), axis=-1)))
        return xp.sum(xp.astype(found, xp.int32), axis=-2)

    def _strengthen(self, recalled: Array) -> None:
        """S grows by one with every recall, right or wrong, and the clock starts again (paper §2.3)."""
        xp = self.engine.xp
        self.strength = self.strength + xp.astype(recalled, xp.float64)
        self.recalled_on = xp.where(recalled > 0, xp.ones_like(self.recalled_on) * self.day, self.recalled_on)
        self.diary.recalls.append(self.engine.to_numpy(recalled[0, 0, :FOLLOWED]))

    def _night(self) -> None:
        """Forget, with t counted at the next morning. Policies with a set number of places take hazard's."""
        xp, settings = self.engine.xp, self.settings
        elapsed = self.day + 1 - self.recalled_on
        told = elapsed.shape[-1]
        lots = xp.stack([xp.asarray(life.random(told), dtype=xp.float64) for life in self._lots])
        kept: dict[int, Array] = {}
        for place, policy in enumerate(self.policies):
            if policy in SURVIVAL:
                chance = SURVIVAL[policy](
                    xp, elapsed[:, place], self.strength[:, place], settings.tau, settings.loads_per_day
                )
                kept[place] = self.stored[:, place] & (lots < chance)
        for place, policy in enumerate(self.policies):
            if policy in MATCHED:
                hazard = kept[self.policies.index(HAZARD)]
                places = xp.sum(xp.astype(hazard, xp.int64), axis=-1)[:, None]
                order = keeping_order(xp, policy, elapsed[:, place], self.strength[:, place], lots)
                kept[place] = keep_highest(xp, order, self.stored[:, place], places)
        self.stored = xp.stack([kept[place] for place in range(len(self.policies))], axis=1)

    def _write_down(self) -> None:
        xp = self.engine.xp
        self.diary.sizes.append(self.engine.to_numpy(xp.sum(xp.astype(self.stored, xp.int64), axis=-1)))
        self.diary.alive.append(self.engine.to_numpy(self.stored[0, 0, :FOLLOWED]))
