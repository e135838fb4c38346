"""What is kept of each world: every measure of every regime as one number, and the answers' confidence.

Axes: R worlds, N questions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from mem_core.engine import Array, Engine
from mem_core.mechanisms.overview.memory_in_llms import metrics
from mem_core.mechanisms.overview.memory_in_llms.dated_facts import (
    FACTS,
    LATER,
    QUESTION,
    SNAPSHOT,
    TRAINING,
    Worlds,
    draw,
)
from mem_core.mechanisms.overview.memory_in_llms.regimes import (
    AS_OF,
    OFFLINE,
    ONLINE,
    PO,
    REGIMES,
    Answers,
    Search,
    from_parameters,
    passages,
)
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings

CORRECT, OUTDATED, WRONG, REFUSED = "correct", "outdated", "wrong", "refused"
OUTCOMES = (CORRECT, OUTDATED, WRONG, REFUSED)
ALL, CHANGED, UNCHANGED = "all", "changed", "unchanged"
PARTS = (ALL, CHANGED, UNCHANGED)
NOISES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""σ at which correctness is followed against attribution."""
LAGS = range(LATER + 1)
"""Periods since the snapshot, or since training."""


class Record:
    """Measures by regime and name, one number for each world so far.

    Attributes:
        values: (regime, name) to a list over worlds.
        confidence, right: regime to pooled lists over all answers, refused ones among them.
        sweep: σ to (correct, attributed) lists over worlds, of the live source.
        ageing: (regime, lag) to the share answered right, a list over worlds.
        seconds: regime to the time that all answers took.
        worlds: how many.
    """

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], list[float]] = {}
        self.confidence: dict[str, list[float]] = {regime: [] for regime in REGIMES}
        self.right: dict[str, list[bool]] = {regime: [] for regime in REGIMES}
        self.sweep: dict[float, tuple[list[float], list[float]]] = {}
        self.ageing: dict[tuple[str, int], list[float]] = {}
        self.seconds = dict.fromkeys(REGIMES, 0.0)
        self.worlds = 0

    def add(self, engine: Engine, settings: MapSettings, seed: int, numbers: Sequence[int]) -> None:
        """Draw some worlds, ask all questions in all regimes, and keep what is measured."""
        worlds = draw(engine, settings, seed, numbers)
        started = time.perf_counter()
        self._keep(PO, worlds, from_parameters(engine, worlds, settings))
        self.seconds[PO] += time.perf_counter() - started
        started = time.perf_counter()
        search = Search(engine, worlds)
        for regime, answers in search.answers(settings):
            self._keep(regime, worlds, answers)
        for regime in (OFFLINE, ONLINE):  # one search serves both
            self.seconds[regime] += (time.perf_counter() - started) / 2
        self._follow_noise(search, settings)
        self._follow_time(engine, search, settings)
        self.worlds += len(numbers)

    def _keep(self, regime: str, worlds: Worlds, answers: Answers) -> None:
        now = worlds.true(QUESTION)
        right = (answers.value == now) & answers.given
        former = (answers.value == worlds.true(TRAINING)) | (answers.value == worlds.true(SNAPSHOT))
        outdated = ~right & answers.given & former
        outcomes = {CORRECT: right, OUTDATED: outdated, WRONG: answers.given & ~right & ~outdated}
        outcomes[REFUSED] = ~answers.given
        parts = {ALL: now == now, CHANGED: worlds.changed, UNCHANGED: ~worlds.changed}
        for world in range(len(now)):
            for part, inside in parts.items():
                for outcome, truths in outcomes.items():
                    self._append(regime, f"{outcome}, {part}", metrics.share(truths[world][inside[world]].tolist()))
            self._keep_protocol(regime, worlds, answers, right, world)
        if regime == PO:
            for lag in LAGS:
                aged = (answers.value == worlds.true(TRAINING + lag)).mean(axis=-1)
                self.ageing.setdefault((PO, lag), []).extend(aged.tolist())
        self.confidence[regime] += answers.confidence.ravel().tolist()
        self.right[regime] += (answers.value == now).ravel().tolist()

    def _keep_protocol(self, regime: str, worlds: Worlds, answers: Answers, right: Array, world: int) -> None:
        """Keep the measures of the survey's five panels."""
        given, held = answers.given[world], worlds.held[world, :, :FACTS]
        conflict = held[TRAINING] != held[SNAPSHOT]
        stale = held[AS_OF[regime]] != held[QUESTION]
        happened, stored = _events(held, QUESTION), _events(held, AS_OF[regime])
        anchors = [_valid_since(held, time) for time in (AS_OF[regime], QUESTION)]
        kept = {
            "event F1": metrics.event_f1(stored, happened),
            "time-anchoring error": metrics.time_anchoring_error(*anchors),
            "attribution": 1 - metrics.unsupported_rate(answers.supported[world][given].tolist()),
            "passage among 5": metrics.share(answers.among[world].tolist()),
            "current value among 5": metrics.share(answers.fresh[world].tolist()),
            "citation coverage": metrics.citation_coverage([regime != PO] * int(given.sum())),
            "refused, unanswerable": metrics.share(answers.unknown_refused[world].tolist()),
            "conflicts resolved": metrics.conflicts_resolved(conflict.tolist(), right[world].tolist()),
            "refused, stale": metrics.refusal_at_stale(stale.tolist(), (~given).tolist()),
        }
        for name, value in kept.items():
            self._append(regime, name, value)

    def _follow_noise(self, search: Search, settings: MapSettings) -> None:
        for noise in sorted({*NOISES, settings.noise}):
            kept = self.sweep.setdefault(noise, ([], []))
            for values, found in zip(kept, search.online(noise, settings.refusal), strict=True):
                values += found.mean(axis=-1).tolist()

    def _follow_time(self, engine: Engine, search: Search, settings: MapSettings) -> None:
        found, worlds = search.look_up(settings.noise).place, search.worlds
        frozen = passages(engine, worlds, found, SNAPSHOT)
        for lag in LAGS:
            live = passages(engine, worlds, found, SNAPSHOT + lag)
            for regime, answers in ((OFFLINE, frozen), (ONLINE, live)):
                right = (answers == worlds.true(SNAPSHOT + lag)).mean(axis=-1)
                self.ageing.setdefault((regime, lag), []).extend(right.tolist())

    def _append(self, regime: str, name: str, value: float) -> None:
        self.values.setdefault((regime, name), []).append(value)

    def mean(self, regime: str, name: str) -> float:
        """Return a measure's mean over the worlds in which there was something to measure."""
        known = [value for value in self.values[regime, name] if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan


def _events(held: Array, until: int) -> set[tuple[int, int]]:
    """Return the changes up to a time, as pairs of fact and time."""
    return {
        (fact, time)
        for time in range(1, until + 1)
        for fact, changed in enumerate((held[time] != held[time - 1]).tolist())
        if changed
    }


def _valid_since(held: Array, time: int) -> list[float]:
    """Return since when every fact has had the value that it has at a time."""
    since = [0.0] * held.shape[-1]
    for fact, moment in sorted(_events(held, time), key=lambda event: event[1]):
        since[fact] = float(moment)
    return since
