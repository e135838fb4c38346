"""What the paper says, measured on runs of this experiment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from statistics import fmean
from typing import Any

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.editing.pmet.run import SWEPT
from mem_core.mechanisms.editing.pmet.scoring import EFFICACY, GENERALISATION, SCORE, SPECIFICITY
from mem_core.mechanisms.editing.pmet.settings import PRESETS, SQUARE_ROOT

PAPER = "arXiv 2308.08742"
ROOT, LINEAR_LINE, FFN_LINE, MEMIT_LINE = "PMET √", "PMET linear", "FFN √", "MEMIT"

PRECISE_BY = 0.1
"""Least difference of specificity."""
PRECISE_UP_TO = 300.0
"""Largest λ at which it must be that large."""
FEW, MANY = 8, 32
"""Edits that are compared."""
LOST = 0.01
"""Least share of the other facts that the further edits cost."""

_LAPTOP = {name: getattr(PRESETS["cpu"], name) for name in ("people", "names", "width", "batch_size", "rate")}
LARGE: dict[str, Any] = {**_LAPTOP, "training_steps": 300, "edits": MANY, "steps": 40}
"""The larger world, in which 32 edits are an eighth of all facts."""
BOTH_WORLDS: tuple[dict[str, Any], ...] = ({}, LARGE)
THREE_WORLDS = tuple({**LARGE, "names": names} for names in (16, 15, 14))
"""Other names make other people and other facts; in a single world the lead at λ = 300 varies by 0.04."""
TWO_LAYERS: dict[str, Any] = {**LARGE, "layers": ("1", "2"), "spread": SQUARE_ROOT}


def root_reaches_more(results: Sequence[Result]) -> Evidence:
    """Smallest lead of the square-root spread in efficacy and generalisation, over all λ and runs."""
    return _smallest(results, [(ROOT, LINEAR_LINE, EFFICACY), (ROOT, LINEAR_LINE, GENERALISATION)], 0.0)


def root_costs_more(results: Sequence[Result]) -> Evidence:
    """Smallest lead of the linear spread in specificity, over all λ and runs."""
    return _smallest(results, [(LINEAR_LINE, ROOT, SPECIFICITY)], 0.0)


def joint_is_precise(results: Sequence[Result]) -> Evidence:
    """Smallest lead of PMET over FFN only in specificity, over all λ and runs."""
    return _smallest(results, [(ROOT, FFN_LINE, SPECIFICITY)], 0.0)


def joint_is_clearly_precise(results: Sequence[Result]) -> Evidence:
    """The same for λ up to 300, averaged over the runs."""
    lead = [(ROOT, FFN_LINE, SPECIFICITY)]
    found = [_smallest([result], lead, PRECISE_BY, largest=PRECISE_UP_TO) for result in results]
    notes = "; ".join(f"{item.value:.3f}, {item.note}" for item in found)
    return Evidence(fmean(item.value for item in found), PRECISE_BY, ">=", notes)


def edits_interfere(results: Sequence[Result]) -> Evidence:
    """Share of the other facts right after 8 edits, minus that after 32."""
    table = results[0].tables["retention"]
    kept = {row["lag"]: row["retention"] for row in table.rows()}
    if not {FEW, MANY} <= kept.keys():
        return Evidence.missing(f"Needs {MANY} people, so that {MANY} facts can be edited.")
    return Evidence(kept[FEW] - kept[MANY], LOST, ">=", f"{kept[FEW]:.3f} after {FEW}, {kept[MANY]:.3f} after {MANY}")


def memit_is_as_good(results: Sequence[Result]) -> Evidence:
    """Score of MEMIT minus that of PMET, each at its best λ."""
    table = results[0].tables["sweep"]
    if not len(table):
        return _nothing_edited()
    ours, theirs = (float(table.where(recipe=name)[SCORE].max()) for name in (ROOT, MEMIT_LINE))
    return Evidence(theirs - ours, 0.0, ">=", f"MEMIT {theirs:.3f}, PMET {ours:.3f}")


def _smallest(
    results: Sequence[Result], leads: Sequence[tuple[str, str, str]], threshold: float, *, largest: float = SWEPT[-1]
) -> Evidence:
    """Find the smallest first − second in a measure, of leads (first, second, measure), over λ up to `largest`."""
    if not all(len(result.tables["sweep"]) for result in results):
        return _nothing_edited()
    found = []
    for result, (first, second, measure) in product(results, leads):
        for value in (value for value in SWEPT if value <= largest):
            rows = (result.tables["sweep"].where(recipe=name, preservation=value) for name in (first, second))
            ours, theirs = (float(row[measure][0]) for row in rows)
            note = f"{measure} at λ = {value:g}: {first} {ours:.3f}, {second} {theirs:.3f}"
            found.append((ours - theirs, note))
    value, note = min(found)
    return Evidence(value, threshold, ">=", note)


def _nothing_edited() -> Evidence:
    return Evidence.missing("Nothing was edited in this run: all requests ask for what is true or said already.")


CLAIMS = (
    Claim(
        key="root-reaches-more",
        statement=(
            "The square-root spread writes at least as much as the linear one: efficacy and generalisation are no "
            "lower at any λ from 1 to 1000, with 8 edits in a small world and 32 in a larger one."
        ),
        source=f"{PAPER}, section 5, ablation of the spread",
        paper_value="the square root is the more reliable one",
        check=root_reaches_more,
        variants=BOTH_WORLDS,
        repeats=True,
        across_seeds="mean",
    ),
    Claim(
        key="root-costs-more",
        statement="And it pays for that: its specificity is no higher than the linear spread's at any λ.",
        source=f"{PAPER}, section 5, ablation of the spread",
        check=root_costs_more,
        variants=BOTH_WORLDS,
        repeats=True,
        across_seeds="mean",
    ),
    Claim(
        key="joint-is-precise",
        statement=(
            "To optimise attention and FFN together and write only the FFN's part is more precise than to leave all "
            "of the change to the FFN: specificity is no lower at any λ."
        ),
        source=f"{PAPER}, section 5, ablation of the joint optimisation",
        paper_value="attention encodes how to extract facts, not the facts",
        check=joint_is_precise,
        variants=BOTH_WORLDS,
        repeats=True,
        across_seeds="mean",
    ),
    Claim(
        key="joint-is-clearly-precise",
        statement="Up to λ = 300 its specificity is higher by at least 0.1 (32 edits, mean of three larger worlds).",
        source=f"{PAPER}, section 5, ablation of the joint optimisation; the size is measured here",
        check=joint_is_clearly_precise,
        variants=THREE_WORLDS,
        across_seeds="mean",
    ),
    Claim(
        key="edits-interfere",
        statement=(
            "Edits add up: with layers 1 and 2 at λ = 100, 32 edits cost at least one in a hundred of the other facts "
            "more than 8 do."
        ),
        source=f"{PAPER}, section 5, scaling the number of edits; measured here",
        paper_value="specificity 71.4% after 10 000 edits of GPT-J (reported, from memory)",
        check=edits_interfere,
        variants=(TWO_LAYERS,),
        across_seeds="mean",
    ),
    Claim(
        key="memit-is-as-good",
        statement=(
            "Not reproduced: in the paper PMET comes out above MEMIT. In this small model MEMIT's best score over λ is "
            "no lower than PMET's; both have nearly nothing left to gain."
        ),
        source=f"{PAPER}, table 2, GPT-J",
        paper_value="score 86.2 for PMET and 85.8 for MEMIT, 10 000 edits (reported, from memory)",
        check=memit_is_as_good,
        variants=(LARGE,),
        across_seeds="mean",
    ),
)
