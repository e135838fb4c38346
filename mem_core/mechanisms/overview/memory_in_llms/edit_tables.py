"""The tables about an edit: what every size reaches and spares, what the gate said, and the certificate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields

from mem_core.mechanisms.overview.memory_in_llms.editing import (
    LOCALITY,
    MEASURES,
    SIZES,
    STRENGTHS,
    SUCCESS,
    Editing,
)
from mem_core.mechanisms.overview.memory_in_llms.governance import AT_LEAST, DIRECTIONS, Certificate, gate
from mem_core.mechanisms.overview.memory_in_llms.settings import CONSTRAINTS
from mem_core.mechanisms.tables import Table

BEFORE, EDITED, IN_FORCE = "before", "with the edit", "in force now"
STAGES = (BEFORE, EDITED, IN_FORCE)
COLUMNS = {
    "edits": ("edits", "measure", "share"),
    "edits_chosen": ("edits",),
    "gate_lines": ("edits", "threshold", "label"),
    "trade_off": ("constraint", "strength", "success", "locality", "label"),
    "trade_off_gate": ("success", "locality"),
    "decision": ("measure", "stage", "share"),
    "gate": ("measure", "value", "relation", "threshold", "verdict", "action"),
    "certificate": ("part", "content"),
}


def empty() -> dict[str, Table]:
    """Return the tables before anything was edited."""
    return {name: Table.of(**{column: [] for column in columns}) for name, columns in COLUMNS.items()}


def tables(editing: Editing) -> dict[str, Table]:
    """Return every table about the edit of the settings."""
    settings = editing.settings
    lines = [(value, f"{name} {_sign(name)} {value:g}") for name, value in settings.thresholds.items()]
    thresholds, labels = zip(*lines, strict=True)
    return {
        "edits": _edits(editing),
        "edits_chosen": Table.of({"edits": "facts"}, edits=[settings.edits]),
        "gate_lines": Table.of(edits=[SIZES[-1]] * len(labels), threshold=thresholds, label=labels),
        "trade_off": _trade_off(editing),
        "trade_off_gate": Table.of(success=[settings.least_success], locality=[settings.least_locality]),
        "decision": _decision(editing),
        "gate": _gate(editing),
        "certificate": _certificate(editing.certificate),
    }


def verdict(tables: Mapping[str, Table]) -> str:
    """Say in a few words what the gate decided."""
    rows = tables["gate"].rows()
    failed = [row["measure"] for row in rows if row["verdict"] == "fails"]
    return f"refuses the edit for its {' and '.join(failed)}: {rows[0]['action']}" if failed else "lets the edit pass"


def certificate_of(tables: Mapping[str, Table]) -> Certificate:
    """Read the certificate back from a run.

    Raises:
        ValueError: if the run has not come to it.
    """
    rows = tables["certificate"].rows()
    if not rows:
        raise ValueError("This run has not come to its certificate yet.")
    return Certificate(**{row["part"]: json.loads(row["content"]) for row in rows})


def _edits(editing: Editing) -> Table:
    rows = []
    for size in sorted({*SIZES, editing.settings.edits}):
        found = editing.measures(editing.weights(size), size)
        rows += [(size, name, found[name]) for name in MEASURES]
    sizes, names, shares = zip(*rows, strict=True)
    return Table.of({"edits": "facts"}, edits=sizes, measure=names, share=shares)


def _trade_off(editing: Editing) -> Table:
    rows = []
    for constraint in CONSTRAINTS:
        for strength in STRENGTHS:
            weights = editing.weights(editing.settings.edits, constraint, strength)
            found = editing.measures(weights, editing.settings.edits)
            label = f"λ = {strength:g}" if constraint == CONSTRAINTS[0] and strength in (1.0, 30.0, 80.0) else ""
            rows.append((constraint, strength, found[SUCCESS], found[LOCALITY], label))
    return Table.of(None, **dict(zip(COLUMNS["trade_off"], zip(*rows, strict=True), strict=True)))


def _decision(editing: Editing) -> Table:
    outcome = editing.outcome
    rows = [
        (name, stage, found[name])
        for stage, found in zip(STAGES, (outcome.before, outcome.edited, outcome.after), strict=True)
        for name in MEASURES
    ]
    return Table.of(None, **dict(zip(COLUMNS["decision"], zip(*rows, strict=True), strict=True)))


def _gate(editing: Editing) -> Table:
    outcome, thresholds = editing.outcome, editing.settings.thresholds
    rows = [
        (
            name,
            outcome.edited[name],
            _sign(name),
            threshold,
            "passes" if gate(outcome.edited, {name: threshold})[0] else "fails",
            outcome.action,
        )
        for name, threshold in thresholds.items()
    ]
    return Table.of(None, **dict(zip(COLUMNS["gate"], zip(*rows, strict=True), strict=True)))


def _certificate(certificate: Certificate) -> Table:
    names = [part.name for part in fields(certificate)]
    contents = [json.dumps(getattr(certificate, name), ensure_ascii=False) for name in names]
    return Table.of(part=names, content=contents)


def _sign(name: str) -> str:
    return "≥" if DIRECTIONS[name] == AT_LEAST else "≤"
