"""One or two sentences for each chart, computed from the tables of a frame, full or not yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mem_core.mechanisms.state_space.longmamba.models import TRAINED_LENGTH
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]

NOTHING_YET = "Nothing has been measured yet."


def describe_accuracy(tables: Tables) -> str:
    """Compare the modes at the longest length measured so far."""
    table = tables["accuracy"]
    if not len(table):
        return NOTHING_YET
    length = int(table["length"].max())
    rows = table.where(length=length).rows()
    chance = float(tables["chance"]["accuracy"][0])
    told = ", ".join(f"{row['mode']} {row['accuracy']:.0%}" for row in rows)
    times = f"{length / TRAINED_LENGTH:.3g} times " if length > TRAINED_LENGTH else ""
    return f"At {length} tokens, {times}the trained length: {told}; guessing {chance:.1%}."


def describe_retention(tables: Tables) -> str:
    """Say how much of the needle is left at the end of the sequence."""
    table = tables["fading"]
    if not len(table):
        return NOTHING_YET
    lag = int(table["lag"].max())
    ends = ", ".join(f"{row['mode']} {_share(row['retention'])}" for row in table.where(lag=lag).rows())
    where = "global heads" if len(tables["heads"].where(kind="global head")) else "head 1, since no head is global,"
    return f"{lag} tokens after the needle, this much of it is left in {where}: {ends}."


def describe_decay(tables: Tables) -> str:
    """Compare the decay of the global heads before and after the filter with that at the trained length."""
    heads = tables["heads"]
    if not len(heads):
        return NOTHING_YET
    chosen = heads.where(kind="global head")
    if not len(chosen):
        return f"None of the {len(heads)} heads is global at this θ."
    target, before, after = (_mean_power(chosen, name) for name in ("log10_target", "log10_before", "log10_after"))
    return (
        f"{len(chosen)} of {len(heads)} heads are global. On average they keep {target} of the first token over "
        f"{TRAINED_LENGTH} tokens; over the whole sequence {before} before the filter and {after} after it."
    )


def describe_steps(tables: Tables) -> str:
    """Say which share of the tokens each kind of head lets through."""
    heads = tables["heads"]
    if not len(heads):
        return NOTHING_YET
    place = int(tables["needle"]["token"][0])
    skipping = [row for row in heads.rows() if row["kept"] < 1]
    largest = max(tables["steps"].rows(), key=lambda row: row["log10_step"])
    told = f"The needle stands at token {place}; the largest step size, {10 ** largest['log10_step']:.2g}, is taken by "
    told += f"{largest['head']} at token {largest['token']}."
    if not skipping:
        return f"{told} No head skips a token."
    shares = [row["kept"] for row in skipping]
    return (
        f"{told} {len(skipping)} heads skip tokens; they keep {_share(min(shares))} to {_share(max(shares))} of them."
    )


def describe_threshold(tables: Tables) -> str:
    """Say how many tokens the budget of the chosen head pays for."""
    if not len(tables["threshold"]):
        return NOTHING_YET
    row = tables["threshold"].rows()[0]
    told = f"In {row['head']}, a {row['kind']}, step sizes may add up to about {row['budget']:.3g}"
    if row["threshold"] <= 0:
        return f"{told}; at this length that is all of them, and nothing is skipped."
    told += f": the {row['kept']} largest of the curve."
    return f"{told} In a head that skips, tokens with a step size up to {row['threshold']:.3g} are skipped."


def describe_answers(tables: Tables) -> str:
    """Say how sure each mode is of the right value."""
    rows = tables["answers"].rows()
    if not rows:
        return NOTHING_YET
    told = [
        _answer(row["mode"], [other for other in rows if other["mode"] == row["mode"]]) for row in rows if row["right"]
    ]
    return f"{' '.join(told)}"


def describe_training(tables: Tables) -> str:
    """Say how the loss fell."""
    rows = tables["training"].rows()
    if not rows:
        return NOTHING_YET
    first, last = rows[0], rows[-1]
    return f"The loss went from {first['loss']:.2f} to {last['loss']:.2g} in {last['step']} steps of training."


def _answer(mode: str, rows: list[dict[str, Any]]) -> str:
    right = next(row for row in rows if row["right"])
    first = max(rows, key=lambda row: row["probability"])
    judged = "right" if first is right else f"wrong; the needle was {right['value']}"
    how = "Without a filter" if mode == "off" else f"With {mode}"
    return f"{how} the model answers {first['value']}, {first['probability']:.0%} sure, which is {judged}."


def _mean_power(heads: Table, name: str) -> str:
    mean = float(heads[name].mean())
    return f"{10**mean:.0%}" if mean > -2 else f"10 to the power of {mean:.1f}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
