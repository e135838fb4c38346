"""What the paper says, measured on runs of this experiment."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.editing.clue.settings import FAINTER, NOISIER

BALANCED = 0.60
"""Balanced accuracy of the verdict; chance is 0.5."""
TOP1_GAIN = 0.15
"""By which the first of the ranking beats a candidate drawn at random."""
VOTE_LOSS = 0.01
"""By which a vote of sixteen may fall short of the vote of all."""
CHANCE = 0.5
FIVE = ({"models": 5},)
"""Five hundred problems: of a hundred, one answer more or less is a whole point."""


def tells_right_from_wrong(results: Sequence[Result]) -> Evidence:
    """Balanced accuracy of the rule, the smallest over the reasoners."""
    rows = _own(results[0])
    note = "TPR {:.3f}, TNR {:.3f}; AUC of the margin {:.3f}".format(
        *(_mean(rows, name) for name in ("true_positive", "true_negative", "auc_margin"))
    )
    return Evidence(min(row["balanced"] for row in rows), BALANCED, ">=", note)


def deeper_is_wider(results: Sequence[Result]) -> Evidence:
    """Distance of the means at the last layer minus that at the first, mean over the reasoners."""
    rows = _own(results[0])
    gains = [row["d_last"] - row["d_first"] for row in rows]
    note = f"first {_mean(rows, 'd_first'):.2f}, last {_mean(rows, 'd_last'):.2f}; smallest gain {min(gains):.2f}"
    return Evidence(fmean(gains), 0, ">=", note)


def feedback_deepens(results: Sequence[Result]) -> Evidence:
    """Distance of the means at the last layer minus that at the first, with w = 4, the smallest over the reasoners."""
    rows = _rows(results[0], 4)
    note = f"first {_mean(rows, 'd_first'):.2f}, last {_mean(rows, 'd_last'):.2f}"
    return Evidence(min(row["d_last"] - row["d_first"] for row in rows), 0, ">=", note)


def feedback_separates(results: Sequence[Result]) -> Evidence:
    """Separation in the last layer with w = 4 minus that with w = 0, the smallest over the reasoners."""
    found = [[row["separation_last"] for row in _rows(results[0], feedback)] for feedback in (0, 1, 4)]
    note = "w = 0: {:.3f}, w = 1: {:.3f}, w = 4: {:.3f}".format(*map(fmean, found))
    return Evidence(min(most - none for none, most in zip(found[0], found[2], strict=True)), 0, ">=", note)


def first_beats_mean(results: Sequence[Result]) -> Evidence:
    """Accuracy of the candidate with the best margin minus the mean of all, over the reasoners."""
    rows = _own(results[0])
    top, mean, confident = (_mean(rows, name) for name in ("top1_margin", "mean", "top1_confidence"))
    return Evidence(top - mean, TOP1_GAIN, ">=", f"first {top:.3f}, mean {mean:.3f}; by confidence {confident:.3f}")


def few_are_enough(results: Sequence[Result]) -> Evidence:
    """Vote of the sixteen with the best margins minus the vote of all, mean over the reasoners."""
    if results[0].settings.candidates < 16:  # type: ignore[attr-defined]
        return Evidence.missing("This claim needs sixteen candidates or more.")
    rows = _own(results[0])
    few, everyone = (_mean(rows, name) for name in ("top16_margin", "majority"))
    return Evidence(few - everyone, -VOTE_LOSS, ">=", f"sixteen {few:.3f}, all {everyone:.3f}")


def margin_ranks_better(results: Sequence[Result]) -> Evidence:
    """AUC of the margin minus that of the distance to success, the smallest over the reasoners."""
    rows = _own(results[0])
    note = "AUC {:.3f} and {:.3f}; first by distance {:.3f}, by margin {:.3f}, mean {:.3f}".format(
        *(_mean(rows, name) for name in ("auc_margin", "auc_d_success", "top1_d_success", "top1_margin", "mean"))
    )
    return Evidence(min(row["auc_margin"] - row["auc_d_success"] for row in rows), 0, ">=", note)


def distance_ranks_something(results: Sequence[Result]) -> Evidence:
    """AUC of the distance to success where distraction is noise."""
    if results[0].settings.kind != NOISIER:  # type: ignore[attr-defined]
        return Evidence.missing("This claim is about noisier evidence.")
    return Evidence(_mean(_own(results[0]), "auc_d_success"), CHANCE, ">=")


def fainter_turns_it_round(results: Sequence[Result]) -> Evidence:
    """AUC of the distance to success where distraction is less evidence, the largest over the reasoners."""
    rows = _own(results[0])
    note = f"the margin still has {_mean(rows, 'auc_margin'):.3f}"
    return Evidence(max(row["auc_d_success"] for row in rows), CHANCE, "<=", note)


def _own(result: Result) -> list[dict[str, Any]]:
    """Return the rows of the feedback that was asked for, one for each reasoner."""
    settings: Any = result.settings
    return _rows(result, settings.feedback)


def _rows(result: Result, feedback: int) -> list[dict[str, Any]]:
    return result.tables["reasoners"].where(feedback=feedback).rows()


def _mean(rows: Sequence[dict[str, Any]], name: str) -> float:
    return fmean(row[name] for row in rows)


CLAIMS = (
    Claim(
        key="verifies",
        statement="The nearer of two means tells right traces from wrong ones: balanced accuracy at least 0.60.",
        source="Table 1, AIME 24, Nemotron-1.5B",
        paper_value="TPR 72.9 %, TNR 87.4 %, which is 80.2 % balanced; GPT-4o reading the answers 58.5 % balanced",
        check=tells_right_from_wrong,
    ),
    Claim(
        key="depth",
        statement="The means of right and wrong traces lie further apart in the last layer than in the first, in the "
        "mean over five reasoners. Without feedback the curve flattens, and a single one can end where it began.",
        source="Figure 4, equations 5 and 6",
        paper_value="d(l) rises with depth",
        check=deeper_is_wider,
        variants=FIVE,
    ),
    Claim(
        key="deep-feedback",
        statement="With w = 4 they do so in every single reasoner.",
        source="Figure 4; the feedback is ours",
        paper_value="d(l) rises with depth",
        check=feedback_deepens,
    ),
    Claim(
        key="feedback",
        statement="Learning whether answers are right widens the separation in the last layer: w = 4 above w = 0. This "
        "is supervised, and only an analogue of the paper's reinforcement learning.",
        source="Section 4.5, Figure 3",
        paper_value="models tuned by reinforcement separate, those tuned by imitation hardly do",
        check=feedback_separates,
    ),
    Claim(
        key="first",
        statement="The candidate with the best margin is right at least 0.15 more often than one drawn at random, in "
        "the mean over five reasoners.",
        source="Table 2, AIME 24; there ranked by the distance to success",
        paper_value="top@1 66.7 %, mean@64 45.0 %",
        check=first_beats_mean,
        variants=FIVE,
        across_seeds="mean",
    ),
    Claim(
        key="few",
        statement="A vote of the sixteen best-ranked is as good as a vote of all 64, less 0.01 at most, in the mean "
        "over five reasoners. In the paper it is better; here the vote of all is hard to beat.",
        source="Table 2, AIME 24",
        paper_value="top-maj@16 70.0 %, majority@64 56.7 %",
        check=few_are_enough,
        variants=FIVE,
        across_seeds="mean",
    ),
    Claim(
        key="margin",
        statement="Here the paper's score, the distance to success, ranks worse than the margin: ten digits make the "
        "cloud of success wide.",
        source="equation 4; the margin is ours",
        paper_value="the paper ranks by the distance to success alone",
        check=margin_ranks_better,
    ),
    Claim(
        key="distance",
        statement="Where distraction adds noise, the distance to success still ranks right traces before wrong ones.",
        source="equation 4",
        paper_value="top@1 above mean@64 on AIME 24, AIME 25 and GPQA (Table 2)",
        check=distance_ranks_something,
    ),
    Claim(
        key="fainter",
        statement="Where distraction leaves less evidence instead, the distance to success ranks worse than chance.",
        source="ours; the paper has no such case",
        paper_value="none; its closest is GPQA with DeepSeek-8B, top@1 56.6 % below majority 61.1 %",
        check=fainter_turns_it_round,
        variants=({"kind": FAINTER},),
    ),
)
