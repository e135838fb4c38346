"""Where a memory system hallucinates: extraction, updating, retrieval and answering, each judged for itself."""

from mem_core.mechanisms.agents.halumem.charts import CHARTS
from mem_core.mechanisms.agents.halumem.claims import CLAIMS
from mem_core.mechanisms.agents.halumem.exercise import EXERCISE
from mem_core.mechanisms.agents.halumem.run import run
from mem_core.mechanisms.agents.halumem.settings import PRESETS, HallucinationSettings
from mem_core.mechanisms.contract import Mechanism, Paper

__all__ = ["MECHANISM"]

MECHANISM = Mechanism(
    slug="halumem",
    name="Where a memory hallucinates",
    family="agents",
    summary="An agent's memory loses and invents facts when it extracts, updates, searches and answers; the answers "
    "alone do not show where.",
    stores="statements about a user, as texts",
    written="when extracted from a session; what is nearly the same is overwritten",
    read="by similarity to the question; the newest of the slot is believed",
    fades="when missed, overwritten, or hidden by a false memory",
    paper=Paper(
        title="HaluMem: Evaluating Hallucinations in Memory Systems of Agents",
        authors="Ding Chen, Simin Niu, Kehang Li, Peng Liu, Xiangping Zheng, Bo Tang, Xinchi Li, Feiyu Xiong, Zhiyu Li",
        year=2025,
        arxiv="2511.03506",
        code="https://github.com/MemTensor/HaluMem",
    ),
    settings=HallucinationSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="flow",
    retention="the share of facts still true that the memory says, by sessions since they were told",
    budget_seconds={"numpy": 0.4, "torch": 0.4},
)
