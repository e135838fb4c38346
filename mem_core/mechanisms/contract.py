"""The contract of a mechanism: one module, one paper, plain data and plain functions.

A module in a family folder offers `MECHANISM`, a `Mechanism` that ties together its paper, settings, run, charts,
claims and exercise. Everything that shows, checks, serves or grades a mechanism works from these types alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mem_core.engine import Engine
from mem_core.mechanisms.charts import Chart
from mem_core.mechanisms.settings import Settings
from mem_core.mechanisms.tables import Table

Tier = Literal["browser", "cpu", "gpu"]
Relation = Literal[">=", "<=", "within"]
Family = Literal["state_space", "architectures", "learning", "continual", "editing", "agents", "overview"]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The paper a mechanism comes from."""

    title: str
    authors: str
    year: int
    arxiv: str
    code: str = ""


@dataclass(frozen=True)
class Frame:
    """One step of a run that can be shown: all tables so far. The last frame is the result.

    Attributes:
        progress: share of the run that is done, in [0, 1].
        tables: everything measured so far, by name.
        message: one short sentence about where the run is.
    """

    progress: float
    tables: Mapping[str, Table]
    message: str = ""


class RunError(RuntimeError):
    """A run that had to end early; the message says what happened and which setting to change."""


@dataclass(frozen=True)
class Result:
    """A finished run: what was asked and what came out."""

    settings: Settings
    seed: int
    engine: str
    tables: Mapping[str, Table]
    seconds: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """A number measured in a run against the number that the claim needs.

    `threshold` is one number for ">=" and "<=", and a pair (low, high) for "within". A run that cannot speak to
    the claim (a schedule that was not selected, say) gives `Evidence.missing(reason)`.
    """

    value: float
    threshold: float | tuple[float, float]
    relation: Relation
    note: str = ""

    @classmethod
    def missing(cls, reason: str) -> Evidence:
        """Evidence of nothing: this run cannot tell, and why."""
        return cls(math.nan, math.nan, ">=", reason)

    @property
    def tells(self) -> bool:
        """Whether the run could speak to the claim at all."""
        return not math.isnan(self.value)

    @property
    def holds(self) -> bool:
        """Whether the value stands in the stated relation to the threshold; NaN never does."""
        if isinstance(self.threshold, tuple):
            return self.threshold[0] <= self.value <= self.threshold[1]
        return self.value >= self.threshold if self.relation == ">=" else self.value <= self.threshold

    @property
    def wanted(self) -> str:
        """The threshold in words, such as ">= 3" or "0.6 to 0.95"."""
        if isinstance(self.threshold, tuple):
            return f"{self.threshold[0]:g} to {self.threshold[1]:g}"
        return f"{'≥' if self.relation == '>=' else '≤'} {self.threshold:g}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the paper says, and how a run shows it.

    Attributes:
        key: short name.
        statement: the claim in plain words, as far as the experiment here can show it.
        source: section, table or figure.
        paper_value: the paper's own figure, to stand beside ours.
        check: reads the evidence from the results of the runs in `variants`, in that order.
        variants: changes to the settings, one run each. The default, one run without changes, lets the page check
            the claim on the learner's own run as it is; a claim that compares runs names them here.
        repeats: whether the variants are the same experiment over again (with another model, say), so that one run
            alone gives a first reading; `check` then takes any number of results.
        across_seeds: whether the claim must hold for `each` seed or for the `mean` of the values.
    """

    key: str
    statement: str
    source: str
    check: Callable[[Sequence[Result]], Evidence]
    paper_value: str = ""
    variants: tuple[Mapping[str, Any], ...] = ({},)
    repeats: bool = False
    across_seeds: Literal["each", "mean"] = "each"


@dataclass(frozen=True)
class Grade:
    """What an answer earned, and one or two sentences that teach."""

    correct: bool
    feedback: str


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A question answered before the run that settles it.

    Attributes:
        question: the task, in plain words.
        answer: a `Settings` subclass whose fields are what the learner fills in.
        grade: computes the truth from a fresh run, `grade(answer, settings, seed, engine)`; no stored answers.
        follow_up: shown after success.
    """

    question: str
    answer: type[Settings]
    grade: Callable[[Any, Any, int, Engine], Grade]
    follow_up: str = ""


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """One mechanism: everything a page, a command or a server needs to know about it.

    Attributes:
        slug: name in links, with hyphens; the module has the same name with underscores.
        name: what learners call it.
        family: where the memory lives.
        summary: one sentence for the gallery: what is remembered and how it fades.
        stores, written, read, fades: a few words each, the mechanism's place on the map.
        paper: where it comes from.
        settings: the `Settings` subclass.
        presets: settings per tier.
        run: generates frames, `run(settings, engine, seed)`; the last frame is the result. It raises `RunError`
            where training diverges.
        charts: in the order a page shows them.
        claims: what the paper says.
        exercise: answer first, then run.
        faster_on_cpu: the engine whose default run is faster on a CPU, measured by `bench`; pages take it where there
            is no GPU. PyTorch pays some microseconds for every operation, which small arrays do not earn back.
        picture: key of the chart that the gallery shows small; the first one if empty.
        budget_seconds: how long a default run may take, by engine kind, beside which the benchmark shows the time.
        retention: what the table `retention` of a run holds, in words that follow "shows"; empty where nothing that is
            stored fades with time.
        machine_tables: names of the tables that tell of the machine and engine at hand (times, rounding) and not of
            the experiment; who compares two runs leaves them out.
    """

    slug: str
    name: str
    family: Family
    summary: str
    stores: str
    written: str
    read: str
    fades: str
    paper: Paper
    settings: type[Settings]
    presets: Mapping[Tier, Settings]
    run: Callable[[Any, Engine, int], Iterator[Frame]]
    charts: tuple[Chart, ...]
    claims: tuple[Claim, ...]
    exercise: Exercise
    faster_on_cpu: Literal["numpy", "torch"] = "torch"
    picture: str = ""
    budget_seconds: Mapping[str, float] = field(default_factory=dict)
    retention: str = ""
    machine_tables: frozenset[str] = frozenset()

    def chart(self, key: str) -> Chart:
        """Return the chart of that name."""
        return next(chart for chart in self.charts if chart.key == key)
