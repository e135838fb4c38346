"""What the paper says, as far as one small neuron shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from mem_core.mechanisms.architectures.elm_neuron.decoding import CHANCE
from mem_core.mechanisms.architectures.elm_neuron.recipes import STANDARD
from mem_core.mechanisms.architectures.elm_neuron.run import COMPARED_TAU_MAX, COMPARED_UNITS
from mem_core.mechanisms.contract import Claim, Evidence, Result

DOUBLED_DELAYS = (10, 20, 40, 80, 160)
READ_AT = (40, 80)
SLOW, FAST = 100.0, 5.0
"""Slowest time constants of the two neurons whose training is compared, in ms."""

LONGER_TRAINING = ({"training": STANDARD},)
PASSIVE = ({"training": STANDARD, "feedback": False},)


def slower_units_hold_longer(results: Sequence[Result]) -> Evidence:
    """Smallest gain in accuracy from one slowest time constant to the next, at 40 and 80 ms."""
    accuracy = _forgetting(results[0])
    if not _holds_all(accuracy, READ_AT):
        return _all_curves_needed()
    gains = [
        accuracy[slower, delay] - accuracy[faster, delay]
        for faster, slower in pairwise(COMPARED_TAU_MAX)
        for delay in READ_AT
    ]
    at_40 = ", ".join(f"{accuracy[tau, 40]:.2f}" for tau in COMPARED_TAU_MAX)
    return Evidence(min(gains), -0.02, ">=", f"after 40 ms {at_40} for τmax 5, 20, 100, 500 ms")


def delay_costs(results: Sequence[Result]) -> Evidence:
    """Largest rise in accuracy when the delay doubles; below guessing there is nothing left that could rise."""
    accuracy = _forgetting(results[0])
    if not _holds_all(accuracy, DOUBLED_DELAYS):
        return _all_curves_needed()
    rises = [
        max(accuracy[tau, later], CHANCE) - max(accuracy[tau, sooner], CHANCE)
        for tau in COMPARED_TAU_MAX
        for sooner, later in pairwise(DOUBLED_DELAYS)
    ]
    return Evidence(max(rises), 0.02, "<=", f"over {len(rises)} doublings")


def slowest_beats_fastest(results: Sequence[Result]) -> Evidence:
    """Accuracy after 40 ms with the slowest unit at 500 ms, less that with it at 5 ms."""
    accuracy = _forgetting(results[0])
    if not _holds_all(accuracy, READ_AT):
        return _all_curves_needed()
    slowest, fastest = accuracy[COMPARED_TAU_MAX[-1], 40], accuracy[COMPARED_TAU_MAX[0], 40]
    return Evidence(slowest - fastest, 0.4, ">=", f"{slowest:.2f} against {fastest:.2f}")


def more_units_hold_more(results: Sequence[Result]) -> Evidence:
    """Smallest gain in mean accuracy when the number of units doubles."""
    table = results[0].tables["units"]
    means = [float(table.where(units=units)["accuracy"][0]) for units in COMPARED_UNITS]
    shown = ", ".join(f"{mean:.2f}" for mean in means)
    return Evidence(min(later - sooner for sooner, later in pairwise(means)), 0.0, ">=", f"{shown} for 1 to 32 units")


def right_sums(tau_max: float, threshold: float, *, at_least: bool) -> Callable[[Sequence[Result]], Evidence]:
    """Ask how many sums the neuron with that slowest time constant gets right after training."""

    def check(results: Sequence[Result]) -> Evidence:
        trained = results[0].tables["sums"].where(tau_max=tau_max)
        if not len(trained):
            return Evidence.missing(f"needs a trained neuron with τmax {tau_max:g} ms")
        note = f"τmax {tau_max:g} ms, {trained['step'][-1]} steps"
        return Evidence(float(trained["accuracy"][-1]), threshold, ">=" if at_least else "<=", note)

    return check


def _forgetting(result: Result) -> dict[tuple[float, int], float]:
    """Map (slowest time constant, delay) to accuracy."""
    rows = result.tables["forgetting"].rows()
    return {(row["tau_max"], row["delay"]): row["accuracy"] for row in rows}


def _holds_all(accuracy: dict[tuple[float, int], float], delays: Sequence[int]) -> bool:
    return all((tau, delay) in accuracy for tau in COMPARED_TAU_MAX for delay in delays)


def _all_curves_needed() -> Evidence:
    return Evidence.missing("needs the curves of τmax 5, 20, 100 and 500 ms, so a τmin below 5 ms")


CLAIMS = (
    Claim(
        key="slower-units-hold-longer",
        statement="The slower the slowest unit, the longer a burst can be read: from τmax 5 over 20 and 100 to 500 ms "
        "accuracy after 40 and after 80 ms never falls by more than 2 points.",
        source="equations of the ELM neuron: memory time constants",
        paper_value="no figure for this task",
        check=slower_units_hold_longer,
        across_seeds="mean",
    ),
    Claim(
        key="delay-costs",
        statement="The longer the delay, the less can be read: no curve rises by more than 2 points when the delay "
        "doubles, from 10 to 160 ms.",
        source="equations of the ELM neuron: κ = exp(−Δt/τ)",
        paper_value="no figure for this task",
        check=delay_costs,
        across_seeds="mean",
    ),
    Claim(
        key="slowest-beats-fastest",
        statement="After 40 ms a neuron with units up to 500 ms is read right at least 40 points more often than one "
        "with units up to 5 ms.",
        source="equations of the ELM neuron: κ = exp(−Δt/τ)",
        paper_value="no figure for this task",
        check=slowest_beats_fastest,
    ),
    Claim(
        key="more-units-hold-more",
        statement="Each doubling of the memory units, from 1 to 32, lets more be read (mean of five random neurons).",
        source="NeuronIO results by number of memory units, README of the official code",
        paper_value="test AUC of 0.9437 with 1 unit, 0.9582 with 2, 0.9878 with 10, 0.9929 with 30",
        check=more_units_hold_more,
        across_seeds="mean",
    ),
    Claim(
        key="slow-neuron-adds",
        statement="Trained end to end, a neuron with units up to 100 ms adds two bursts 40 ms apart: at least 85 % of "
        "the sums are right.",
        source="SHD-Adding experiment, of which this is a toy form",
        paper_value="no figure for this toy; there the digits are spoken",
        check=right_sums(SLOW, 0.85, at_least=True),
    ),
    Claim(
        key="fast-neuron-forgets",
        statement="The same neuron with units up to 5 ms has lost the first burst: at most 45 % of the sums are right "
        "(knowing the second alone gives 33 %).",
        source="SHD-Adding experiment, of which this is a toy form",
        paper_value="no figure for this toy; there the digits are spoken",
        check=right_sums(FAST, 0.45, at_least=False),
    ),
    Claim(
        key="slow-neuron-adds-noisy-bursts",
        statement="With twice the training on longer bursts that fire less reliably, the slow neuron again gets at "
        "least 85 % right.",
        source="SHD-Adding experiment, of which this is a toy form",
        paper_value="no figure for this toy; there the digits are spoken",
        check=right_sums(SLOW, 0.85, at_least=True),
        variants=LONGER_TRAINING,
    ),
    Claim(
        key="leak-bounds-passive-memory",
        statement="In that longer training a fast neuron often learns to keep the first burst alive by feedback. With "
        "dendrites that do not read the memory it cannot: at most 45 % are right. The time constants bound what leaks, "
        "not what is written again.",
        source="limit found with this experiment; not in the paper",
        paper_value="no figure",
        check=right_sums(FAST, 0.45, at_least=False),
        variants=PASSIVE,
    ),
)
