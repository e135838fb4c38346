"""Scan filters: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.state_space.longmamba.charts import CHARTS
from mem_core.mechanisms.state_space.longmamba.claims import CLAIMS
from mem_core.mechanisms.state_space.longmamba.exercise import EXERCISE
from mem_core.mechanisms.state_space.longmamba.run import run
from mem_core.mechanisms.state_space.longmamba.settings import PRESETS, ScanFilterSettings

PAPER = Paper(
    title="LongMamba: Enhancing Mamba's Long Context Capabilities via Training-Free Receptive Field Enlargement",
    authors="Zhifan Ye, Kejing Xia, Yonggan Fu et al.",
    year=2025,
    arxiv="2504.16053",
    code="https://github.com/GATECH-EIC/LongMamba",
)

MECHANISM = Mechanism(
    slug="longmamba",
    name="Scan filters",
    family="state_space",
    summary="A state fades a little with every token, also with those that do not matter; skip them, and it lasts.",
    stores="what was read so far, in one state of fixed size per head",
    written="by every token, in proportion to its step size Δ",
    read="at the last token, through C",
    fades="by exp(ΔA) with every token that is not skipped",
    paper=PAPER,
    settings=ScanFilterSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    picture="retention",
    retention="what is left of the needle in the states that read it, by tokens since then",
    budget_seconds={"numpy": 1.0, "torch": 1.0},
)
