"""Hebbian projection: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.continual.hebbian_projection.charts import CHARTS
from mem_core.mechanisms.continual.hebbian_projection.claims import CLAIMS
from mem_core.mechanisms.continual.hebbian_projection.exercise import EXERCISE
from mem_core.mechanisms.continual.hebbian_projection.run import run
from mem_core.mechanisms.continual.hebbian_projection.settings import PRESETS, ProjectionSettings
from mem_core.mechanisms.contract import Mechanism, Paper

PAPER = Paper(
    title="Hebbian Learning based Orthogonal Projection for Continual Learning of Spiking Neural Networks",
    authors="Mingqing Xiao, Qingyan Meng, Zongpeng Zhang, Di He, Zhouchen Lin",
    year=2024,
    arxiv="2402.11984",
    code="https://github.com/pkuxmq/HLOP-SNN",
)

MECHANISM = Mechanism(
    slug="hebbian-projection",
    name="Hebbian projection",
    family="continual",
    summary="Lateral neurons learn where old activity lies, and weights learn only from what lies outside of it.",
    stores="each task in turn, in the same shared weights",
    written="by gradient descent on the part of the activity that old tasks did not use",
    read="by the same spiking network, which is not told which task it is",
    fades="as much as old activity lies outside the learned subspace",
    paper=PAPER,
    settings=ProjectionSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="first_task",
    budget_seconds={"numpy": 1.0, "torch": 1.5},
    retention="how much of task 1 is left while later tasks are learned outside its subspace",
)
