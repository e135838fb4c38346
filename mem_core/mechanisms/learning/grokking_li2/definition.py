"""The mechanism as the catalog shows it."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.learning.grokking_li2.charts import CHARTS
from mem_core.mechanisms.learning.grokking_li2.claims import CLAIMS
from mem_core.mechanisms.learning.grokking_li2.exercise import EXERCISE
from mem_core.mechanisms.learning.grokking_li2.running import run
from mem_core.mechanisms.learning.grokking_li2.settings import BROWSER, CPU, GPU, GrokkingSettings

MECHANISM = Mechanism(
    slug="grokking-li2",
    name="Grokking",
    family="learning",
    summary="A network first memorises additions on a clock face and only much later understands the rule; weight "
    "decay is what keeps it learning in between.",
    stores="training pairs first, then the rule itself",
    written="gradient descent with weight decay on all pairs at once",
    read="a forward pass",
    fades="the memorised solution, replaced by waves that also answer unseen pairs",
    paper=Paper(
        title="Provable Scaling Laws of Feature Emergence from Learning Dynamics of Grokking",
        authors="Yuandong Tian",
        year=2025,
        arxiv="2509.21519",
        code="https://github.com/yuandong-tian/understanding/tree/main/ssl/real-dataset/cogo",
    ),
    settings=GrokkingSettings,
    presets={"browser": BROWSER, "cpu": CPU, "gpu": GPU},
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    budget_seconds={"numpy": 2.2, "torch": 20.0},
)
