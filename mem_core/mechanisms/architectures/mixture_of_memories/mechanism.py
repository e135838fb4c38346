"""Mixture-of-Memories: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.architectures.mixture_of_memories.charts import CHARTS
from mem_core.mechanisms.architectures.mixture_of_memories.claims import CLAIMS
from mem_core.mechanisms.architectures.mixture_of_memories.exercise import EXERCISE
from mem_core.mechanisms.architectures.mixture_of_memories.run import run
from mem_core.mechanisms.architectures.mixture_of_memories.settings import PRESETS, MixtureSettings
from mem_core.mechanisms.architectures.mixture_of_memories.tables import FIRST
from mem_core.mechanisms.contract import Mechanism, Paper

PAPER = Paper(
    title="MoM: Linear Sequence Modeling with Mixture-of-Memories",
    authors="Jusen Du, Weigao Sun, Disen Lan, Jiaxi Hu, Yu Cheng",
    year=2025,
    arxiv="2502.13685",
    code="https://github.com/OpenSparseLLMs/MoM",
)

MECHANISM = Mechanism(
    slug="mixture-of-memories",
    name="Mixture of memories",
    family="architectures",
    summary="A router sends each item to one of several memories: kept apart, they blur each other less.",
    stores="pairs of keys and values, each in a few of several matrices",
    written="into the memories that a router chooses for the token; the others stay as they are",
    read="by a query that is routed the same way, as a weighted sum of the memories chosen",
    fades="by what else is written into the same memory, and by a decay with each of its writes",
    paper=PAPER,
    settings=MixtureSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="recall",
    budget_seconds={"numpy": 0.3, "torch": 0.6},
    retention=f"the share of the first {FIRST} items that is still recalled, by items written since",
)
