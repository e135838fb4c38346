"""The mechanism as the catalog shows it."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.learning.grok_or_not.charts import CHARTS
from mem_core.mechanisms.learning.grok_or_not.claims import CLAIMS
from mem_core.mechanisms.learning.grok_or_not.exercise import EXERCISE
from mem_core.mechanisms.learning.grok_or_not.running import run
from mem_core.mechanisms.learning.grok_or_not.settings import BROWSER, CPU, GPU, CorruptionSettings

MECHANISM = Mechanism(
    slug="grok-or-not",
    name="To grok or not to grok",
    family="learning",
    summary="Some training labels are wrong. Periodic neurons store the rule, aperiodic ones the wrong labels, and "
    "weight decay or pruning makes the network forget the wrong ones alone.",
    stores="a rule, and the exceptions to it",
    written="gradient descent on right and wrong labels at once",
    read="a forward pass",
    fades="the wrong labels first, under decay or pruning; under too much decay the rule too",
    paper=Paper(
        title="To grok or not to grok: Disentangling generalization and memorization on corrupted algorithmic datasets",
        authors="Darshil Doshi, Aritra Das, Tianyu He, Andrey Gromov",
        year=2023,
        arxiv="2310.13061",
        code="https://github.com/d-doshi/Grokking",
    ),
    settings=CorruptionSettings,
    presets={"browser": BROWSER, "cpu": CPU, "gpu": GPU},
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    retention="how many of the wrong labels are still answered, of its best, by training steps since then",
    budget_seconds={"numpy": 1.0, "torch": 2.0},
)
