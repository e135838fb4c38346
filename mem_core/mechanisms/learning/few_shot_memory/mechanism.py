"""Few-shot memories: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.learning.few_shot_memory.charts import CHARTS
from mem_core.mechanisms.learning.few_shot_memory.claims import CLAIMS
from mem_core.mechanisms.learning.few_shot_memory.exercise import EXERCISE
from mem_core.mechanisms.learning.few_shot_memory.experiment import run
from mem_core.mechanisms.learning.few_shot_memory.settings import PRESETS, FewShotSettings

PAPER = Paper(
    title="Recognition, recall, and retention of few-shot memories in large language models",
    authors="A. Emin Orhan",
    year=2023,
    arxiv="2303.17557",
    code="https://github.com/eminorhan/llm-memory",
)

MECHANISM = Mechanism(
    slug="few-shot-memory",
    name="Recognition and recall",
    family="learning",
    summary="A sentence read once is recognised at once, recited after a few more readings, and soon recited no more.",
    stores="what a handful of sentences leave behind",
    written="by one to six gradient steps on each sentence",
    read="by choosing between two sentences, or by going on from the first half",
    fades="when training goes on with other text: recall within tens of updates, recognition hardly at all",
    paper=PAPER,
    settings=FewShotSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="retention",
    retention="what share of the studied sentences' second halves is recalled, by updates on new text",
    budget_seconds={"numpy": 0.5, "torch": 1.0},
)
