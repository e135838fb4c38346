"""Titans: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.architectures.titans.charts import CHARTS
from mem_core.mechanisms.architectures.titans.claims import CLAIMS
from mem_core.mechanisms.architectures.titans.exercise import EXERCISE
from mem_core.mechanisms.architectures.titans.run import run
from mem_core.mechanisms.architectures.titans.settings import PRESETS, TitansSettings
from mem_core.mechanisms.contract import Mechanism, Paper

PAPER = Paper(
    title="Titans: Learning to Memorize at Test Time",
    authors="Ali Behrouz, Peilin Zhong, Vahab Mirrokni",
    year=2024,
    arxiv="2501.00663",
)

MECHANISM = Mechanism(
    slug="titans",
    name="Learning at test time",
    family="architectures",
    summary="A small network inside the model learns while it reads: what surprises is written, and decay makes room.",
    stores="pairs of keys and values, in the weights of a small network",
    written="by a step of gradient descent per token, the larger the more it surprises, with momentum",
    read="by asking the network with a query",
    fades="by weight decay with every token, and by what is written over it",
    paper=PAPER,
    settings=TitansSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="retention",
    budget_seconds={"numpy": 0.4, "torch": 0.8},
    retention="what share of the pairs is still answered right, by tokens read since",
)
