"""The hidden state mixer: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.state_space.efficientvim.charts import CHARTS
from mem_core.mechanisms.state_space.efficientvim.claims import CLAIMS
from mem_core.mechanisms.state_space.efficientvim.exercise import EXERCISE
from mem_core.mechanisms.state_space.efficientvim.run import run
from mem_core.mechanisms.state_space.efficientvim.settings import PRESETS, HiddenStateMixerSettings

PAPER = Paper(
    title="EfficientViM: Efficient Vision Mamba with Hidden State Mixer based State Space Duality",
    authors="Sanghyeok Lee, Joonmyung Choi, Hyunwoo J. Kim",
    year=2025,
    arxiv="2411.15241",
    code="https://github.com/mlvlab/EfficientViM",
)

MECHANISM = Mechanism(
    slug="efficientvim",
    name="Hidden state mixer",
    family="state_space",
    summary="A whole picture is written into a few states and read back; what they cannot hold is lost at once.",
    stores="a picture, as N weighted sums of its tokens",
    written="by all tokens at once, through a softmax over the tokens",
    read="by every token, through C, and by the classifier directly",
    fades="not with time: what N states cannot hold is never written",
    paper=PAPER,
    settings=HiddenStateMixerSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    picture="sweep",
    faster_on_cpu="numpy",
    budget_seconds={"numpy": 1.5, "torch": 1.5},
    machine_tables=frozenset({"times", "inert"}),
)
