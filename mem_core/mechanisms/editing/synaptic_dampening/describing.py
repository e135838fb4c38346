"""The sentence of every chart, computed from the tables."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from mem_core.mechanisms.editing.synaptic_dampening.forgetting import BEFORE, DAMPENED, METHODS, RETRAINED
from mem_core.mechanisms.editing.synaptic_dampening.settings import DIGIT
from mem_core.mechanisms.editing.synaptic_dampening.tables import (
    AFTER,
    AFTER_SHUFFLE,
    ATTACK,
    D_F,
    D_R_TEST,
    FORGET_ROWS,
    FORGET_TEST,
    KEEP_TEST,
    LOST,
    SELECTED,
    value_of,
)
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
NOT_YET = "The network is still being trained."
STILL_THERE = 0.1
"""Share of right answers above which a digit counts as remembered, that of guessing."""


def sweep(tables: Tables) -> str:
    """Say what the α that is set does, and where nothing is selected any more."""
    if not len(tables["own"]):
        return NOT_YET
    shares = {row["line"]: row["share"] for row in tables["own"].rows()}
    forgotten = (
        f"of the training rows to forget {shares[FORGET_ROWS]:.0%}"
        if FORGET_ROWS in shares
        else f"of those to forget {shares[FORGET_TEST]:.0%}"
    )
    summary = tables["summary"].rows()[0]
    if len(tables["ceiling"]):
        end = f"No ratio can be above 1/f = {summary['ceiling']:.3g}, so from there on nothing happens."
    else:
        end = f"Of mini-batches there is no ceiling; the largest ratio here is {summary['largest_ratio']:.3g}."
    return (
        f"At α = {summary['alpha']:.3g} and λ = {summary['dampening']:.3g}, {shares[SELECTED]:.1%} of all weights are "
        f"selected. Of the test rows to keep {shares[KEEP_TEST]:.0%} are right, {forgotten}. {end}"
    )


def weights(tables: Tables) -> str:
    """Say how many weights are selected, by which ratio, and what becomes of them."""
    if not len(tables["summary"]):
        return NOT_YET
    row = tables["summary"].rows()[0]
    dots = f"{len(tables['weights'])} weights are drawn."
    hard = (
        f"The hardest {row['hard_rows']} of {row['rows']} rows carry {row['hard_share']:.0%} of all importance; "
        f"{row['hard_forgotten']} of them are to be forgotten."
    )
    if not row["selected"]:
        return (
            f"No weight matters more than {row['alpha']:.3g} times as much for the {row['forget_rows']} rows to forget "
            f"as for all; the largest ratio is {row['largest_ratio']:.3g}. {hard} {dots}"
        )
    return (
        f"{row['selected']} of {row['total']} weights matter more than {row['alpha']:.3g} times as much for the "
        f"{row['forget_rows']} rows to forget as for all; the largest ratio is {row['largest_ratio']:.3g}. They are "
        f"multiplied by {row['beta_mean']:.2g} on average. {hard} {dots}"
    )


def by_digit(tables: Tables) -> str:
    """Say what became of the digit to forget and of the others."""
    table = tables["by_digit"]
    if DAMPENED not in table["method"]:
        return NOT_YET
    before, after = (table.where(method=method)["accuracy"].tolist() for method in (BEFORE, DAMPENED))
    asked = tables["asked"].rows()[0]
    forgotten = asked["digit"] if asked["forget"] == DIGIT else None
    lost = {digit: before[digit] - after[digit] for digit in range(len(before)) if digit != forgotten}
    most = max(lost, key=lambda digit: lost[digit])
    others = (
        f"lose {100 * fmean(lost.values()):.1f} points on average, digit {most} the most with {100 * lost[most]:.1f}"
    )
    if forgotten is None:
        return f"Random rows were to be forgotten: the ten digits {others}."
    return (
        f"Of the test rows of digit {forgotten} {before[forgotten]:.0%} were right, and {after[forgotten]:.0%} are "
        f"after dampening. The other digits {others}."
    )


def units(tables: Tables) -> str:
    """Say how much of each unit's input was selected."""
    if not len(tables["unit_names"]):
        return NOT_YET
    rows = tables["unit_names"].rows()
    counts = {row["unit"]: row["selected"] for row in rows}
    inputs = len(tables["units"]) // len(rows)
    if not any(counts.values()):
        return "No weight of the first layer is selected, so nothing changes here."
    words = ", ".join(f"{count} of unit {unit + 1}" for unit, count in counts.items())
    return f"Selected of {inputs} input weights each: {words}. Blue is negative, yellow positive."


def methods(tables: Tables) -> str:
    """Say how the methods compare, as far as they have come."""
    done = [method for method in METHODS if method in tables["methods"]["method"]]
    if not done:
        return NOT_YET
    lists = [
        f"{words}: {', '.join(f'{method} {value_of(tables, method, measure):.0%}' for method in done)}"
        for words, measure in (
            ("Right on the rows to forget", D_F),
            ("on test rows to keep", D_R_TEST),
            ("taken by the attack for training rows", ATTACK),
        )
    ]
    return f"{'; '.join(lists)}."


def seconds(tables: Tables) -> str:
    """Say how much longer training again takes than dampening."""
    taken = {row["method"]: row["seconds"] for row in tables["seconds"].rows()}
    if DAMPENED not in taken:
        return NOT_YET
    words = f"Measuring the importances and dampening took {taken[DAMPENED]:.2g} s"
    if RETRAINED not in taken:
        return f"{words}."
    return f"{words}, training again {taken[RETRAINED]:.2g} s: {taken[RETRAINED] / taken[DAMPENED]:.0f} times as long."


def every_digit(tables: Tables) -> str:
    """Say which digits are forgotten and which stay."""
    table = tables["every_digit"]
    if not len(table):
        return NOT_YET
    stay = [row for row in table.where(measure=AFTER).rows() if row["share"] > STILL_THERE]
    words = ", ".join(f"digit {row['digit']} ({row['share']:.0%} right)" for row in stay)
    kept = f", not {words}" if stay else ""
    shuffled, lost = (fmean(table.where(measure=name)["share"].tolist()) for name in (AFTER_SHUFFLE, LOST))
    forgotten = len(table.where(measure=AFTER)) - len(stay)
    return (
        f"Forgotten: {forgotten} of 10 digits{kept}. The others lose {100 * lost:.1f} points on average. "
        f"With the same multipliers shuffled, {shuffled:.0%} of the digit stays."
    )
