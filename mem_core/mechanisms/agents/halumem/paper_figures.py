"""The paper's own numbers: its tables for HaluMem-Medium and HaluMem-Long, in percent as printed there.

Source: arXiv 2511.03506 v3, which adds MemOS, §6.2.1, Table 3, also in the README of the code
(github.com/MemTensor/HaluMem); by kind of memory §6.2.2, Table 4. None is what the table leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass

RECALL, WEIGHTED, PRECISION, ACCURACY, RESISTANCE, F1 = "R", "wR", "target P", "Acc", "FMR", "F1"
MEASURES = (RECALL, WEIGHTED, PRECISION, ACCURACY, RESISTANCE, F1)


@dataclass(frozen=True)
class MediumRow:
    """One memory system on HaluMem-Medium.

    Attributes:
        extraction: the six measures in the order of `MEASURES`.
        updates, answers: Correct, Hallucination, Omission.
    """

    system: str
    extraction: tuple[float, ...] | None
    updates: tuple[float, float, float]
    answers: tuple[float, float, float]


MEDIUM = (
    MediumRow("MemOS", (74.07, 84.81, 86.25, 59.55, 44.94, 79.70), (62.11, 0.42, 37.48), (67.23, 15.17, 17.59)),
    MediumRow("Zep", None, (47.28, 0.42, 52.31), (55.47, 21.92, 22.62)),
    MediumRow("Mem0-Graph", (43.28, 65.52, 87.20, 61.86, 55.70, 57.85), (24.50, 0.26, 75.24), (54.66, 19.28, 26.06)),
    MediumRow("Mem0", (42.91, 65.03, 86.26, 60.86, 56.80, 57.31), (25.50, 0.45, 74.02), (53.02, 19.17, 27.81)),
    MediumRow("Supermemory", (41.53, 64.76, 90.32, 60.83, 51.77, 56.90), (16.37, 1.15, 82.47), (54.07, 22.24, 23.69)),
    MediumRow("Memobase", (14.55, 25.88, 92.24, 32.29, 80.78, 25.13), (5.20, 0.55, 94.25), (35.33, 29.97, 34.71)),
)
SHOWN = ("MemOS", "Zep", "Mem0", "Memobase")
"""Systems in the charts of verdicts, which have no room for all; Mem0-Graph and Supermemory are close to Mem0."""

LONG_RECALL_RESISTANCE = {
    "MemOS": (81.90, 28.85),
    "Supermemory": (53.02, 36.86),
    "Memobase": (6.18, 85.39),
    "Mem0": (3.23, 87.65),
    "Mem0-Graph": (2.24, 88.36),
}
"""R and FMR on HaluMem-Long, where about a million tokens a user lie between the facts."""

MEDIUM_KINDS = {"Event": 63.41, "Persona": 59.77, "Relationship": 62.40}
"""MemOS on HaluMem-Medium: points extracted or updated correctly, by kind of memory, without distractors (Table 4)."""

MEDIUM_SET, LONG_SET = "Medium", "Long"
GATE_LABELS = {
    (MEDIUM_SET, "MemOS"): "MemOS",
    (MEDIUM_SET, "Mem0"): "3 more",
    (MEDIUM_SET, "Memobase"): "Memobase",
    (LONG_SET, "MemOS"): "MemOS",
    (LONG_SET, "Supermemory"): "Supermemory",
    (LONG_SET, "Memobase"): "3 more",
}
"""Names in the chart of R and FMR, where three systems lie too close together to name each."""


def medium_recall_resistance() -> dict[str, tuple[float, float]]:
    """Return R and FMR of each system on HaluMem-Medium that reports them."""
    return {row.system: (row.extraction[0], row.extraction[4]) for row in MEDIUM if row.extraction}
