"""What a learner can change in the three experiments: the fit, the store, the spacing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from mem_core.data import measurement_csv as limits
from mem_core.data.forgetting_measurements import SUBJECTS
from mem_core.mechanisms.agents.memorybank.curves import FAMILIES
from mem_core.mechanisms.agents.memorybank.dialogue import MOST_FACTS
from mem_core.mechanisms.agents.memorybank.forgetting import HAZARD, NONE, POLICIES, RANDOM
from mem_core.mechanisms.controls import (
    Choice,
    Choices,
    Number,
    Pairs,
    SettingsError,
    Switch,
    Whole,
    Wholes,
    setting,
)
from mem_core.mechanisms.settings import Settings

CURVES, STORE, SPACING = "The forgetting curve", "The store", "The spacing of reviews"
ALL_SUBJECTS = "all"
RANDOM_VECTORS, DIALOGUE_TEXT = "random vectors", "dialogue text"
LARGEST_STORE = 2 * 10**8
"""Facts × queries a day × policies × repeats: a search compares this many numbers at once, a few bytes each."""


@dataclass(frozen=True)
class ForgettingSettings(Settings):
    """Settings of the forgetting-curve page."""

    subject: str = setting(
        "Ebbinghaus",
        Choice(
            group=CURVES,
            label="Whose memory",
            help="Published measurements: Ebbinghaus (1885), Mack and Seitz (1991), Dros (2015), or all four.",
            options=(*SUBJECTS, ALL_SUBJECTS),
        ),
    )
    measurements: tuple[tuple[float, float], ...] = setting(
        (),
        Pairs(
            group=CURVES,
            label="Your own measurements",
            unit="days : retention",
            help="Your own delays and retentions, fitted in place of the published ones. Empty: the published ones.",
            x_low=limits.SHORTEST_DELAY_DAYS,
            x_high=limits.LONGEST_DELAY_DAYS,
            y_low=0.0,
            y_high=1.0,
            shortest=limits.FEWEST_ROWS,
            longest=limits.MOST_ROWS,
        ),
    )
    families: tuple[str, ...] = setting(
        ("exponential", "power", "Ebbinghaus 1885", "two exponentials"),
        Choices(
            group=CURVES,
            label="Curves",
            help="The formulas to fit to the measurements.",
            options=tuple(family.name for family in FAMILIES),
        ),
    )
    hold_out: bool = setting(
        False,
        Switch(
            group=CURVES,
            label="Hold out the last point",
            help="Fit without the longest delay, then see which curve predicts it.",
        ),
    )
    policies: tuple[str, ...] = setting(
        (HAZARD, RANDOM, NONE),
        Choices(
            group=STORE,
            label="Rules of forgetting",
            help="hazard: each night a piece survives with chance R(t)/R(t−1). per load: it must survive R(t) at every "
            "start of the program, as in the released code. rank: the highest R stay. random: chance decides. LRU: the "
            "most lately recalled stay. FIFO: the newest stay. none: nothing goes. released: the released code's "
            "formula, slip included. rank, random, LRU and FIFO have as many places as hazard that night.",
            options=POLICIES,
        ),
    )
    tau: float = setting(
        1.0,
        Number(
            group=STORE,
            label="Days per unit of strength, τ",
            unit="days",
            help="A piece of strength S keeps exp(−t/(τ·S)) after t days. The paper has τ = 1.",
            low=0.5,
            high=10.0,
            step=0.1,
        ),
    )
    top_k: int = setting(
        6,
        Whole(
            group=STORE,
            label="Pieces per search",
            help="How many pieces a question brings back; each of them is recalled.",
            low=1,
            high=20,
        ),
    )
    loads_per_day: int = setting(
        1,
        Whole(
            group=STORE,
            label="Starts of the program per day",
            help="How often a day pieces are checked for forgetting. It matters for per load and for released only.",
            low=1,
            high=5,
        ),
    )
    days: int = setting(
        60, Whole(group=STORE, label="Days", unit="days", help="How long the store lives.", low=10, high=365)
    )
    popularity_exponent: float = setting(
        1.1,
        Number(
            group=STORE,
            label="Evenness of popularity",
            help="Low: a few facts get most of the questions. High: every fact gets about the same.",
            low=0.8,
            high=3.0,
            step=0.1,
        ),
    )
    facts_per_day: int = setting(
        10, Whole(group=STORE, label="New facts per day", help="What is told each day.", low=1, high=300)
    )
    queries_per_day: int = setting(
        20,
        Whole(
            group=STORE,
            label="Questions per day",
            help="Each asks for one fact, popular ones more often.",
            low=1,
            high=500,
        ),
    )
    repeats: int = setting(
        3,
        Whole(
            group=STORE,
            label="Lives",
            help="How many independent lives of the store are averaged; luck decides a single one.",
            low=1,
            high=20,
        ),
    )
    embedding: str = setting(
        RANDOM_VECTORS,
        Choice(
            group=STORE,
            label="Facts are",
            help="random vectors: directions without meaning; a question is a noisy copy of its fact. dialogue text: "
            "sentences made from templates, searched by the words and letters they share with the question.",
            options=(RANDOM_VECTORS, DIALOGUE_TEXT),
        ),
    )
    schedule: tuple[int, ...] = setting(
        (0, 3, 10, 30),
        Wholes(
            group=SPACING,
            label="Days of learning and review",
            unit="days",
            help="The first day is when the piece is learned; a day may come twice.",
            low=0,
            high=3650,
            shortest=1,
            longest=12,
            increasing=False,
        ),
    )
    ratings: tuple[int, ...] = setting(
        (3,),
        Wholes(
            group=SPACING,
            label="How each review went",
            help="1 again (forgotten), 2 hard, 3 good, 4 easy: one per day above, the last one also for the days that "
            "follow. MemoryBank has no ratings: it counts every review as a recall.",
            low=1,
            high=4,
            shortest=1,
            longest=12,
            increasing=False,
        ),
    )
    desired_retention: float = setting(
        0.9,
        Number(
            group=SPACING,
            label="Desired retention",
            help="FSRS plans the next review for when retention has fallen to this.",
            low=0.70,
            high=0.97,
            step=0.01,
        ),
    )

    def check_together(self) -> None:
        """Refuse schedules that go back in time, and stores too large for their search."""
        if any(later < earlier for earlier, later in pairwise(self.schedule)):
            raise SettingsError(f"schedule is {self.schedule}, but its days must not go back in time.")
        facts = self.days * self.facts_per_day
        if self.embedding == DIALOGUE_TEXT and facts > MOST_FACTS:
            raise SettingsError(
                f"days × facts_per_day is {facts}, but dialogue text has sentences for at most {MOST_FACTS} facts; "
                f"lower one of them, or set embedding to {RANDOM_VECTORS}."
            )
        size = facts * self.queries_per_day * len(self.policies) * self.repeats
        if size > LARGEST_STORE:
            raise SettingsError(
                f"days × facts_per_day × queries_per_day × policies × repeats is {size:.1e}, but it must be at most "
                f"{LARGEST_STORE:.0e}; lower repeats first."
            )


BROWSER = ForgettingSettings()
CPU = ForgettingSettings(repeats=10)
GPU = ForgettingSettings(days=365, facts_per_day=274, queries_per_day=200, repeats=1)
"""A year with 100 000 facts."""
