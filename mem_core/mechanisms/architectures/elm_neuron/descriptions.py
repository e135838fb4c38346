"""The sentences that say what each chart shows, computed from the tables."""

from __future__ import annotations

from collections.abc import Mapping

from mem_core.mechanisms.architectures.elm_neuron.presentation import BURST, YOURS
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
NOT_TRAINED = "No neuron has been trained yet."


def describe_spikes(tables: Tables) -> str:
    """Count the spikes of the burst and the stray ones before the memory is read."""
    spikes, read = tables["spikes"], int(tables["marks"]["time"][-1])
    burst = len(spikes.where(kind=BURST))
    stray = int((spikes["time"] <= read).sum()) - burst
    return f"The burst has {burst} spikes. Until the memory is read, at {read} ms, {stray} stray spikes follow."


def describe_memory(tables: Tables) -> str:
    """Say between which levels the fastest and the slowest unit move."""
    parts = []
    for unit, rows in _fastest_and_slowest(tables["memory"]):
        low, high = rows["value"].min(), rows["value"].max()
        parts.append(f"the {unit} unit (τ = {rows['tau'][0]:.3g} ms) moves between {low:.2f} and {high:.2f}")
    return f"In this trial {' and '.join(parts)}."


def describe_trace(tables: Tables) -> str:
    """Say how much of the burst the fastest and slowest units hold after a while, beside their leak alone."""
    lag = tables["trace"]["lag"].max() // 2
    parts = []
    for unit, rows in _fastest_and_slowest(tables["trace"].where(lag=lag)):
        leak = tables["leak"].where(unit=unit, lag=lag)["left"]
        alone = f"{leak[0]:.1%}" if len(leak) else "not begun"
        parts.append(
            f"the {unit} unit (τ = {rows['tau'][0]:.3g} ms) holds {rows['left'][0]:.1%}, its leak alone {alone}"
        )
    return f"{lag} ms after the burst {'; '.join(parts)}."


def describe_forgetting(tables: Tables) -> str:
    """Say how often each neuron is read right at the learner's delay."""
    table = tables["forgetting"]
    if not len(table):
        return "Nothing has been read yet."
    delay = int(tables["delay"]["delay"][0])
    parts = [f"{name} {rows['accuracy'][0]:.0%}" for name, rows in _neurons(table.where(delay=delay))]
    guessing = tables["chance"]["accuracy"][0]
    return f"Read right after {delay} ms: {', '.join(parts)}. Guessing is right in {guessing:.0%}."


def describe_units(tables: Tables) -> str:
    """Say what neurons of each size read right, and how far those of one size differ."""
    rows = tables["units"].rows()
    if not rows:
        return "No size has been measured yet."
    means = ", ".join(f"{row['units']}: {row['accuracy']:.0%}" for row in rows)
    widest = max(rows, key=lambda row: float(row["highest"] - row["lowest"]))
    return (
        f"Read right after {tables['delay']['delay'][0]} ms, by number of units: {means}. Random neurons of "
        f"{widest['units']} units differ most, from {widest['lowest']:.0%} to {widest['highest']:.0%}."
    )


def describe_loss(tables: Tables) -> str:
    """Say where the loss of each trained neuron began and where it stands."""
    table = tables["loss"]
    if not len(table):
        return NOT_TRAINED
    parts = [f"{name} {rows['loss'][0]:.2f} to {rows['loss'][-1]:.2f}" for name, rows in _neurons(table)]
    return f"Loss from step {table['step'][0]} to step {table['step'][-1]}: {', '.join(parts)} nats."


def describe_sums(tables: Tables) -> str:
    """Say how many sums each trained neuron gets right, beside one that knows a single burst."""
    table = tables["sums"]
    if not len(table):
        return NOT_TRAINED
    parts = [f"{name} {rows['accuracy'][-1]:.0%}" for name, rows in _neurons(table)]
    known = tables["one_burst"]["accuracy"][0]
    return f"Right sums after step {table['step'][-1]}: {', '.join(parts)}. Knowing one burst alone gives {known:.0%}."


def describe_confusion(tables: Tables) -> str:
    """Say which sum is answered best and which worst."""
    right = sorted((row["share"], row["sum"]) for row in tables["confusion"].rows() if row["sum"] == row["answer"])
    if not right:
        return NOT_TRAINED
    (worst, hardest), (best, easiest) = right[0], right[-1]
    return (
        f"Of the sequences whose sum is {easiest} your neuron answers {best:.0%} right, its best; "
        f"of those whose sum is {hardest}, {worst:.0%}, its worst."
    )


def _fastest_and_slowest(table: Table) -> list[tuple[str, Table]]:
    names = table["unit"].tolist()
    return [(name, table.where(unit=name)) for name in dict.fromkeys((names[0], names[-1]))]


def _neurons(table: Table) -> list[tuple[str, Table]]:
    """Return each neuron's name, the learner's own with its slowest time constant, and its rows."""
    found = [(name, table.where(neuron=name)) for name in dict.fromkeys(table["neuron"].tolist())]
    return [(f"{name} (τmax {rows['tau_max'][0]:g} ms)" if name == YOURS else name, rows) for name, rows in found]
