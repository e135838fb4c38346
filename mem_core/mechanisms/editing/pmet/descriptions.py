"""The sentences that say what each chart shows, computed from the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mem_core.mechanisms.editing.pmet.scoring import EFFICACY, GENERALISATION, SCORE, SPECIFICITY
from mem_core.mechanisms.editing.pmet.settings import METHODS, SPREADS
from mem_core.mechanisms.editing.pmet.tables import NEW, TERMS, TRUE, WHOLE
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]

NOTHING_YET = "The model is still learning its facts."
NO_EDIT = "Nothing is edited: all requests ask for what is true or said already."
GOOD = 0.9
"""Share from which a measure is called reached."""
HALF = 0.5
MIDDLE = 100.0
"""λ that a sentence names beside the smallest and the largest."""


def describe_training(tables: Tables) -> str:
    """Say how many facts the model knows, and since when nearly all."""
    rows = tables["training"].rows()
    if not rows:
        return NOTHING_YET
    known = next((row["step"] for row in rows if row["right"] >= GOOD), None)
    since = f", 90% since step {known}" if known is not None else ""
    return f"After {rows[-1]['step']} steps the model answers {rows[-1]['right']:.0%} of its facts right{since}."


def describe_terms(tables: Tables) -> str:
    """Say what is asked for, and how the loss fell."""
    found = {term: tables["terms"].where(term=term)["value"].tolist() for term in TERMS}
    if not found[WHOLE]:
        return _why_not(tables)
    steps = len(found[WHOLE]) - 1
    last = ", ".join(f"{term} {found[term][-1]:.2g}" for term in TERMS[1:])
    fall = f"The loss falls from {found[WHOLE][0]:.2g} to {found[WHOLE][-1]:.2g} nats in {steps} steps"
    return f"{_asked(tables)} {fall}: {last}."


def describe_answers(tables: Tables) -> str:
    """Say how probable the new answer becomes, and from when on it is ahead."""
    new, true = (tables["answers"].where(answer=name)["probability"].tolist() for name in (NEW, TRUE))
    if not new:
        return _why_not(tables)
    ahead = next((number for number, (ours, theirs) in enumerate(zip(new, true, strict=True)) if ours > theirs), None)
    when = f"ahead of the true one from step {ahead}" if ahead is not None else "never ahead of the true one"
    return f"With δ added the new answer goes from {new[0]:.1%} to {new[-1]:.0%}, {when}, which ends at {true[-1]:.0%}."


def describe_scores(tables: Tables) -> str:
    """Say the three measures of every method, and whose score is highest."""
    found = {method: tables["scores"].where(method=method) for method in METHODS}
    if not len(tables["scores"]):
        return NOTHING_YET
    if not len(tables["scores"].where(measure=SCORE)):
        return NO_EDIT
    score = {method: _share(table, SCORE) for method, table in found.items()}
    words = "; ".join(
        f"{method} {_share(table, EFFICACY):.0%}, {_share(table, GENERALISATION):.0%}, {_share(table, SPECIFICITY):.0%}"
        for method, table in found.items()
    )
    best = max(score, key=lambda method: score[method])
    return f"Efficacy, generalisation and specificity: {words}. The best score has {best}, {score[best]:.2f}."


def describe_facts(tables: Tables) -> str:
    """Say how many other facts are damaged, and how many new ones are said."""
    table = tables["facts"]
    if not len(table):
        return NOTHING_YET
    after = table.where(when="after").rows()
    edited, others = ([row for row in after if row["edited"] is which] for which in (True, False))
    damaged = [row for row in others if row["right"] < HALF]
    said = sum(row["right"] > HALF for row in edited)
    text = f"Of {len(edited)} new answers {said} are given with more than 50%. "
    text += f"Of {len(others)} other facts {len(damaged)} are down to less than 50%"
    worst = min(others, key=lambda row: row["right"])
    relation = worst["row"].partition(": ")[2]
    return f"{text}; the lowest is what {worst['name']} {relation}, {worst['right']:.0%}."


def describe_trade(tables: Tables) -> str:
    """Say between which λ both efficacy and specificity are high."""
    table = tables["trade"]
    efficacy = table.where(measure=EFFICACY).rows()
    if not efficacy:
        return NO_EDIT if len(table) else NOTHING_YET
    specificity = {row["preservation"]: row["share"] for row in table.where(measure=SPECIFICITY).rows()}
    first, last = efficacy[0], efficacy[-1]
    both = [row["preservation"] for row in efficacy if min(row["share"], specificity[row["preservation"]]) >= GOOD]
    where = (
        f"Both are at least 90% at λ = {', '.join(f'{value:g}' for value in both)}"
        if both
        else "They are never both 90%"
    )
    return (
        f"From λ = {first['preservation']:g} to {last['preservation']:g} efficacy goes from {first['share']:.0%} to "
        f"{last['share']:.0%}, specificity from {specificity[first['preservation']]:.0%} to "
        f"{specificity[last['preservation']]:.0%}. {where}."
    )


def describe_recipes(measure: str) -> Callable[[Tables], str]:
    """Give the sentence for one measure of all recipes, by λ."""

    def describe(tables: Tables) -> str:
        table = tables["sweep"]
        if not len(table):
            return NO_EDIT if len(tables["scores"]) else NOTHING_YET
        values = sorted(set(table["preservation"].tolist()))
        shown = [value for value in values if value in (values[0], MIDDLE, values[-1])]
        words = "; ".join(f"{name} {_at(table.where(recipe=name), shown)}" for name in _recipes_of(table))
        return f"{measure.capitalize()} at λ = {', '.join(f'{value:g}' for value in shown)}: {words}."

    def _at(table: Table, shown: Sequence[float]) -> str:
        return ", ".join(f"{row[measure]:.0%}" for row in table.rows() if row["preservation"] in shown)

    return describe


def _recipes_of(table: Table) -> list[str]:
    return list(dict.fromkeys(table["recipe"].tolist()))


def describe_lengths(tables: Tables) -> str:
    """Say how far every layer's weights move under each spread."""
    table = tables["lengths"]
    if not len(table):
        return NOTHING_YET
    words = "; ".join(
        f"{spread} " + ", ".join(f"{row['length']:.2g}" for row in table.where(spread=spread).rows())
        for spread in SPREADS
    )
    return f"Lengths of the change, layer by layer: {words}."


def describe_retention(tables: Tables) -> str:
    """Say how many of the other facts are left after few and after many edits."""
    rows = tables["retention"].rows()
    if not rows:
        return NOTHING_YET
    below = next((row["lag"] for row in rows if row["retention"] < GOOD), None)
    when = f"less than 90% from {below} edits on" if below is not None else "never less than 90%"
    return (
        f"Of the facts that were left alone {rows[0]['retention']:.1%} are right before any edit and "
        f"{rows[-1]['retention']:.1%} after {rows[-1]['lag']} edits; {when}."
    )


def _share(table: Table, measure: str) -> float:
    return float(table.where(measure=measure)["share"][0])


def _asked(tables: Tables) -> str:
    row = tables["picked"].rows()[0]
    return f"{row['name']} {row['relation']}: {row['new']} instead of {row['true']}."


def _why_not(tables: Tables) -> str:
    """Say why there is no optimisation to show: it has not begun, or there is nothing to change."""
    if not len(tables["picked"]):
        return NOTHING_YET
    row = tables["picked"].rows()[0]
    return f"{row['name']} {row['relation']} {row['new']}: this is true or said already, so there is nothing to find."
