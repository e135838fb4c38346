"""The tables of a run: what the charts draw and the claims read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mem_core.data.fact_world import RELATIONS, word_of
from mem_core.mechanisms.editing.pmet.bench import Bench
from mem_core.mechanisms.editing.pmet.requests import ASKED, Requests
from mem_core.mechanisms.editing.pmet.scoring import MEASURES, SCORE, SPECIFICITY, Examination, Scores
from mem_core.mechanisms.editing.pmet.targets import Step
from mem_core.mechanisms.tables import Table

Tables = dict[str, Table]

WHOLE, LIKELIHOOD, KL, DECAY = "loss", "new answer", "KL", "length of δ"
TERMS = (WHOLE, LIKELIHOOD, KL, DECAY)
NEW, TRUE = "new answer", "true answer"
ANSWERS = (NEW, TRUE)
AS_SET = "as set"
HALF_CELL = 0.5
"""From the middle of a person's cell in the map of facts to its border; the cell's middle is the person's number."""


def empty() -> Tables:
    """Return every table with its columns and no rows."""
    return {
        "training": training_table([]),
        "picked": Table.of(name=[], relation=[], true=[], new=[], edited=[]),
        **history_tables(()),
        "scores": scores_table({}),
        "facts": Table.of(
            {"right": "probability"},
            person=[],
            left_edge=[],
            right_edge=[],
            row=[],
            when=[],
            name=[],
            right=[],
            edited=[],
        ),
        "lengths": lengths_table({}),
        "sweep": sweep_table({}),
        "trade": trade_table({}),
        "set_at": Table.of(preservation=[], text=[]),
        "retention": retention_table([]),
    }


def training_table(measured: Sequence[tuple[int, float, float]]) -> Table:
    """Loss and share of facts known, by training step."""
    units = {"step": "steps", "loss": "nats"}
    return Table.of_rows(("step", "loss", "right"), measured, **units)


def picked_table(bench: Bench) -> Table:
    """The request shown in detail, in words."""
    request, edited = bench.picked, bench.edited
    return Table.of(
        name=[bench.world.name(int(request.person[0]))],
        relation=[RELATIONS[int(request.relation[0])].name],
        true=[word_of(int(request.true[0]))],
        new=[word_of(int(request.wanted[0]))],
        edited=[bool(edited[0])],
    )


def history_tables(history: Sequence[Step]) -> Tables:
    """Terms of the loss of the request in detail, and its two probabilities, by optimisation step."""
    terms = [
        (number, term, value)
        for number, step in enumerate(history)
        for term, value in zip(TERMS, (sum(step[:3]), *step[:3]), strict=True)
    ]
    answers = [
        (number, name, value)
        for number, step in enumerate(history)
        for name, value in zip(ANSWERS, step[3:], strict=True)
    ]
    return {
        "terms": Table.of_rows(("step", "term", "value"), terms, step="steps", value="nats"),
        "answers": Table.of_rows(("step", "answer", "probability"), answers, step="steps"),
    }


def scores_table(by_method: Mapping[str, Scores]) -> Table:
    """The scores of every method, by measure; none where nothing was edited."""
    rows = [(method, *row) for method, scores in by_method.items() for row in _measured(scores)]
    rows.sort(key=lambda row: row[1] != SPECIFICITY)  # the two longest names side by side would touch on a phone
    return Table.of_rows(("method", "measure", "share"), rows)


def sweep_table(by_line: Mapping[tuple[str, float], Scores]) -> Table:
    """The scores of several recipes, a column for each measure, by λ; none where nothing was edited."""
    rows = [
        (line, value, *scores, scores.score)
        for (line, value), scores in by_line.items()
        if not math.isnan(scores.efficacy)
    ]
    return Table.of_rows(("recipe", "preservation", *MEASURES), rows)


def trade_table(by_preservation: Mapping[float, Scores]) -> Table:
    """The three measures of the recipe as set, by λ."""
    rows = [
        (value, *row)
        for value, scores in sorted(by_preservation.items())
        for row in _measured(scores)
        if row[0] != SCORE
    ]
    return Table.of_rows(("preservation", "measure", "share"), rows)


def lengths_table(by_spread: Mapping[str, Mapping[int, float]]) -> Table:
    """‖Δ‖ of every edited layer under every spread."""
    rows = [(f"layer {layer}", spread, value) for spread, found in by_spread.items() for layer, value in found.items()]
    return Table.of_rows(("layer", "spread", "length"), rows)


def retention_table(by_count: Sequence[tuple[int, float]]) -> Table:
    """Share of the facts left alone that are still answered right, by edits made."""
    return Table.of_rows(("lag", "retention"), by_count, lag="edits")


def facts_table(bench: Bench, before: Examination, after: Examination, requests: Requests) -> Table:
    """Probability of the right answer to every plain question, which for a request is the new one."""
    right = bench.world.answers.copy()
    right[requests.person, requests.relation] = requests.wanted
    edited = set(zip(requests.person.tolist(), requests.relation.tolist(), strict=True))
    rows = [
        (
            person + 1,
            person + 1 - HALF_CELL,
            person + 1 + HALF_CELL,
            f"{when}: {relation.name}",
            when,
            bench.world.name(person),
            math.exp(examination.facts[person, number, ASKED, right[person, number]]),
            (person, number) in edited,
        )
        for when, examination in (("before", before), ("after", after))
        for number, relation in enumerate(RELATIONS)
        for person in range(len(right))
    ]
    names = ("person", "left_edge", "right_edge", "row", "when", "name", "right", "edited")
    return Table.of_rows(names, rows, right="probability")


def _measured(scores: Scores) -> list[tuple[str, float]]:
    values = zip(MEASURES, (*scores, scores.score), strict=True)
    return [(measure, value) for measure, value in values if not math.isnan(value)]
