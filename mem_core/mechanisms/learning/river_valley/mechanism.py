"""Learning-rate schedules in a river valley: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.learning.river_valley.charts import CHARTS
from mem_core.mechanisms.learning.river_valley.claims import CLAIMS
from mem_core.mechanisms.learning.river_valley.exercise import EXERCISE
from mem_core.mechanisms.learning.river_valley.experiment import run
from mem_core.mechanisms.learning.river_valley.settings import PRESETS, RiverValleySettings

PAPER = Paper(
    title="Understanding Warmup-Stable-Decay Learning Rates: A River Valley Loss Landscape Perspective",
    authors="Kaiyue Wen, Zhiyuan Li, Jason Wang, David Hall, Percy Liang, Tengyu Ma",
    year=2024,
    arxiv="2410.05192",
    code="https://github.com/stanford-crfm/levanter",
)

MECHANISM = Mechanism(
    slug="river-valley",
    name="Learning-rate schedules",
    family="learning",
    summary="A high learning rate stores fast, but its bounce hides what it stored; a short decay brings it to light.",
    stores="what can be known for sure, along the flat river",
    written="by gradient descent, in proportion to the sum of learning rates",
    read="by predicting the next token, blurred by the bounce across the valley",
    fades="not at all here: only the bounce that hides it dies away when the rate falls",
    paper=PAPER,
    settings=RiverValleySettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="loss",
    budget_seconds={"numpy": 0.15, "torch": 0.15},
)
