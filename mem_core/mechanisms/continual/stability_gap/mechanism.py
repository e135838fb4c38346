"""The stability gap: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.continual.stability_gap.charts import CHARTS
from mem_core.mechanisms.continual.stability_gap.claims import CLAIMS
from mem_core.mechanisms.continual.stability_gap.exercise import EXERCISE
from mem_core.mechanisms.continual.stability_gap.run import run
from mem_core.mechanisms.continual.stability_gap.settings import PRESETS, GapSettings
from mem_core.mechanisms.contract import Mechanism, Paper

PAPER = Paper(
    title="Continual evaluation for lifelong learning: Identifying the stability gap",
    authors="Matthias De Lange, Gido M. van de Ven, Tinne Tuytelaars",
    year=2023,
    arxiv="2205.13452",
    code="https://github.com/Mattdl/ContinualEvaluation",
)

MECHANISM = Mechanism(
    slug="stability-gap",
    name="Stability gap",
    family="continual",
    summary="At every switch, old tasks are lost within a few steps and then learned again, unseen at task ends.",
    stores="every task in turn, in one shared network",
    written="by gradient descent, with stored examples of old tasks beside the new",
    read="by the same network at any moment, not only at task ends",
    fades="in the first steps of each new task, and comes back as replay teaches it again",
    paper=PAPER,
    settings=GapSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="curves",
    budget_seconds={"numpy": 4.0, "torch": 4.0},
    retention="how much of the accuracy on task 1 is left while later tasks are learned, lost and learned again",
)
