"""The infinite learning-rate schedule: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.learning.infinite_lr.charts import CHARTS
from mem_core.mechanisms.learning.infinite_lr.claims import CLAIMS
from mem_core.mechanisms.learning.infinite_lr.exercise import EXERCISE
from mem_core.mechanisms.learning.infinite_lr.run import run
from mem_core.mechanisms.learning.infinite_lr.settings import PRESETS, InfiniteSettings

PAPER = Paper(
    title=("Beyond Cosine Decay: On the effectiveness of Infinite Learning Rate Schedule for Continual Pre-training"),
    authors=(
        "Vaibhav Singh, Paul Janson, Paria Mehrbod, Adam Ibrahim, Irina Rish, Eugene Belilovsky, Benjamin Thérien"
    ),
    year=2025,
    arxiv="2503.02844",
    code="https://github.com/Pauljanson002/beyond-cosine",
)

MECHANISM = Mechanism(
    slug="infinite-lr",
    name="Infinite learning rate",
    family="learning",
    summary="Warming the rate up again for each new data set burns the old one; a moderate constant rate spares it.",
    stores="each data set in turn, in the same shared weights",
    written="by gradient descent at a moderate constant rate",
    read="from a copy of the weights, annealed for the occasion",
    fades="while the next data set is learned, the faster the higher the rate",
    paper=PAPER,
    settings=InfiniteSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="first_task",
    budget_seconds={"numpy": 0.3, "torch": 0.6},
    retention="how much of task 1 is left in the main branch while later tasks are learned at the constant rate",
)
