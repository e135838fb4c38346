"""One or two sentences for each chart, computed from the tables of a frame, full or not yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mem_core.mechanisms.state_space.efficientvim.costs import MIX
from mem_core.mechanisms.state_space.efficientvim.tables import ALONE, TESTED, WEIGHT
from mem_core.mechanisms.tables import Table
from mem_core.nn.hidden_state_mixer_block import IN_STATES, MIXERS, ON_TOKENS, Mixer

Tables = Mapping[str, Table]

NOTHING_YET = "Nothing has been measured yet."


def describe_write(tables: Tables) -> str:
    """Say what the chosen state is written from, and that shifting a changes nothing."""
    row = _first(tables, "looked")
    if not row:
        return NOTHING_YET
    told = (
        f"State {row['state']} takes {row['on_ink']:.0%} of its weight from ink, and {row['negative']:.0%} of it with "
        f"a minus sign. The picture is a {row['digit']}."
    )
    inert = _first(tables, "inert")
    if not inert:
        return told
    return (
        f"{told} Moving a by {inert['shift']:+g} changes no logit by more than {inert['largest_change']:.1g}; the "
        f"slope of the loss with respect to a is at most {inert['largest_slope']:.1g}."
    )


def describe_read(tables: Tables) -> str:
    """Say what the model answers."""
    row = _first(tables, "looked")
    if not row:
        return NOTHING_YET
    right = "which is right" if row["said"] == row["digit"] else f"but it is a {row['digit']}"
    sure = f"{row['sure']:.0%} sure"
    return f"Test picture {row['picture']}: the model says {row['said']}, {sure}, {right}."


def describe_learning(tables: Tables) -> str:
    """Say how far training has come."""
    learned = tables["learning"].where(pictures="training batches").rows()
    if not learned:
        return NOTHING_YET
    told = f"The loss on training batches went from {learned[0]['loss']:.2f} to {learned[-1]['loss']:.2f} nats."
    tested = tables["test"].rows()
    if not tested:
        return told
    last = tested[-1]
    return (
        f"{told} After {last['epoch']:g} epochs {last['accuracy']:.1%} of the {TESTED} are named right, at a loss of "
        f"{last['loss']:.2f}; guessing is right in 10%."
    )


def describe_sweep(tables: Tables) -> str:
    """Say what accuracy each number of states reaches, and where this run stands."""
    rows = tables["sweep"].rows()
    told = []
    if rows:
        means = ", ".join(f"N = {row['states']} {row['accuracy']:.1%}" for row in rows)
        told.append(f"Mean of {max(row['seeds'] for row in rows)} seeds, {rows[0]['kind']}: {means}.")
    own = _first(tables, "own")
    if own:
        told.append(f"This run, N = {own['states']} and {own['epochs']:g} epochs: {own['accuracy']:.1%}.")
    note = str(tables["sweep_note"]["note"][0])
    return " ".join([*told, note]) if told or note else NOTHING_YET


def describe_stages(tables: Tables) -> str:
    """Say what each head counts and gets right alone."""
    table = tables["stages"]
    if not len(table):
        return NOTHING_YET
    alone = {row["head"]: row["value"] for row in table.where(measure=ALONE).rows()}
    weights = {row["head"]: row["value"] for row in table.where(measure=WEIGHT).rows()}
    told = "; ".join(f"{head} {weight:.0%} and {alone[head]:.1%}" for head, weight in weights.items())
    return f"Weight β̂ and right answers alone: {told}. All heads together: {alone['all, weighted']:.1%} right."


def describe_costs(tables: Tables) -> str:
    """Compare the two mixers at the chosen grid."""
    length = int(tables["grid"]["length"][0])
    counts = {row["mixer"]: row["multiply_accumulates"] for row in tables["costs"].where(length=length).rows()}
    ratio = counts[ON_TOKENS] / counts[IN_STATES]
    return (
        f"With {length} tokens mixing in hidden states takes {counts[IN_STATES]:,} multiply-accumulates and mixing on "
        f"tokens {counts[ON_TOKENS]:,}, {ratio:.3g} times as many: the first is {1 / ratio:.0%} of the second."
    )


def describe_parts(tables: Tables) -> str:
    """Say which part differs."""
    mixing = {row["mixer"]: row["multiply_accumulates"] for row in tables["parts"].where(part=MIX).rows()}
    sums = {mixer: int(tables["parts"].where(mixer=mixer)["multiply_accumulates"].sum()) for mixer in MIXERS}
    shares = " and ".join(f"{mixing[mixer] / sums[mixer]:.0%} where it is done on {name}" for mixer, name in _NAMES)
    return (
        f"Mixing the channels takes {mixing[IN_STATES]:,} multiply-accumulates on the states and "
        f"{mixing[ON_TOKENS]:,} on the tokens, {shares}; the other parts are the same."
    )


def describe_times(tables: Tables) -> str:
    """Compare the measured times at every length."""
    rows = tables["times"].rows()
    if not rows:
        return "The layers are timed when training is done."
    times = {(row["length"], row["mixer"]): row["milliseconds"] for row in rows}
    lengths = sorted({length for length, _ in times})
    told = ", ".join(f"{length} tokens {times[length, ON_TOKENS] / times[length, IN_STATES]:.1f}" for length in lengths)
    longest = lengths[-1]
    return (
        f"Mixing on tokens took this many times as long as mixing in hidden states, {rows[0]['pictures']} at once: "
        f"{told}. At {longest} tokens that is {times[longest, ON_TOKENS]:.2g} against "
        f"{times[longest, IN_STATES]:.2g} ms."
    )


_NAMES: Sequence[tuple[Mixer, str]] = ((IN_STATES, "states"), (ON_TOKENS, "tokens"))


def _first(tables: Tables, name: str) -> dict[str, Any]:
    """Return the only row of a table, or nothing if it is still empty."""
    return next(iter(tables[name].rows()), {})
