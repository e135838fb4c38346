"""The sentences under the charts, computed from the tables, whole or partial."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from mem_core.mechanisms.overview.memory_in_llms.edit_tables import BEFORE, EDITED, IN_FORCE, verdict
from mem_core.mechanisms.overview.memory_in_llms.metrics import middle_drop
from mem_core.mechanisms.overview.memory_in_llms.recording import CORRECT, OUTDATED, REFUSED
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, REGIMES
from mem_core.mechanisms.tables import Table
from mem_core.training.paired_statistics import half_life

Tables = Mapping[str, Table]
NOT_EDITED = "Nothing has been edited yet."


def outcomes(tables: Tables, part: str) -> str:
    """Say what each regime answers right, out of date and not at all."""
    found = {(row["regime"], row["outcome"]): row["share"] for row in tables[f"outcomes_{part}"].rows()}
    if any(share is None for share in found.values()):
        return "There are no such facts in this run."
    words = [
        f"{regime} is right about {found[regime, CORRECT]:.2f}, out of date about {found[regime, OUTDATED]:.2f} and "
        f"refuses {found[regime, REFUSED]:.2f}"
        for regime in REGIMES
    ]
    return f"{'; '.join(words)}."


def ageing(tables: Tables) -> str:
    """Say what is left of the index at the end, and its half-life."""
    table = tables["ageing"].where(regime=OFFLINE)
    lags, shares = table["lag"].tolist(), table["share"].tolist()
    expected = tables["ageing_expected"]["share"].tolist()
    left = f"The index answers {shares[0]:.2f} right when new and {shares[-1]:.2f} after {lags[-1]} periods"
    end = f" ({expected[-1]:.2f} by algebra, for perfect reads)"
    if shares[-1] >= shares[0]:
        return f"{left}{end}; it does not go out of date."
    return f"{left}{end}; an exponential fitted to it halves in {half_life(lags, shares):.1f} periods."


def attribution(tables: Tables) -> str:
    """Say what is right and what is right for the right reason, in this run and at the most noise."""
    now, worst = tables["attribution_now"].rows()[0], tables["attribution"].rows()[-1]
    return (
        f"In this run the live source is right about {now['correct']:.2f} and answers {now['attribution']:.2f} from "
        f"the right passage. At σ = {worst['noise']:g} it is {worst['correct']:.2f} and {worst['attribution']:.2f}: "
        f"the search sets the limit. The weights cite nothing, so their attribution is 0."
    )


def risk(tables: Tables) -> str:
    """Give the area under each curve, and what this run answers at what risk."""
    areas = {row["measure"]: row for row in tables["panels"].rows()}["AURC"]
    now = {row["regime"]: row for row in tables["risk_now"].rows()}
    words = [f"{regime} {areas[regime]:.3f} ({_coverage(now[regime])})" for regime in REGIMES]
    return f"Area under the curve, 0 at best: {'; '.join(words)}."


def _coverage(now: Mapping[str, Any]) -> str:
    if now["risk"] is None:
        return "here nothing is answered"
    return f"here {now['coverage']:.2f} are answered, {now['risk']:.2f} of them wrong"


def differences(tables: Tables) -> str:
    """Give every difference with its interval and adjusted p-value."""
    rows = tables["differences"].rows()
    if rows[0]["worlds"] < 2:
        return f"One world cannot tell: {rows[0]['pair']} is {rows[0]['difference']:.3f}, with no interval."
    words = [
        f"{row['pair']} is {row['difference']:.3f} ({row['low']:.3f} to {row['high']:.3f}), p = {row['adjusted']:.2g}"
        for row in rows
    ]
    return (
        f"Over {rows[0]['worlds']} worlds: {'; '.join(words)} (bootstrap interval; paired sign-flip test, adjusted by "
        f"Holm's method for three comparisons)."
    )


def edits(tables: Tables) -> str:
    """Give every measure at the chosen number of edits."""
    if not len(tables["edits"]):
        return NOT_EDITED
    chosen = int(tables["edits_chosen"]["edits"][0])
    rows = tables["edits"].where(edits=chosen).rows()
    words = ", ".join(f"{row['measure']} {row['share']:.2f}" for row in rows)
    return f"{chosen} {'edit' if chosen == 1 else 'edits'} at once: {words}. The gate {verdict(tables)}."


def trade_off(tables: Tables) -> str:
    """Say for each constraint which strengths pass the success and the locality asked for."""
    if not len(tables["trade_off"]):
        return NOT_EDITED
    gate = tables["trade_off_gate"].rows()[0]
    words = []
    for constraint, rows in groupby(tables["trade_off"].rows(), key=lambda row: row["constraint"]):
        passing = [row["strength"] for row in rows if _passes(row, gate)]
        words.append(f"{_strengths(passing)} with the {constraint}")
    return f"Success and locality both reach the gate at {' and at '.join(words)}, of eight λ from 0.1 to 200."


def _passes(row: Mapping[str, Any], gate: Mapping[str, Any]) -> bool:
    return bool(row["success"] >= gate["success"] and row["locality"] >= gate["locality"])


def _strengths(passing: list[float]) -> str:
    return f"λ = {', '.join(f'{strength:g}' for strength in passing)}" if passing else "no λ"


def decision(tables: Tables) -> str:
    """Say what the gate decided, and what success and locality were, and are now."""
    if not len(tables["decision"]):
        return NOT_EDITED
    found = {(row["measure"], row["stage"]): row["share"] for row in tables["decision"].rows()}
    words = [
        f"{name} {', '.join(f'{found[name, stage]:.2f}' for stage in (BEFORE, EDITED, IN_FORCE))}"
        for name in ("success", "locality")
    ]
    return f"The gate {verdict(tables)}. Before, with the edit and now: {'; '.join(words)}."


def position(tables: Tables) -> str:
    """Say where the curve comes from and how far it drops in the middle."""
    table = tables["position"]
    at, accuracy, source = (table[name].tolist() for name in ("position", "accuracy", "source"))
    drop = f"the middle fifth lies {middle_drop(at, accuracy):.2f} below the first and the last"
    return f"{source[0].capitalize()}: {drop}, and accuracy goes from {min(accuracy):.2f} to {max(accuracy):.2f}."


def gallery(tables: Tables) -> str:
    """Say what the quiz points to, and which mechanisms are of that type."""
    quiz = tables["quiz"].rows()[0]
    table = tables["map"]
    if not quiz["rule"]:
        said = "None of the four rules applies: a tool's output that is used once is no memory."
    else:
        members = quiz["members"].split()
        said = f"Rule {quiz['rule']} says {quiz['type']}, as are {len(members)} of the mechanisms on the map: "
        said += f"{', '.join(members)}."
    counts = {name: int(table.where(type=name)["mechanisms"].sum()) for name in dict.fromkeys(table["type"].tolist())}
    words = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{said} In all: {words}; a mechanism of two types counts in both."
