"""Agents living side by side under every defence: retrieve, judge, act, and only then write back.

Axes: L lives, G defences, S questions in the order asked, N records in the end, K retrieved records, D dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mem_core.engine import Array, Engine
from mem_core.mechanisms.agents.a_memguard.agent import Judgement, act, judge, reason
from mem_core.mechanisms.agents.a_memguard.lessons import Lessons
from mem_core.mechanisms.agents.a_memguard.settings import AUDIT, JUDGED, LESSONS, QUERIES, TOPICS, MemGuardSettings
from mem_core.mechanisms.agents.a_memguard.world import Case, World, pick
from mem_core.nn.top_k_store import TopKStore


@dataclass(frozen=True)
class Moment:
    """What happened at one question.

    Attributes:
        question: its number, from 0.
        actions: of the retrieved records, int64 (L, G, K).
        usable: which of them were imitated, (L, G, K).
        taken: the action, int64 (L, G).
        judged: of the defences in `JUDGED` that run, or None.
        warned: consistent records that a lesson rejected, (L, G, K); all False under other defences.
    """

    question: int
    actions: Array
    usable: Array
    taken: Array
    judged: Judgement | None
    warned: Array


class Lives:
    """A batch of lives under several defences; all defences see the same questions and the same lots.

    Which records a question retrieves depends on questions alone, never on what was done: all searches are made at
    once. What the records say to do is known only when their turn has come.

    Attributes:
        store: vectors of the records, shared by the defences; a second view is what the audit left.
        places, cosines, found: of the records that each question retrieves, (L, G, S, K).
        held_at_start: which of the first records a defence has left, (L, G, M).
        actions: of the records, int64 (L, G, N); written back ones once their question has been answered.
        lessons: of the defence that learns.
        moments: what happened so far.
    """

    def __init__(
        self,
        settings: MemGuardSettings,
        cases: Sequence[Case],
        world: World,
        engine: Engine,
        defences: Sequence[str] | None = None,
    ) -> None:
        self.settings, self.engine, self.world = settings, engine, world
        self.defences = tuple(defences or settings.defences)
        self.lives, self.moments = len(cases), list[Moment]()
        self.lessons = Lessons.empty(engine, self.lives, (world.queries.shape[-1], world.contents.shape[-1]))
        self.judged = [place for place, name in enumerate(self.defences) if name in JUDGED]
        self._fill_store(cases)

    def _fill_store(self, cases: Sequence[Case]) -> None:
        """Store records and questions, and make every question's search among what was written before it."""
        xp, script, world = self.engine.xp, self.world.script, self.world
        self.start = script.record_action.shape[-1]
        audited = script.present & ~(script.planted & (script.audit_lots >= self.settings.audit_miss))
        views = [script.present, audited] if AUDIT in self.defences else [script.present]
        self.store = TopKStore(self.engine, world.records, xp.stack(views, axis=1))
        count = world.queries.shape[1]
        written = xp.zeros(count, dtype=xp.int64) + self.start
        if self.settings.write_back:
            self.store.write(world.queries)
            written = written + xp.arange(count, dtype=xp.int64)
        places, cosines, found = self.store.search(world.queries, max(case.k for case in cases), written)
        allowed = xp.asarray([case.k for case in cases], dtype=xp.int64)[:, None, None, None]
        found = found & (xp.arange(places.shape[-1]) < allowed)
        view = xp.asarray([int(name == AUDIT) for name in self.defences], dtype=xp.int64)
        self.places, self.cosines, self.found = (xp.take(array, view, axis=1) for array in (places, cosines, found))
        self.held_at_start = xp.take(self.store.held[..., : self.start], view, axis=1)
        shape = (self.lives, len(self.defences), len(self.store))
        # In place, as records come: nothing here is differentiated.
        self.actions = xp.zeros(shape, dtype=xp.int64)
        self.actions[..., : self.start] = script.record_action[:, None]

    def advance(self) -> Moment:
        """Answer one question, then write back what was done."""
        number = len(self.moments)
        found = self.found[:, :, number]
        actions = self.engine.xp.take_along_axis(self.actions, self.places[:, :, number], axis=-1)
        usable, judged = self._defend(number, actions, found)
        own = self.world.script.own_action[:, number]
        cosines = self.cosines[:, :, number]
        taken = act(self.engine, actions, cosines, usable, own, self.settings.temperature, TOPICS + 1)
        if self.settings.write_back:
            self.actions[..., self.start + number] = taken
        self.moments.append(Moment(number, actions, usable, taken, judged, self._warned(usable, judged)))
        return self.moments[-1]

    def _defend(self, number: int, actions: Array, found: Array) -> tuple[Array, Judgement | None]:
        """Say which retrieved records may be imitated, (L, G, K)."""
        if not self.judged:
            return found, None
        xp = self.engine.xp
        chosen = xp.asarray(self.judged)
        contents = self._contents(number, xp.take(actions, chosen, axis=1))
        paths = reason(self.engine, contents, self.world.wording_noise[:, number, : actions.shape[-1]])
        judged = judge(self.engine, paths, xp.take(found, chosen, axis=1), self.settings.eps)
        usable = [found[:, place] for place in range(len(self.defences))]
        for row, place in enumerate(self.judged):
            usable[place] = judged.consistent[:, row]
            if self.defences[place] == LESSONS:
                usable[place] = self._learn(number, paths[:, row], usable[place], actions[:, place], found[:, place])
        return xp.stack(usable, axis=1), judged

    def _warned(self, usable: Array, judged: Judgement | None) -> Array:
        if judged is None or LESSONS not in self.defences:
            return usable & ~usable
        xp, place = self.engine.xp, self.defences.index(LESSONS)
        here = xp.arange(len(self.defences))[:, None] == place
        return here & judged.consistent[:, self.judged.index(place)][:, None] & ~usable

    def _contents(self, number: int, actions: Array) -> Array:
        """Vectors (L, G, K, D) of actions (L, G, K) in this question's wordings."""
        xp, contents = self.engine.xp, self.world.contents
        wording = self.world.wording[:, number, : actions.shape[-1]][:, None]
        flat = xp.reshape(actions * contents.shape[2] + wording, (self.lives, -1))
        table = xp.reshape(contents, (self.lives, -1, contents.shape[-1]))
        return xp.reshape(pick(xp, table, flat), (*actions.shape, table.shape[-1]))

    def _learn(self, number: int, paths: Array, consistent: Array, actions: Array, found: Array) -> Array:
        """Drop what a lesson warns of, store what consensus rejected, and return what is left, (L, K)."""
        settings, xp = self.settings, self.engine.xp
        query = self.world.queries[:, number]
        matched = self.lessons.matches(query, paths, settings.lesson_path, settings.lesson_query)
        left = consistent & ~xp.any(matched, axis=-1)
        round_number = number // QUERIES + 1
        used = self.lessons.used(matched & consistent[..., None])
        self.lessons = used.learned(query, paths, found & ~consistent, actions, round_number)
        return left

    def answered(self, name: str) -> Any:
        """Stack what each moment so far has under that name, NumPy (L, G, S, ...)."""
        xp = self.engine.xp
        return self.engine.to_numpy(xp.stack([getattr(moment, name) for moment in self.moments], axis=2))
