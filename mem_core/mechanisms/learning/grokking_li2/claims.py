"""What the paper says about grokking, and how these small networks show it.

The paper's figures are for M = 71 with 2048 units; the thresholds here are for M = 23 with 256.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean, linear_regression, median
from typing import Any

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.learning.grokking_li2.energy import largest_energy
from mem_core.mechanisms.learning.grokking_li2.recording import EVERY, KINDS, LAYERS

_NO_DECAY: Mapping[str, Any] = {"weight_decay": 0.0, "steps": 400}
_WEAKEST: Mapping[str, Any] = {"weight_decay": 5e-5, "steps": 1000, "stop_when_grokked": True}
_WEAK: Mapping[str, Any] = {"weight_decay": 1e-4, "steps": 600, "stop_when_grokked": True}
_MIDDLE: Mapping[str, Any] = {"weight_decay": 3e-4}
_STRONG: Mapping[str, Any] = {"weight_decay": 1e-3}
_MAP: Mapping[str, Any] = {**_STRONG, "steps": 600, "stop_when_grokked": True, "boundary_map": "small"}

LATER = 8.0
"""t_grok over t_mem from which on understanding counts as delayed."""
NOTHING_UNDERSTOOD = 0.2
"""Share of test pairs below which nothing of the rule is understood; guessing gives 0.04 at M = 23."""
COUPLING_LIMIT = 0.08
SLOPE = (-0.95, -0.6)
MULTIPLIER = (2.2, 3.1)
LARGEST_SPREAD = 0.2
MOVEMENT_STEP = 100
TRAINED_PEAK = (0.95, 1.05)
"""Energy of the trained units relative to the peak that the theory gives."""


def _point(result: Result) -> Mapping[str, Any]:
    """Return the first network's row of the map: when it memorised and grokked."""
    return result.tables["grok_point"].rows()[0]


def _not_grokked(results: Sequence[Result]) -> str:
    """Say which run has not grokked; empty if all have."""
    for result in results:
        if _point(result)["grokked_step"] is None:
            point = _point(result)
            return (
                f"with decay {point['weight_decay']:g} and share {point['train_share']:g} there is no grokking "
                f"within {point['steps']} steps"
            )
    return ""


def _smallest_lead(results: Sequence[Result]) -> Evidence:
    """Return by how many steps each run groks before the one named before it, the smallest lead."""
    reason = _not_grokked(results)
    if reason:
        return Evidence.missing(reason)
    steps = [_point(result)["grokked_step"] for result in results]
    lead = min(earlier - later for earlier, later in pairwise(steps))
    return Evidence(float(lead), EVERY, ">=", "understood at steps " + ", ".join(f"{step:g}" for step in steps))


def _no_later(results: Sequence[Result]) -> Evidence:
    """Return by how many steps the second run groks before the first; zero is no later."""
    lead = _smallest_lead(results)
    return Evidence(lead.value, 0.0, ">=", lead.note) if lead.tells else lead


def _slope(results: Sequence[Result]) -> Evidence:
    reason = _not_grokked(results)
    if reason:
        return Evidence.missing(reason)
    points = [_point(result) for result in results]
    slope = linear_regression(
        [math.log(point["weight_decay"]) for point in points], [math.log(point["grokked_step"]) for point in points]
    ).slope
    return Evidence(slope, SLOPE, "within")


def _delay(results: Sequence[Result]) -> Evidence:
    point = _point(results[0])
    reason = _not_grokked(results)
    if reason or not point["memorised_step"]:
        return Evidence.missing(reason or "the training pairs were not memorised by training")
    note = f"step {point['memorised_step']:g} and step {point['grokked_step']:g}"
    return Evidence(point["grokked_step"] / point["memorised_step"], LATER, ">=", note)


def _best(result: Result, split: str) -> float:
    return float(max(result.tables["history"].where(split=split, network=1)["accuracy"]))


def _understands_nothing(results: Sequence[Result]) -> Evidence:
    if _point(results[0])["memorised_step"] is None:
        return Evidence.missing("the training pairs were not memorised either")
    return Evidence(_best(results[0], "test"), NOTHING_UNDERSTOOD, "<=")


def _groks(results: Sequence[Result]) -> Evidence:
    point = _point(results[0])
    return Evidence(_best(results[0], "test"), 0.95, ">=", f"decay {point['weight_decay']:g}")


def _cannot_memorise(results: Sequence[Result]) -> Evidence:
    return Evidence(_best(results[0], "train"), 0.99, "<=")


def _movement(result: Result) -> float:
    moved = result.tables["movement"].where(step=MOVEMENT_STEP, network=1, layer=LAYERS[0])
    return float(moved["movement"][0]) if len(moved) else math.nan


def _movement_rises(results: Sequence[Result]) -> Evidence:
    moved = [_movement(result) for result in results]
    if any(math.isnan(value) for value in moved):
        return Evidence.missing(f"a run ended before step {MOVEMENT_STEP}")
    rise = min(later / earlier for earlier, later in pairwise(moved))
    return Evidence(rise, 1.0, ">=", "movement " + ", ".join(f"{value:.0e}" for value in moved))


def _stays_diagonal(results: Sequence[Result]) -> Evidence:
    point = _point(results[0])
    end = point["steps"] if point["grokked_step"] is None else point["grokked_step"]
    measured = results[0].tables["coupling"].where(network=1)
    until = [value for step, value in zip(measured["step"], measured["coupling"], strict=True) if step <= end]
    return Evidence(float(max(until)), COUPLING_LIMIT, "<=")


def _boundary(results: Sequence[Result]) -> tuple[list[float], str]:
    tables = results[0].tables
    found = tables["boundary"].rows()
    moduli = set(tables["map_cells"]["modulus"].tolist())
    if len(found) < len(moduli) or not found:
        return [], "no boundary between the shares of the map for some modulus"
    return [row["multiplier"] for row in found], ", ".join(
        f"M={r['modulus']}: {r['critical_share']:.2f}" for r in found
    )


def _boundary_law(results: Sequence[Result]) -> Evidence:
    multipliers, words = _boundary(results)
    if not multipliers:
        return Evidence.missing(words)
    centre = fmean(MULTIPLIER)
    return Evidence(max(multipliers, key=lambda value: abs(value - centre)), MULTIPLIER, "within", words)


def _boundary_spread(results: Sequence[Result]) -> Evidence:
    multipliers, words = _boundary(results)
    if not multipliers:
        return Evidence.missing(words)
    return Evidence((max(multipliers) - min(multipliers)) / fmean(multipliers), LARGEST_SPREAD, "<=", words)


def _climbed(result: Result, kind: str) -> list[dict[str, Any]]:
    return result.tables["energy"].where(kind=kind).rows()


def _all_pure(results: Sequence[Result]) -> Evidence:
    return Evidence(min(row["purity"] for row in _climbed(results[0], KINDS[1])), 0.999, ">=")


def _peak_energy(results: Sequence[Result]) -> Evidence:
    size = int(_point(results[0])["modulus"])
    relative = [row["energy"] / largest_energy(size, row["frequency"]) for row in _climbed(results[0], KINDS[1])]
    return Evidence(max(relative, key=lambda value: abs(value - 1)), (0.999, 1.001), "within", "E over M/4")


def _trained_units_peak(results: Sequence[Result]) -> Evidence:
    reason = _not_grokked(results)
    if reason:
        return Evidence.missing(reason)
    size, units = int(_point(results[0])["modulus"]), _climbed(results[0], KINDS[3])
    relative = median(row["energy"] / largest_energy(size, row["frequency"]) for row in units)
    return Evidence(relative, TRAINED_PEAK, "within", f"median E over M/4 of {len(units)} units that are left")


def _data_decides(results: Sequence[Result]) -> Evidence:
    few, many = (fmean(row["purity"] for row in _climbed(result, KINDS[2])) for result in results)
    return Evidence(many - few, 0.5, ">=", f"mean purity {few:.2f} and {many:.2f}")


CLAIMS = (
    Claim(
        key="delayed",
        statement="The rule is understood long after the training pairs are memorised: at least 8 times as many steps.",
        source="Figs. 1 and 3",
        check=_delay,
        paper_value="log of the official code (M = 23, share 0.9): train 100 % at epoch 17, test 100 % at 50",
    ),
    Claim(
        key="no-decay-no-grokking",
        statement="Without weight decay everything is memorised and nothing understood in 400 steps, at a training "
        "share of 0.6 and 256 units (test accuracy never above 0.2).",
        source="Prop. 1, Fig. 3",
        check=_understands_nothing,
        paper_value="M = 71: grokking with η = 2e-4, none with η = 0",
        variants=(_NO_DECAY,),
    ),
    Claim(
        key="decay-is-not-necessary",
        statement="The limit of the claim above: with 128 units and a training share of 0.7 networks grok without any "
        "weight decay. Decay is sufficient, not necessary.",
        source="§8",
        check=_groks,
        variants=({"weight_decay": 0.0, "hidden": 128, "train_share": 0.7, "steps": 400},),
    ),
    Claim(
        key="more-decay-earlier",
        statement="The more weight decay, the earlier the understanding: η = 1e-3, 3e-4 and 1e-4 grok in this order.",
        source="§3, Prop. 1",
        check=_smallest_lead,
        paper_value="weight decay acts as the learning rate of the hidden layer",
        variants=(_WEAK, _MIDDLE, _STRONG),
    ),
    Claim(
        key="decay-slope",
        statement="The step of understanding falls with weight decay nearly like one over it: the slope of log t_grok "
        "on log η is between −0.95 and −0.6, for η from 5e-5 to 1e-3. (Adam's normalisation keeps it from being −1.)",
        source="§3, Prop. 1",
        check=_slope,
        paper_value="gradient to the hidden layer ∝ η for small η",
        variants=(_WEAKEST, _WEAK, _MIDDLE, _STRONG),
    ),
    Claim(
        key="too-much-decay",
        statement="With η = 5e-3 the decay wins: not even the training pairs are memorised (256 units, rate 0.01).",
        source="toy-scale finding; not in the paper",
        check=_cannot_memorise,
        variants=({"weight_decay": 5e-3},),
    ),
    Claim(
        key="decay-moves-hidden-layer",
        statement="At step 100, with everything memorised, the hidden layer moves more the larger the decay: "
        "η = 0, 1e-4, 3e-4, 1e-3.",
        source="Prop. 1, Fig. 3",
        check=_movement_rises,
        variants=(_NO_DECAY, _WEAK, _MIDDLE, _STRONG),
    ),
    Claim(
        key="units-act-alone",
        statement="Up to the jump the hidden units stay nearly independent: off-diagonal entries of their Gram matrix "
        "are at most 8 % of the diagonal.",
        source="Fig. 3",
        check=_stays_diagonal,
        paper_value="diagonal within 8 %",
    ),
    Claim(
        key="zero-start-of-output",
        statement="Starting the output layer at zero, the network groks no later than from random output weights.",
        source="§3.2",
        check=_no_later,
        paper_value="zero start speeds up feature learning (M = 41, 89, 127)",
        variants=({"output_scale": 1.0, "steps": 300}, {"output_scale": 0.0, "steps": 300}),
    ),
    Claim(
        key="more-data-earlier",
        statement="The more data, the earlier the understanding: training shares 0.8, 0.7 and 0.6 grok in this order, "
        "at η = 1e-4.",
        source="§4.2",
        check=_smallest_lead,
        variants=(_WEAK, {**_WEAK, "train_share": 0.7}, {**_WEAK, "train_share": 0.8}),
    ),
    Claim(
        key="boundary-law",
        statement="Half of the test pairs are right after 600 steps from a training share p_c on that follows ln(M)/M: "
        "p_c·M/ln(M) is between 2.2 and 3.1 for each of M = 11, 17, 23 (η = 1e-3).",
        source="Thm. 4, Fig. 5",
        check=_boundary_law,
        paper_value="p_c ∝ ln(M)/M; its code uses the factor 2.7482",
        variants=(_MAP,),
    ),
    Claim(
        key="boundary-spread",
        statement="The factor p_c·M/ln(M) is the same for M = 11, 17 and 23 within 20 % of its mean.",
        source="Thm. 4, Fig. 5",
        check=_boundary_spread,
        paper_value="one factor for all M",
        variants=(_MAP,),
    ),
    Claim(
        key="peaks-are-waves",
        statement="A unit that climbs its energy on all pairs ends as a pure wave from every random start: at least "
        "99.9 % of its power is in one frequency.",
        source="Thm. 2",
        check=_all_pure,
        paper_value="the maxima are the irreducible representations of the group",
    ),
    Claim(
        key="peak-energy",
        statement="The energy there is M/4 (M/2 at the frequency M/2 of an even M). The paper prints M/16 and M/8, for "
        "its proof drops a factor of 2.",
        source="Thm. 2, Cor. 2",
        check=_peak_energy,
        paper_value="M/16 and M/8: right up to a constant",
    ),
    Claim(
        key="trained-units-reach-the-peaks",
        statement="The hidden units of a network trained on 60 % of the pairs, for long enough (η = 1e-3, 400 steps), "
        "sit on these very peaks: the median energy of the units that decay has left over is M/4 within 5 %.",
        source="Thms. 1 and 2",
        check=_trained_units_peak,
        paper_value="units learn the maxima of E",
        variants=({**_STRONG, "steps": 400},),
    ),
    Claim(
        key="data-decides-the-peaks",
        statement="With too few pairs the peaks are no longer waves but fit the training pairs: the mean purity of "
        "units that climbed on the training pairs is higher by at least 0.5 at a share of 0.8 than at 0.35.",
        source="Thms. 4 and 5",
        check=_data_decides,
        variants=({"train_share": 0.35, "steps": 50}, {"train_share": 0.8, "steps": 50}),
    ),
)
