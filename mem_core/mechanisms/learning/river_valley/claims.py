"""What the paper says, measured on runs of this experiment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.learning.river_valley.results import DECAYED_PAIR, HILL, RIVER, STABLE_PAIR
from mem_core.mechanisms.learning.river_valley.settings import (
    CONSTANT,
    COSINE,
    CYCLIC,
    SCHEDULES,
    WSD,
    WSD_CHARGED,
    WSD_S,
)
from mem_core.training.schedules import decay_length

BASIC = (CONSTANT, WSD, COSINE)
SWEPT_RATES = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
DOUBLED_RATES = (4.0, 8.0, 16.0, 32.0)
SWEEP = tuple({"schedules": BASIC, "peak_rate": rate} for rate in SWEPT_RATES)
DOUBLING = tuple({"schedules": BASIC, "peak_rate": rate} for rate in DOUBLED_RATES)
ALL_SCHEDULES = ({"schedules": SCHEDULES},)
DRAINED = ({"schedules": BASIC, "decay_fraction": 0.2, "floor_ratio": 0.01},)
SMALL_VALLEY_RATE = ({"schedules": BASIC, "valley_rate": 0.02},)

PAPER = "arXiv 2410.05192"


def plateau_then_drop(results: Sequence[Result]) -> Evidence:
    """Final loss of the constant rate over that of WSD."""
    constant, wsd = (_at_end(results[0], schedule) for schedule in (CONSTANT, WSD))
    if not constant or not wsd:
        return _needs(CONSTANT, WSD)
    return Evidence(constant["loss"] / wsd["loss"], 3, ">=", f"{constant['loss']:.3g} against {wsd['loss']:.3g}")


def hill_drains(results: Sequence[Result]) -> Evidence:
    """Hill loss at the start of WSD's decay over that at its end."""
    ends = _around_decay(results[0])
    if not ends:
        return _needs(WSD)
    before, after = (row[HILL] for row in ends)
    return Evidence(before / after, 5, ">=", f"hill {before:.3g} before, {after:.3g} after")


def river_stays(results: Sequence[Result]) -> Evidence:
    """Relative change of the river loss during WSD's decay."""
    ends = _around_decay(results[0])
    if not ends:
        return _needs(WSD)
    before, after = (row[RIVER] for row in ends)
    return Evidence(abs(after / before - 1), 0.2, "<=", f"river {before:.3g} before, {after:.3g} after")


def river_falls_with_rate(results: Sequence[Result]) -> Evidence:
    """Factor by which doubling a constant rate lowers the river, the one furthest from the 2 of a river like 1/rate."""
    rivers = [_at_end(result, CONSTANT)[RIVER] for result in results]
    note = ", ".join(f"{value:.2g}" for value in rivers)
    ratios = (first / second for first, second in pairwise(rivers))
    return Evidence(max(ratios, key=lambda ratio: abs(ratio - 2)), (1.5, 2.5), "within", f"river {note}")


def hill_grows_with_rate(results: Sequence[Result]) -> Evidence:
    """Smallest factor by which doubling a constant rate raises the hill."""
    hills = [_at_end(result, CONSTANT)[HILL] for result in results]
    note = ", ".join(f"{value:.2g}" for value in hills)
    return Evidence(min(second / first for first, second in pairwise(hills)), 1, ">=", f"hill {note}")


def wsd_likes_higher_rates(results: Sequence[Result]) -> Evidence:
    """Peak rate at which WSD ends lowest over the one at which a constant rate does."""
    best = {schedule: min(results, key=lambda result: _final_loss(result, schedule)) for schedule in (CONSTANT, WSD)}
    rates = {schedule: result.settings.peak_rate for schedule, result in best.items()}  # type: ignore[attr-defined]
    note = ", ".join(f"{name} {rate:g} ({_final_loss(best[name], name):.3g})" for name, rate in rates.items())
    return Evidence(rates[WSD] / rates[CONSTANT], 2, ">=", f"best rates: {note}")


def cosine_behind_wsd(results: Sequence[Result]) -> Evidence:
    """Lowest loss of cosine over all rates, over the lowest of WSD."""
    cosine, wsd = (min(_final_loss(result, schedule) for result in results) for schedule in (COSINE, WSD))
    return Evidence(cosine / wsd, 1, ">=", f"best cosine {cosine:.3g}, best WSD {wsd:.3g}")


def below_cyclic_cosine(results: Sequence[Result]) -> Evidence:
    """Largest loss of WSD-S over that of cyclic cosine, over the budgets."""
    return _worst_ratio(results[0], WSD_S, CYCLIC, 1.0)


def ties_or_beats_wsd(results: Sequence[Result]) -> Evidence:
    """Largest loss of WSD-S over that of WSD with its thrown-away decays charged, over the budgets."""
    return _worst_ratio(results[0], WSD_S, WSD_CHARGED, 1.15)


def near_separate_cosines(results: Sequence[Result]) -> Evidence:
    """Largest loss of WSD-S over that of a cosine trained for that budget alone, over the budgets."""
    return _worst_ratio(results[0], WSD_S, COSINE, 1.15)


def stable_line_dips(results: Sequence[Result]) -> Evidence:
    """Loss in the middle of the line between two stable checkpoints over that of the lower end."""
    losses = _line(results[0], STABLE_PAIR)
    if not losses:
        return _needs(WSD)
    middle, lower = losses[len(losses) // 2], min(losses[0], losses[-1])
    return Evidence(middle / lower, 1, "<=", f"{losses[0]:.3g}, in the middle {middle:.3g}, {losses[-1]:.3g}")


def decayed_line_falls(results: Sequence[Result]) -> Evidence:
    """Largest rise between neighbours on the line between two decayed checkpoints, as a share of the fall."""
    losses = _line(results[0], DECAYED_PAIR)
    if not losses:
        return _needs(WSD)
    fall = losses[0] - losses[-1]
    rise = max(second - first for first, second in pairwise(losses))
    note = f"from {losses[0]:.3g} to {losses[-1]:.3g}, lowest {min(losses):.3g}"
    return Evidence(max(rise, 0.0) / fall if fall > 0 else float("inf"), 0.03, "<=", note)


def valley_decay_pays(results: Sequence[Result]) -> Evidence:
    """Mean loss in the valley under the constant rate, and under cosine, over that of WSD: the smaller."""
    losses = _valley(results[0])
    if not losses.keys() >= {CONSTANT, WSD, COSINE}:
        return _needs(*BASIC)
    note = ", ".join(f"{schedule} {loss:.3g}" for schedule, loss in losses.items())
    return Evidence(min(losses[CONSTANT], losses[COSINE]) / losses[WSD], 1.1, ">=", note)


def valley_decay_useless(results: Sequence[Result]) -> Evidence:
    """Mean loss in the valley under WSD over that of the constant rate, both at a small rate."""
    losses = _valley(results[0])
    note = ", ".join(f"{schedule} {loss:.3g}" for schedule, loss in losses.items())
    return Evidence(losses[WSD] / losses[CONSTANT], 1, ">=", note)


def _at_end(result: Result, schedule: str) -> dict[str, Any]:
    """Return the checkpoint of the last budget; empty if the schedule was not run."""
    rows = result.tables["budgets"].where(schedule=schedule).rows()
    return rows[-1] if rows else {}


def _final_loss(result: Result, schedule: str) -> float:
    return float(_at_end(result, schedule)["loss"])


def _around_decay(result: Result) -> list[dict[str, Any]]:
    """Return WSD's losses at the start and at the end of its last decay; empty if WSD was not run."""
    settings: Any = result.settings
    last = settings.budgets[-1]
    table = result.tables["loss"].where(schedule=WSD, branch=f"to {last}")
    steps = (last - decay_length(last, settings.decay_fraction), last)
    return [row for step in steps for row in table.where(step=step).rows()]


def _worst_ratio(result: Result, schedule: str, other: str, threshold: float) -> Evidence:
    ratios = []
    for row in result.tables["budgets"].where(schedule=schedule).rows():
        beside = result.tables["budgets"].where(schedule=other, budget=row["budget"])
        ratios.append(row["loss"] / float(beside["loss"][0]))
    return Evidence(max(ratios), threshold, "<=", "by budget: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))


def _line(result: Result, pair: str) -> list[float]:
    return [float(loss) for loss in result.tables["line"].where(pair=pair)["loss"]]


def _valley(result: Result) -> dict[str, float]:
    table = result.tables["valley"]
    return {str(row["schedule"]): float(row["loss"]) for row in table.rows()}  # the last row of each schedule stays


def _needs(*schedules: str) -> Evidence:
    return Evidence.missing(f"This run lacks one of: {', '.join(schedules)}.")


CLAIMS = (
    Claim(
        key="plateau-then-drop",
        statement="A high constant rate leaves the loss high; the same run with a short decay ends at a third or less.",
        source=f"{PAPER}, abstract",
        paper_value="loss stays elevated in the stable phase and falls sharply in the decay",
        check=plateau_then_drop,
    ),
    Claim(
        key="decay-drains-hill",
        statement="What the decay removes is the bounce: the hill loss falls at least fivefold during it.",
        source=f"{PAPER}, abstract",
        check=hill_drains,
    ),
    Claim(
        key="decay-keeps-river",
        statement="The decay reveals progress and makes little: the river loss changes by less than 20 % during it.",
        source=f"{PAPER}, abstract",
        check=river_stays,
    ),
    Claim(
        key="rate-drives-river",
        statement="A higher constant rate gets further down the river: doubling it about halves the river loss.",
        source=f"{PAPER}, abstract",
        check=river_falls_with_rate,
        variants=DOUBLING,
    ),
    Claim(
        key="rate-raises-hill",
        statement="A higher constant rate bounces more: each doubling raises the hill loss.",
        source=f"{PAPER}, abstract",
        check=hill_grows_with_rate,
        variants=DOUBLING,
    ),
    Claim(
        key="wsd-wants-higher-rate",
        statement="The peak rate that is best for WSD is at least twice the best constant rate.",
        source=f"{PAPER}, follows from the river valley; measured here",
        check=wsd_likes_higher_rates,
        variants=SWEEP,
    ),
    Claim(
        key="best-cosine-behind-wsd",
        statement="Each at its own best peak rate, cosine ends above WSD.",
        source=f"{PAPER}, follows from the river valley; measured here",
        check=cosine_behind_wsd,
        variants=SWEEP,
    ),
    Claim(
        key="wsd-s-below-cyclic-cosine",
        statement="Checkpoints for several budgets from one run: WSD-S is below cyclic cosine at every budget.",
        source=f"{PAPER}, abstract",
        paper_value="WSD-S outperforms Cyclic-Cosine, 0.1B to 1.2B parameters",
        check=below_cyclic_cosine,
        variants=ALL_SCHEDULES,
    ),
    Claim(
        key="wsd-s-ties-or-beats-wsd",
        statement=(
            "WSD-S ties with WSD or beats it when WSD pays for the decays that it throws away: at most 15 % above it "
            "at any budget, which is what the noise of the checkpoints allows to tell."
        ),
        source=f"{PAPER}, abstract",
        paper_value="WSD-S outperforms WSD, 0.1B to 1.2B parameters",
        check=ties_or_beats_wsd,
        variants=ALL_SCHEDULES,
        across_seeds="mean",
    ),
    Claim(
        key="wsd-s-near-separate-cosines",
        statement="WSD-S is at most 15 % above a cosine that was trained for each budget separately.",
        source=f"{PAPER}, abstract",
        paper_value="comparable to separate cosine runs tuned for each budget",
        check=near_separate_cosines,
        variants=ALL_SCHEDULES,
    ),
    Claim(
        key="stable-line-dips",
        statement="Halfway between two stable checkpoints the loss is lower than at both: they sit on the walls.",
        source=f"{PAPER}, pictures of the landscape (GPT-2, OpenWebText)",
        check=stable_line_dips,
    ),
    Claim(
        key="decayed-line-falls",
        statement=(
            "Between two checkpoints whose decay was long and deep enough to drain the hill (a fifth of the steps, to "
            "a hundredth of the peak) the loss falls all the way. After the default decay half of the last loss is "
            "still bounce, and the end of the line rises a little."
        ),
        source=f"{PAPER}, pictures of the landscape (GPT-2, OpenWebText)",
        check=decayed_line_falls,
        variants=DRAINED,
    ),
    Claim(
        key="valley-decay-pays",
        statement="In the two-dimensional valley at a high rate, constant and cosine end at least 10 % above WSD.",
        source=f"{PAPER}, river valley assumption; our instance of it",
        check=valley_decay_pays,
    ),
    Claim(
        key="valley-small-rate-gains-nothing",
        statement="In the same valley at a small rate there is no bounce to remove: WSD ends no lower than constant.",
        source=f"{PAPER}, river valley assumption; our instance of it",
        check=valley_decay_useless,
        variants=SMALL_VALLEY_RATE,
    ),
)
