"""CLUE: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.editing.clue.charts import CHARTS
from mem_core.mechanisms.editing.clue.claims import CLAIMS
from mem_core.mechanisms.editing.clue.exercise import EXERCISE
from mem_core.mechanisms.editing.clue.run import run
from mem_core.mechanisms.editing.clue.settings import PRESETS, ClueSettings

PAPER = Paper(
    title="CLUE: Non-parametric Verification from Experience via Hidden-State Clustering",
    authors="Zhenwen Liang, Ruosen Li, Yujun Zhou et al.",
    year=2025,
    arxiv="2510.01591",
)

MECHANISM = Mechanism(
    slug="clue",
    name="Verified by experience",
    family="editing",
    summary="Two means of past hidden states, success and failure, judge a new trace: nothing is trained for it.",
    stores="how hidden states moved in past traces, as one mean for success and one for failure",
    written="by averaging labelled traces",
    read="by asking which mean a new trace is nearer to, layer by layer",
    fades="not with time; it fails where the two clouds overlap, or answers differ more than right from wrong",
    paper=PAPER,
    settings=ClueSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="votes",
    budget_seconds={"numpy": 2.5, "torch": 5.0},
)
