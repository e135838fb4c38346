"""Charts of the spacing of reviews."""

from __future__ import annotations

from collections.abc import Mapping

from mem_core.mechanisms.agents.memorybank.spacing import (
    FSRS,
    FSRS_MASSED,
    MASSED,
    MEMORYBANK,
    MEMORYBANK_MASSED,
    SPACED,
)
from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]


def describe_retention(tables: Tables) -> str:
    """Say what both rules think of the memory after the last review, and when it is due."""
    last = tables["spacing_reviews"].rows()[-1]
    return (
        f"After review {last['review']} on day {last['day']}, MemoryBank has S = {last['memorybank_strength']} and "
        f"FSRS-6 has S = {last['fsrs_stability']:.1f} days at difficulty {last['fsrs_difficulty']:.1f}. FSRS plans the "
        f"next review for day {last['fsrs_due']}; MemoryBank's retention falls to the same value on day "
        f"{last['memorybank_due']:.1f}."
    )


def describe_strength(tables: Tables) -> str:
    """Compare the learner's schedule with one review a day."""
    table = tables["spacing_strength"]

    def last(rule: str, schedule: str) -> float:
        return float(table.where(rule=rule, schedule=schedule)["strength"][-1])

    return (
        f"FSRS-6 ends at S = {last(FSRS, SPACED):.1f} days with your schedule and {last(FSRS, MASSED):.1f} with one "
        f"review a day; MemoryBank ends at S = {last(MEMORYBANK, SPACED):.0f} and {last(MEMORYBANK, MASSED):.0f}."
    )


SPACING_CHARTS = (
    Chart(
        key="spacing_retention",
        title="Retention under two rules",
        x=Axis(title="Day"),
        y=Axis(title="Retention R", domain=(0.0, 1.0)),
        layers=(
            Layer(mark="rule_x", table="spacing_reviews", x="day"),
            Layer(mark="rule_y", table="spacing_goal", y="retention", text="words"),
            Layer(mark="line", table="spacing_curves", x="day", y="retention", color="rule", label_ends=True),
        ),
        describe=describe_retention,
        look_for="After a long pause FSRS lets a recall count for more; MemoryBank always adds one.",
        series=(MEMORYBANK, FSRS),
        height=300,
    ),
    Chart(
        key="spacing_strength",
        title="What each review adds",
        x=Axis(title="Review"),
        y=Axis(title="S: strength (MemoryBank), stability in days (FSRS-6)", scale="log"),
        layers=(
            Layer(mark="line", table="spacing_strength", x="review", y="strength", color="series", label_ends=True),
            Layer(mark="point", table="spacing_strength", x="review", y="strength", color="series"),
        ),
        describe=describe_strength,
        look_for="Spread the reviews out: FSRS's line steepens, MemoryBank's two lines stay one.",
        series=(MEMORYBANK, FSRS, MEMORYBANK_MASSED, FSRS_MASSED),
    ),
)
