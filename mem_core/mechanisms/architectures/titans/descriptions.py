"""The sentences that say what each chart shows, computed from the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mem_core.mechanisms.architectures.titans.lesson import ONE_LAYER
from mem_core.mechanisms.architectures.titans.overfull import AS_SET, VARIANTS
from mem_core.mechanisms.architectures.titans.tables import CURVES, MOMENTARY, MOVING
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
Row = dict[str, Any]

NOTHING_YET = "Nothing has been measured yet."
HALF = 0.5


def describe_ages(tables: Tables) -> str:
    """Say which pair is answered best, and how the ablations answer the newest and the oldest."""
    found = {name: tables["ages"].where(memory=name).rows() for name in VARIANTS}
    rows = found[AS_SET]
    if not rows:
        return NOTHING_YET
    best = min(rows, key=lambda row: row["error"])
    words = "; ".join(
        f"{name}: {lines[0]['error']:.2g} and {lines[-1]['error']:.2g}" if lines else f"{name}: diverged"
        for name, lines in found.items()
    )
    return (
        f"Best answered: the pair of {best['age']} tokens ago, error {best['error']:.2g}. Errors of the newest and the "
        f"oldest pair, with 1 for knowing nothing. {_capital(words)}."
    )


def describe_retention(tables: Tables) -> str:
    """Say when a pair is recalled best, and when half of that is lost."""
    rows = tables["retention"].rows()
    if not rows:
        return NOTHING_YET
    best = max(rows, key=lambda row: row["retention"])
    half = next((row for row in rows if row["lag"] > best["lag"] and row["retention"] < HALF * best["retention"]), None)
    lost = f"fewer than half as many after {half['lag']}" if half else "and more than half of that as far as was read"
    newest, best_words = f"{rows[0]['retention']:.0%} of the pairs just read", ""
    if best["lag"]:
        best_words = f"{best['retention']:.0%} after {best['lag']} more tokens, "
    return f"Recalled right: {newest}, {best_words}{lost}."


def describe_sweep(tables: Tables) -> str:
    """Say which forget gate is best on each curve, and where the memory as set stands."""
    words = []
    for curve in CURVES:
        rows = tables["sweep"].where(curve=curve).rows()
        if rows:
            best = min(rows, key=lambda row: row["error"])
            words.append(f"{curve}: {best['error']:.2g} at α = {best['forget']:g}{_at_zero(rows)}")
    if not words:
        return NOTHING_YET
    here = [f" As set, α = {row['forget']:g} gives {row['error']:.2g}." for row in tables["as_set"].rows()]
    return f"Lowest errors. {'; '.join(words)}.{''.join(here)}"


def _at_zero(rows: list[Row]) -> str:
    at_zero = [row["error"] for row in rows if row["forget"] == 0]
    return f" ({at_zero[0]:.2g} at 0)" if at_zero else " (at 0 it diverged)"


def describe_surprise(tables: Tables) -> str:
    """Say how long the last surprise is, and what became of a burst."""
    momentary, moving = (tables["surprise"].where(part=part).rows() for part in (MOMENTARY, MOVING))
    if not moving:
        return NOTHING_YET
    last, now = moving[-1], momentary[-1]
    text = f"At token {last['token']} the surprise is {now['length']:.2g} of the moment and {last['length']:.2g} with "
    text += "its past."
    for burst in tables["burst"].rows():
        after = [row for row in moving if row["token"] >= burst["token"]]
        if after:
            text += _what_burst_did(after, moving, burst["token"])
    return text


def _what_burst_did(after: list[Row], moving: list[Row], token: int) -> str:
    before = [row["length"] for row in moving if row["token"] < token]
    level = before[-1] if before else 0.0
    peak = max(after, key=lambda row: row["length"])
    faded = next(
        (row for row in after if row["token"] > peak["token"] and row["length"] < (peak["length"] + level) / 2), None
    )
    lasts = f"and is halfway back {faded['token'] - peak['token']} tokens later" if faded else "and has not come back"
    return f" The burst at token {token} lifts it from {level:.2g} to {peak['length']:.2g}, {lasts}."


def describe_weights(tables: Tables) -> str:
    """Say how large the weights shown are."""
    rows = tables["weights"].rows()
    if not rows:
        return NOTHING_YET
    values = [row["weight"] for row in rows]
    root_mean_square = (sum(value * value for value in values) / len(values)) ** 0.5
    return (
        f"Weights of the first stream after token {rows[0]['token']}: from {min(values):.2g} to {max(values):.2g}, "
        f"typically {root_mean_square:.2g}."
    )


def describe_lesson(tables: Tables) -> str:
    """Say how each memory answers pairs it never saw, and from when on two layers are ahead."""
    table = tables["lesson"]
    if len(table) == 0:
        return NOTHING_YET
    latest: dict[str, Row] = {row["memory"]: row for row in table.rows()}
    words = "; ".join(f"{name}: {row['error']:.2g}" for name, row in latest.items())
    flat = {row["pairs"]: row["error"] for row in table.where(memory=ONE_LAYER).rows()}
    ahead = [row["pairs"] for row in table.rows() if row["memory"] != ONE_LAYER and row["error"] < flat[row["pairs"]]]
    when = f"Two layers are first ahead at {min(ahead)} pairs" if ahead else "Two layers have not been ahead so far"
    return f"Error on new pairs after {latest[ONE_LAYER]['pairs']} pairs. {_capital(words)}. {when}."


def describe_training(tables: Tables) -> str:
    """Say how far the loss of outer training has fallen."""
    rows = tables["training"].rows()
    if not rows:
        return NOTHING_YET
    return f"Loss {rows[0]['loss']:.2g} nats at step {rows[0]['step']}, {rows[-1]['loss']:.2g} at {rows[-1]['step']}."


def describe_gates(tables: Tables) -> str:
    """Say how hard each kind of token is written, and how much it forgets."""
    rows = tables["gates"].rows()
    if not rows:
        return NOTHING_YET
    by_kind: dict[str, list[float]] = {}
    for row in rows:
        by_kind.setdefault(row["kind"], []).append(row["value"])
    words = "; ".join(
        f"{kind} θ {step:.2g}, η {momentum:.2g}, α {forget:.2g}" for kind, (forget, momentum, step) in by_kind.items()
    )
    return f"Learned gates: {words}."


def describe_layer(tables: Tables) -> str:
    """Say what the trained layer recalls at the trained number of pairs and at the largest."""
    rows = tables["layer_recall"].rows()
    trained = tables["trained_on"]["pairs"][0]
    if not rows:
        return NOTHING_YET
    there = next(row for row in rows if row["pairs"] == trained)
    return (
        f"Trained on {trained} pairs, the layer answers {there['recalled']:.1%} of the queries there and "
        f"{rows[-1]['recalled']:.1%} with {rows[-1]['pairs']} pairs."
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
