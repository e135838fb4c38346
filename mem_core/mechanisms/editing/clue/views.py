"""From one reasoner's traces to the rows of every chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mem_core.engine import philox
from mem_core.mechanisms.editing.clue.reasoner import Course
from mem_core.mechanisms.editing.clue.reranking import (
    PAPER_VOTES,
    References,
    accuracy,
    curve,
    references,
    scores_of,
    votes_for,
)
from mem_core.mechanisms.editing.clue.settings import CONFIDENCE, D_SUCCESS, MARGIN, ClueSettings
from mem_core.mechanisms.editing.clue.tables import (
    FAILURE,
    HERE,
    OUTCOMES,
    PAPER,
    SUCCESS,
    Row,
    Tables,
    histogram,
    table,
)
from mem_core.mechanisms.editing.clue.verifying import Experience, Verdicts, by_experience, judge, traces_to_judge
from mem_core.nn.principal_components import principal_components
from mem_core.training.majority_vote import ranked

DRAWN = 200
"""Dots of each outcome."""
LARGE_VOTE = 16
PAPER_TABLE_2 = {
    "mean": 0.450,
    "maj.": 0.567,
    "top 1": 0.667,
    **{f"top {size}": 0.700 for size in PAPER_VOTES},
    "any": 0.767,
}
"""AIME 24, traces of Nemotron-1.5B, 64 of each problem (arXiv 2510.01591, Table 2)."""


def gather(course: Course, settings: ClueSettings) -> tuple[Experience, Verdicts]:
    """Gather a reasoner's experience, and judge its test traces by it."""
    experience = Experience.of(course, settings)
    return experience, judge(experience, traces_to_judge(course, settings), settings)


def cloud_tables(experience: Experience, settings: ClueSettings, seed: int) -> Tables:
    """Draw one layer's Δh in its two strongest directions, and the two means."""
    engine, layer = experience.engine, settings.layer - 1
    moved = experience.used[0][:, layer]
    found = principal_components(engine.xp, moved, 2)
    places = engine.to_numpy(found.coordinates)
    count = experience.per_class
    generator = philox(seed, "clue", "dots")
    dots = [
        (*places[first + number].tolist(), outcome)
        for first, outcome in ((0, SUCCESS), (count, FAILURE))
        for number in generator.choice(count, min(DRAWN, count), replace=False).tolist()
    ]
    generator.shuffle(dots)  # so that neither outcome hides the other
    means = [places[:count].mean(axis=0).tolist(), places[count:].mean(axis=0).tolist()]
    named = [(*mean, outcome) for mean, outcome in zip(means, OUTCOMES, strict=True)]
    explained = float(engine.to_numpy(found.explained).sum())
    return {
        "cloud": table("cloud", dots),
        "cloud_means": table("cloud_means", named),
        "cloud_facts": table("cloud_facts", [(settings.layer, explained, 2 * count)]),
    }


def verdict_tables(experience: Experience, verdicts: Verdicts, settings: ClueSettings) -> Tables:
    """Lay out the margins of right and wrong traces, and how often the verdict is right."""
    rates = verdicts.rates
    margins, right = (each.reshape(-1).tolist() for each in (verdicts.margin, verdicts.traces.right))
    row = (
        rates.true_positive,
        rates.true_negative,
        rates.balanced,
        rates.accuracy,
        experience.per_class,
        len(settings.looked_at),
    )
    return {
        "margins": table("margins", histogram(margins, right)),
        "threshold": table("threshold", [(0.0, "called wrong")]),
        "verdict": table("verdict", [row]),
    }


def vote_tables(verdicts: Verdicts, settings: ClueSettings, seed: int) -> Tables:
    """Let the best-ranked candidates vote, by every score."""
    traces, scores = verdicts.traces, scores_of(verdicts, seed)
    sizes = votes_for(settings.candidates, settings.vote)
    curves = {name: curve(traces, score, sizes) for name, score in scores.items()}
    found = references(traces)
    count = settings.candidates
    lines = [
        (found.mean, f"mean of {count}"),
        (found.majority, f"majority of {count}"),
        (found.any_right, f"any of {count} right"),
    ]
    own = (settings.vote, curves[settings.score][settings.vote], settings.score)
    return {
        "votes": table("votes", [(m, share, name) for name, line in curves.items() for m, share in line.items()]),
        "voted": table("voted", [own]),
        "references": table("references", lines),
        "methods": table("methods", _methods(verdicts, scores[settings.score], found)),
    }


def _methods(verdicts: Verdicts, scores: Any, found: References) -> list[Row]:
    """Put our figures beside those of the paper's Table 2; votes larger than k are left out."""
    traces = verdicts.traces
    answers = ranked(traces.answers, scores)
    ours = {"mean": found.mean, "maj.": found.majority, "any": found.any_right}
    for size in (1, *PAPER_VOTES):
        if size <= answers.shape[1]:
            ours[f"top {size}"] = accuracy(answers, traces, size)
    return [
        (measure, values[measure], source)
        for measure in PAPER_TABLE_2
        for source, values in ((HERE, ours), (PAPER, PAPER_TABLE_2))
        if measure in values
    ]


def size_tables(experience: Experience, verdicts: Verdicts, settings: ClueSettings, seed: int) -> Tables:
    """Try less experience, a few draws of each size."""
    tried = by_experience(experience, verdicts.traces, settings, seed)
    rows = [(size, sum(found) / len(found), min(found), max(found)) for size, found in tried]
    return {
        "sizes": table("sizes", rows),
        "own_size": table("own_size", [(experience.per_class, verdicts.rates.balanced)]),
    }


def layer_rows(course: Course, experience: Experience) -> list[tuple[int, int, float, float]]:
    """Return feedback, layer, d(l) and sep(l) of one reasoner."""
    values = zip(experience.curve.tolist(), experience.separations.tolist(), strict=True)
    return [(course.feedback, layer, *pair) for layer, pair in enumerate(values, start=1)]


def reasoner_row(course: Course, experience: Experience, verdicts: Verdicts) -> Row:
    """Return everything that the claims ask of one reasoner."""
    traces, rates, found = verdicts.traces, verdicts.rates, references(verdicts.traces)
    scores = scores_of(verdicts, course.seed)
    read = [scores[name] for name in (MARGIN, D_SUCCESS, CONFIDENCE)]
    answers = [ranked(traces.answers, score) for score in read]
    enough = traces.answers.shape[1] >= LARGE_VOTE
    distances, separations = experience.curve.tolist(), experience.separations.tolist()
    return (
        *(course.model, course.feedback, rates.balanced, rates.true_positive, rates.true_negative),
        *(verdicts.ranks_right_first(score) for score in read),
        *(distances[0], distances[-1], separations[-1], *found),
        *(accuracy(each, traces, 1) for each in answers),
        *(accuracy(each, traces, LARGE_VOTE) if enough else math.nan for each in answers),
    )


def layers_table(rows: Sequence[tuple[int, int, float, float]], name: dict[int, str]) -> list[Row]:
    """Average d(l) and sep(l) over the reasoners of each feedback."""
    grouped: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for feedback, layer, distance, separation in rows:
        grouped.setdefault((feedback, layer), []).append((distance, separation))
    return [
        (layer, *(sum(values) / len(values) for values in zip(*found, strict=True)), name[feedback])
        for (feedback, layer), found in sorted(grouped.items())
    ]
