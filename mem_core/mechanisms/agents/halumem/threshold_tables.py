"""The tables of the two thresholds: cosines that the memory has to tell apart, and the gate of the extractor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mem_core.mechanisms.agents.halumem import paper_figures as paper
from mem_core.mechanisms.agents.halumem import sweeps
from mem_core.mechanisms.agents.halumem.calibration import Calibration
from mem_core.mechanisms.agents.halumem.tables import HERE, PERCENT
from mem_core.mechanisms.agents.halumem.users import User
from mem_core.mechanisms.tables import Table

BINS = 40
"""Of a histogram of cosines, from −0.25 to 1."""
LOWEST_COSINE = -0.25
SAME, DIFFERENT = "same slot", "different slots"
SEEN_GATE = "gate"


def cosine_tables(calibration: Calibration, threshold: float) -> dict[str, Table]:
    """Return both histograms of cosines, the threshold with what it gets wrong, and the middle between the means."""
    width = (1 - LOWEST_COSINE) / BINS
    rows = []
    for kind, cosines in ((SAME, calibration.same), (DIFFERENT, calibration.different)):
        counts = [0] * BINS
        for cosine in cosines:
            counts[min(BINS - 1, max(0, math.floor((cosine - LOWEST_COSINE) / width)))] += 1
        edges = [LOWEST_COSINE + width * place for place in range(BINS)]
        rows += [(low, low + width, count, kind) for low, count in zip(edges, counts, strict=True) if count]
    low, high, count, kinds = zip(*rows, strict=True)
    below = sum(cosine <= threshold for cosine in calibration.same) / len(calibration.same)
    above = sum(cosine > threshold for cosine in calibration.different) / len(calibration.different)
    return {
        "cosines": Table.of(low=low, high=high, pairs=count, kind=kinds),
        "threshold": Table.of(cosine=[threshold], label=["θ"], same_below=[below], different_above=[above]),
        "midpoint": Table.of(cosine=[calibration.midpoint], label=["middle"]),
    }


def gate_tables(users: Sequence[User], scores: Table) -> dict[str, Table]:
    """Return R and FMR along the gate for these users and by the formula, of this run, and of the paper's systems."""
    seen = [(gate, *sweeps.gate_rates(users, gate)) for gate in sweeps.GATES]
    formula = [(gate, *sweeps.gate_closed_form(gate)) for gate in sweeps.GATES]
    values: dict[str, Any] = dict(zip(scores["measure"].tolist(), scores["share"].tolist(), strict=True))
    systems = [(name, paper.MEDIUM_SET, *pair) for name, pair in paper.medium_recall_resistance().items()]
    systems += [(name, paper.LONG_SET, *pair) for name, pair in paper.LONG_RECALL_RESISTANCE.items()]
    names, sets, recalls, resistances = zip(*systems, strict=True)
    gates, seen_recall, seen_resistance = zip(*seen, strict=True)
    return {
        "gate": Table.of(tau=gates, recall=seen_recall, resistance=seen_resistance, which=[SEEN_GATE] * len(gates)),
        "gate_formula": Table.of(recall=[row[1] for row in formula], resistance=[row[2] for row in formula]),
        "gate_systems": Table.of(
            system=names,
            label=[paper.GATE_LABELS.get((which, name), "") for name, which in zip(names, sets, strict=True)],
            which=sets,
            recall=[value / PERCENT for value in recalls],
            resistance=[value / PERCENT for value in resistances],
        ),
        "gate_here": Table.of(
            recall=[values[paper.RECALL]], resistance=[values[paper.RESISTANCE]], which=[HERE], system=[HERE]
        ),
    }
