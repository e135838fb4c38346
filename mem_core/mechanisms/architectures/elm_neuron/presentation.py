"""The tables of a run: what `charts.py` draws and the claims read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from mem_core.mechanisms.architectures.elm_neuron.decoding import CHANCE, Decoder
from mem_core.mechanisms.architectures.elm_neuron.recipes import DECODED, Recipe
from mem_core.mechanisms.architectures.elm_neuron.settings import ElmSettings
from mem_core.mechanisms.architectures.elm_neuron.training import Report
from mem_core.mechanisms.tables import Table

Tables = dict[str, Table]

YOURS = "your neuron"
MEASURED, LEAK_ALONE = "measured", "leak alone, exp(−t/τ)"
BURST, STRAY = "burst", "stray spike"
RANKS = ("fastest", "fast", "middle", "slow", "slowest")
"""Names of the units that are drawn, whatever their number."""
TRACED_RANKS = RANKS[::2]
"""Of these the trace of the burst is drawn: more curves and their dashed partners would hide one another."""
RANKS_OF_FEW = {1: RANKS[-1:], 2: (RANKS[0], RANKS[-1]), 3: RANKS[::2], 4: (*RANKS[:2], *RANKS[3:])}
SHOWN_AFTER_READING = 10
SHORTEST_VIEW = 40
"""The close look covers at least so many ms after the burst."""
TRACE_MS = 120
"""Length of the curves that follow the trace of a burst."""


def reference_name(tau_max: float) -> str:
    """Name a neuron that the learner's own is compared with."""
    return f"τmax {tau_max:g} ms"


def neuron_name(tau_max: float, settings: ElmSettings) -> str:
    """Name a neuron by its slowest time constant; the learner's own is called so."""
    return YOURS if tau_max == settings.tau_max else reference_name(tau_max)


def empty(recipe: Recipe | None) -> Tables:
    """Return the tables of what comes later, with their columns and no rows."""
    return {
        "forgetting": Table.of({"delay": "ms", "tau_max": "ms"}, delay=[], accuracy=[], neuron=[], tau_max=[]),
        "chance": Table.of(accuracy=[CHANCE], text=["guessing"]),
        "retention": Table.of({"lag": "ms"}, lag=[], retention=[]),
        "units": units_table({}),
        "loss": Table.of({"step": "steps", "loss": "nats"}, step=[], loss=[], neuron=[], tau_max=[]),
        "sums": Table.of({"step": "steps"}, step=[], accuracy=[], neuron=[], tau_max=[]),
        "one_burst": Table.of(
            accuracy=[recipe.chance] if recipe else [], text=["knowing one of the two bursts"] if recipe else []
        ),
        "confusion": Table.of(sum=[], answer=[], share=[]),
    }


def look_tables(decoder: Decoder, settings: ElmSettings) -> Tables:
    """Lay out one trial, spike by spike and unit by unit, and what the burst leaves in each unit on average."""
    steps = DECODED.burst + max(settings.delay, SHORTEST_VIEW) + SHOWN_AFTER_READING
    return {
        "spikes": _spikes(decoder, steps),
        "marks": Table.of(
            {"time": "ms"},
            time=[DECODED.burst, DECODED.burst + settings.delay],
            text=["burst ends" if settings.delay > 0 else "", "read"],
        ),
        "memory": _memory(decoder, settings, steps),
        "delay": Table.of({"delay": "ms"}, delay=[settings.delay], text=["D"]),
        **_trace(decoder, settings),
    }


def shown_units(units: int) -> dict[str, int]:
    """Choose the units that are drawn: name to index, from the fastest to the slowest."""
    names = RANKS_OF_FEW.get(units, RANKS)
    last = max(len(names) - 1, 1)
    return {name: (units - 1) * place // last for place, name in enumerate(names)}


def forgetting_table(curves: Mapping[float, Mapping[int, float]], settings: ElmSettings) -> Table:
    """Lay out accuracy by delay, one curve for each slowest time constant."""
    rows = [
        (delay, accuracy, neuron_name(tau_max, settings), tau_max)
        for tau_max, curve in curves.items()
        for delay, accuracy in curve.items()
    ]
    delay, accuracy, name, tau_of_neuron = ([row[column] for row in rows] for column in range(4))
    units = {"delay": "ms", "tau_max": "ms"}
    return Table.of(units, delay=delay, accuracy=accuracy, neuron=name, tau_max=tau_of_neuron)


def retention_table(curve: Mapping[int, float]) -> Table:
    """Rescale a forgetting curve: 1 is always right, 0 is guessing."""
    kept = [min(1.0, max(0.0, (accuracy - CHANCE) / (1 - CHANCE))) for accuracy in curve.values()]
    return Table.of({"lag": "ms"}, lag=list(curve), retention=kept)


def units_table(accuracies: Mapping[int, Sequence[float]]) -> Table:
    """Lay out the accuracies of several random neurons of each size: their mean, the lowest and the highest."""
    return Table.of(
        {"units": "units"},
        units=list(accuracies),
        accuracy=[fmean(found) for found in accuracies.values()],
        lowest=[min(found) for found in accuracies.values()],
        highest=[max(found) for found in accuracies.values()],
    )


def training_tables(reports: Sequence[Report], tau_maxes: Sequence[float], settings: ElmSettings, sums: int) -> Tables:
    """Lay out loss and accuracy of every neuron, and what the learner's own answers to each sum."""
    rows = [
        (report.step, report.loss[index], report.accuracy[index], neuron_name(tau_max, settings), tau_max)
        for index, tau_max in enumerate(tau_maxes)
        for report in reports
    ]
    step, loss, accuracy, neuron, tau = ([row[column] for row in rows] for column in range(5))
    units = {"step": "steps", "tau_max": "ms"}
    return {
        "loss": Table.of(units | {"loss": "nats"}, step=step, loss=loss, neuron=neuron, tau_max=tau),
        "sums": Table.of(units, step=step, accuracy=accuracy, neuron=neuron, tau_max=tau),
        "confusion": _confusion(reports[-1], sums),
    }


def _confusion(report: Report, sums: int) -> Table:
    rows = []
    for right in range(sums):
        given = report.answers[0][report.truth == right]
        rows += [(right, answer, float((given == answer).mean()) if len(given) else 0.0) for answer in range(sums)]
    truth, answers, shares = ([row[column] for row in rows] for column in range(3))
    return Table.of(sum=truth, answer=answers, share=shares)


def _spikes(decoder: Decoder, steps: int) -> Table:
    times, channels = decoder.spikes[0, :steps].nonzero()
    return Table.of(
        {"time": "ms"},
        time=times + 1,  # a step is shown at its end
        channel=channels + 1,
        kind=[BURST if time < DECODED.burst else STRAY for time in times],
    )


def _memory(decoder: Decoder, settings: ElmSettings, steps: int) -> Table:
    memory = decoder.memory_of_first_trial(steps)
    units = shown_units(settings.units)
    return Table.of(
        {"time": "ms", "tau": "ms"},
        time=[time + 1 for _ in units for time in range(steps)],
        value=[float(value) for index in units.values() for value in memory[:, index]],
        unit=[name for name in units for _ in range(steps)],
        tau=[tau for tau in _taus(settings) for _ in range(steps)],
    )


def _taus(settings: ElmSettings) -> list[float]:
    tau = settings.timing().tau(settings.units)
    return [float(tau[index]) for index in shown_units(settings.units).values()]


def _trace(decoder: Decoder, settings: ElmSettings) -> Tables:
    """Lay out what is left of the burst in each unit, as a share of its largest trace, and the leak from there on."""
    trace = decoder.trace_of_burst(DECODED.burst + TRACE_MS)[DECODED.burst - 1 :]
    kappa = settings.timing().keep(settings.units)
    measured, leak = [], []
    for (name, index), tau in zip(shown_units(settings.units).items(), _taus(settings), strict=True):
        if name not in TRACED_RANKS:
            continue
        curve = [float(left) for left in trace[:, index]]
        largest = max(curve)
        peak = curve.index(largest)
        measured += [(lag, left / largest if largest else 0.0, name, tau, MEASURED) for lag, left in enumerate(curve)]
        alone = range(peak, len(curve))
        leak += [(lag, float(kappa[index]) ** (lag - peak), name, tau, LEAK_ALONE) for lag in alone]
    return {"trace": _trace_table(measured), "leak": _trace_table(leak)}


def _trace_table(rows: Sequence[tuple[int, float, str, float, str]]) -> Table:
    lag, left, unit, tau, kind = ([row[column] for row in rows] for column in range(5))
    return Table.of({"lag": "ms", "tau": "ms"}, lag=lag, left=left, unit=unit, tau=tau, kind=kind)
