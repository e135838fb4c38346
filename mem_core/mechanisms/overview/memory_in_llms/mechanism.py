"""The map over the whole gallery: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.overview.memory_in_llms.charts import CHARTS
from mem_core.mechanisms.overview.memory_in_llms.claims import CLAIMS
from mem_core.mechanisms.overview.memory_in_llms.exercise import EXERCISE
from mem_core.mechanisms.overview.memory_in_llms.run import run
from mem_core.mechanisms.overview.memory_in_llms.settings import PRESETS, MapSettings

PAPER = Paper(
    title="Memory in Large Language Models: Mechanisms, Evaluation and Evolution",
    authors="Dianxing Zhang, Wendong Li, Kani Song, Jiaye Lu, Gang Li, Liuchun Yang, Sheng Li",
    year=2025,
    arxiv="2509.18868",
)

MECHANISM = Mechanism(
    slug="memory-in-llms",
    name="The map of memory",
    family="overview",
    summary="Every mechanism has a place on one map: what kind of memory, where it lives, how written and undone.",
    stores="the same facts three times: in weights, in an index, at a live source",
    written="at training, at a snapshot, and all the time",
    read="by the exact key from the weights, by the nearest key from index and source",
    fades="as the world moves on: what was stored stays, and is no longer true",
    paper=PAPER,
    settings=MapSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="ageing",
    budget_seconds={"numpy": 0.5, "torch": 1.0},
    retention="what share of a frozen index is still right, by periods in which facts change",
    machine_tables=frozenset({"latency", "certificate"}),
)
