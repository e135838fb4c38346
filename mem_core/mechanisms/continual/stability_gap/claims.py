"""What the paper says, measured on runs of this experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from mem_core.mechanisms.continual.stability_gap.results import ACC, FORG, MIN_ACC, STABILITY
from mem_core.mechanisms.continual.stability_gap.settings import (
    ELASTIC,
    EVERY,
    EVERYTHING,
    FINETUNE,
    PAIRS,
    REPLAY,
    ROTATIONS,
)
from mem_core.mechanisms.contract import Claim, Evidence, Result

PAPER = "arXiv 2205.13452"

LEAST_GAP, LEAST_RECOVERY = 0.4, 0.4
LEAST_FALL_OF_EWC = LEAST_CLIMB_OF_EWC = 0.3
LARGEST_FIRST_STEP = 0.1
"""Length of the stability gradient at the first step of task 2, over its largest in the next steps."""
NEXT_STEPS = 20
LARGEST_FORGETTING = 0.02
ONE_TASK_OF_FIVE = 0.2
ANY = 1e-6
"""A step between two accuracies that is more than rounding."""

ON_PAIRS: Mapping[str, Any] = {"tasks": PAIRS, "evaluation": EVERY}
ON_ROTATIONS: Mapping[str, Any] = {"tasks": ROTATIONS, "evaluation": EVERY, "switch": 1}
WEIGHTS = tuple({**ON_PAIRS, "method": REPLAY, "new_weight": weight} for weight in (0.3, 0.5, 0.7))
WITHOUT_METHOD = ({**ON_PAIRS, "method": FINETUNE},)
EWC_ON_ROTATIONS = ({**ON_ROTATIONS, "method": ELASTIC, "angle": 60, "epochs": 6, "networks": 5},)
ANGLES = (10, 30, 60, 80)
REPLAY_ON_ROTATIONS = tuple(
    {**ON_ROTATIONS, "method": REPLAY, "angle": angle, "epochs": 4, "memory": 300, "networks": 3} for angle in ANGLES
)


def gap(results: Sequence[Result]) -> Evidence:
    """ACC minus min-ACC."""
    if elsewhere := _another_experiment(results[0]):
        return elsewhere
    acc, worst = _score(results[0], ACC), _score(results[0], MIN_ACC)
    return Evidence(acc - worst, LEAST_GAP, ">=", f"ACC {acc:.2f}, min-ACC {worst:.2f}")


def recovery(results: Sequence[Result]) -> Evidence:
    """Mean over the switches of the earlier tasks' accuracy at the new task's end minus its lowest on the way."""
    if elsewhere := _another_experiment(results[0]):
        return elsewhere
    settings: Any = results[0].settings
    table, gains = results[0].tables["old_tasks"].where(method=settings.method), []
    for during in dict.fromkeys(table["during"].tolist()):
        accuracies = table.where(during=during)["accuracy"].tolist()[1:]  # the first is before the new task begins
        gains.append(accuracies[-1] - min(accuracies))
    return Evidence(fmean(gains), LEAST_RECOVERY, ">=", f"switch by switch {_listed(gains)}")


def smaller_weight_helps(results: Sequence[Result]) -> Evidence:
    """Smallest step down of min-ACC from one weight of the new task to the next larger."""
    worst = [_score(result, MIN_ACC) for result in results]
    steps = [smaller - larger for smaller, larger in pairwise(worst)]
    return Evidence(min(steps), ANY, ">=", f"min-ACC {_listed(worst)}")


def finetune_loses_everything(results: Sequence[Result]) -> Evidence:
    """min-ACC without any method."""
    return Evidence(_score(results[0], MIN_ACC), 0.0, "<=")


def finetune_keeps_the_newest(results: Sequence[Result]) -> Evidence:
    """ACC without any method."""
    return Evidence(_score(results[0], ACC), ONE_TASK_OF_FIVE, "<=")


def stability_comes_late(results: Sequence[Result]) -> Evidence:
    """Length of the stability gradient at the first step of task 2 over its largest in the next steps."""
    if elsewhere := _another_experiment(results[0]):
        return elsewhere
    begin = results[0].tables["first_steps"].rows()[0]
    first, iteration = begin["stability"], begin["iteration"]
    lengths = _stability(results[0])
    largest = max(lengths[step] for step in range(iteration + 1, iteration + 1 + NEXT_STEPS) if step in lengths)
    note = f"first {first:.2g}, largest {largest:.2g}"
    return Evidence(first / largest, LARGEST_FIRST_STEP, "<=", note)


def nothing_holds_at_first(results: Sequence[Result]) -> Evidence:
    """Largest length of the stability gradient at the first step of any task."""
    firsts = results[0].tables["first_steps"]["stability"].tolist()
    return Evidence(max(firsts), 0.0, "<=", f"largest later: {max(_stability(results[0]).values()):.2g}")


def ewc_falls(results: Sequence[Result]) -> Evidence:
    """How far task 1 falls while task 2 is learned."""
    before, after, note = _first_task_in_second(results[0])
    return Evidence(before - min(after), LEAST_FALL_OF_EWC, ">=", note)


def ewc_climbs_back(results: Sequence[Result]) -> Evidence:
    """How far task 1 climbs again after its lowest, while task 2 is still learned."""
    _, after, note = _first_task_in_second(results[0])
    lowest = min(after)
    return Evidence(max(after[after.index(lowest) :]) - lowest, LEAST_CLIMB_OF_EWC, ">=", note)


def further_turns_fall_deeper(results: Sequence[Result]) -> Evidence:
    """Smallest step up of the first fall from 10 to 30 to 80 degrees."""
    falls = []
    for result in results:
        before, after, _ = _first_task_in_second(result)
        falls.append(before - min(after))
    wanted = [falls[ANGLES.index(angle)] for angle in (10, 30, 80)]
    steps = [larger - smaller for smaller, larger in pairwise(wanted)]
    return Evidence(min(steps), ANY, ">=", f"falls {_listed(falls)}")


def ends_see_nothing(results: Sequence[Result]) -> Evidence:
    """Largest forgetting over the rotations."""
    forgotten, worst = ([_score(result, measure) for result in results] for measure in (FORG, MIN_ACC))
    return Evidence(max(forgotten), LARGEST_FORGETTING, "<=", f"FORG {_listed(forgotten)}; min-ACC {_listed(worst)}")


def _another_experiment(result: Result) -> Evidence | None:
    """Return evidence of nothing where a run is not what the claims about replay speak of."""
    settings: Any = result.settings
    if settings.method != REPLAY or settings.tasks != PAIRS:
        return Evidence.missing("This claim is about ER on pairs of digits.")
    if settings.evaluation != EVERY:
        return Evidence.missing("Measured so seldom, the gap goes unseen: evaluate after every iteration.")
    return None


def _score(result: Result, measure: str) -> float:
    settings: Any = result.settings
    return float(result.tables["scores"].where(method=settings.method, measure=measure)["value"][0])


def _stability(result: Result) -> dict[int, float]:
    """Return the length of the stability gradient by iteration, where it is not zero."""
    table = result.tables["gradients"].where(gradient=STABILITY)
    return dict(zip(table["iteration"].tolist(), table["norm"].tolist(), strict=True))


def _first_task_in_second(result: Result) -> tuple[float, list[float], str]:
    """Return the accuracy on task 1 when it ends, its course while task 2 is learned, and both in words."""
    begin, end = result.tables["switches"]["iteration"].tolist()[:2]
    rows = result.tables["curves"].where(task="task 1").rows()
    before = next(row["accuracy"] for row in rows if row["iteration"] == begin)
    after = [row["accuracy"] for row in rows if begin < row["iteration"] <= end]
    best = max(after[after.index(min(after)) :])
    return before, after, f"task 1: {before:.2f} → {min(after):.2f} → {best:.2f}, {after[-1]:.2f} as task 2 ends"


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


CLAIMS = (
    Claim(
        key="gap",
        statement=(
            "Replay ends well, yet on the way old tasks are lost: the final accuracy is at least 0.4 above the mean of "
            "each earlier task's lowest."
        ),
        source=f"{PAPER}, Table 1",
        paper_value="Split-MiniImagenet, ER: ACC 32.9 %, min-ACC 0.5 %",
        check=gap,
        across_seeds="mean",
    ),
    Claim(
        key="recovery",
        statement=(
            "What is lost is learned again: from its lowest, the mean accuracy on earlier tasks climbs by at least 0.4 "
            "before the new task ends."
        ),
        source=f"{PAPER}, Section 4 and Fig. 1",
        check=recovery,
        across_seeds="mean",
    ),
    Claim(
        key="full-memory",
        statement="A memory that holds every example does not close the gap: it is at least 0.4 still.",
        source=f"{PAPER}, App. D.2",
        paper_value="the gap stays with all samples stored",
        check=gap,
        variants=({**ON_PAIRS, "method": REPLAY, "memory": EVERYTHING},),
        across_seeds="mean",
    ),
    Claim(
        key="smaller-weight-helps",
        statement="The less the new batch weighs, the higher is min-ACC: falling from a weight of 0.3 to 0.5 to 0.7.",
        source=f"{PAPER}, Eq. 8; measured here",
        check=smaller_weight_helps,
        variants=WEIGHTS,
        across_seeds="mean",
    ),
    Claim(
        key="finetune-lost",
        statement="Without any method every earlier task falls to an accuracy of 0.",
        source="measured here",
        check=finetune_loses_everything,
        variants=WITHOUT_METHOD,
    ),
    Claim(
        key="finetune-newest",
        statement="And at the end no more is known than the newest of the five tasks.",
        source="measured here",
        check=finetune_keeps_the_newest,
        variants=WITHOUT_METHOD,
    ),
    Claim(
        key="stability-late",
        statement=(
            "The defence comes second: at the first step of task 2 the gradient on replayed examples is at most a "
            "tenth of its largest in the next 20 steps."
        ),
        source=f"{PAPER}, Section 5 and Eq. 8",
        paper_value="almost zero at the switch",
        check=stability_comes_late,
    ),
    Claim(
        key="ewc-zero",
        statement="Under EWC the stability gradient at the first step of every task is exactly 0.",
        source=f"{PAPER}, Section 5; arXiv 1612.00796",
        paper_value="0",
        check=nothing_holds_at_first,
        variants=({**ON_PAIRS, "method": ELASTIC},),
    ),
    Claim(
        key="ewc-falls",
        statement="So EWC falls too: from 0° to 60° of rotation task 1 loses at least 0.3 (mean of five networks).",
        source=f"{PAPER}, Section 5 (Mini-DomainNet), on rotated digits here",
        check=ewc_falls,
        variants=EWC_ON_ROTATIONS,
        across_seeds="mean",
    ),
    Claim(
        key="ewc-climbs-back",
        statement="And climbs again by at least 0.3 before task 2 ends, though EWC stores no example of task 1.",
        source=f"{PAPER}, Section 5 (Mini-DomainNet), on rotated digits here",
        check=ewc_climbs_back,
        variants=EWC_ON_ROTATIONS,
        across_seeds="mean",
    ),
    Claim(
        key="further-is-deeper",
        statement="The more a task differs, the deeper the first fall: 10° less than 30°, 30° less than 80°.",
        source=f"{PAPER}, Table 2",
        paper_value="Rotated-MNIST, 10° to 80°: min-ACC falls by 25.1 points, ACC by 6.6",
        check=further_turns_fall_deeper,
        variants=REPLAY_ON_ROTATIONS,
        across_seeds="mean",
    ),
    Claim(
        key="ends-see-nothing",
        statement="Seen at task ends, none of it: forgetting is at most 0.02 at each of these rotations.",
        source=f"{PAPER}, Table 2; measured here",
        check=ends_see_nothing,
        variants=REPLAY_ON_ROTATIONS,
        across_seeds="mean",
    ),
)
