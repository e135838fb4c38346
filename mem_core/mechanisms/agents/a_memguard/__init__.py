"""Poisoned agent memory, and its defence by consensus and lessons (A-MemGuard, arXiv 2510.02373)."""

from mem_core.mechanisms.agents.a_memguard.charts import CHARTS
from mem_core.mechanisms.agents.a_memguard.claims import CLAIMS
from mem_core.mechanisms.agents.a_memguard.exercise import EXERCISE
from mem_core.mechanisms.agents.a_memguard.run import run
from mem_core.mechanisms.agents.a_memguard.settings import PRESETS, MemGuardSettings
from mem_core.mechanisms.contract import Mechanism, Paper

__all__ = ["MECHANISM"]

MECHANISM = Mechanism(
    slug="a-memguard",
    name="Poisoned memory",
    family="agents",
    summary="A few planted records are retrieved by a trigger, imitated and written back; comparing what the records "
    "say, and remembering what was rejected, stops them until they are the majority.",
    stores="questions with the action that was taken",
    written="by the agent after every question, and by an attacker",
    read="the k most similar records; the agent does what they did",
    fades="poison thins out as right actions are written beside it, or multiplies",
    paper=Paper(
        title="A-MemGuard: A Proactive Defense Framework for LLM-Based Agent Memory",
        authors="Qianshan Wei, Tengchao Yang, Yaochen Wang, Xinfeng Li, Lijun Li, Zhenfei Yin, Yi Zhan, Thorsten Holz, "
        "Zhiqiang Lin, XiaoFeng Wang",
        year=2025,
        arxiv="2510.02373",
        code="https://github.com/TangciuYueng/AMemGuard",
    ),
    settings=MemGuardSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="attack",
    retention="what share of the records that a question with the trigger brings back is malicious, under lessons, by "
    "rounds since the attacker planted his",
    budget_seconds={"numpy": 0.5, "torch": 1.0},
)
