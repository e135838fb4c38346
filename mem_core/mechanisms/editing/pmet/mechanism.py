"""PMET: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.editing.pmet.charts import CHARTS
from mem_core.mechanisms.editing.pmet.claims import CLAIMS
from mem_core.mechanisms.editing.pmet.exercise import EXERCISE
from mem_core.mechanisms.editing.pmet.run import run
from mem_core.mechanisms.editing.pmet.settings import PRESETS, EditSettings

PAPER = Paper(
    title="PMET: Precise Model Editing in a Transformer",
    authors="Xiaopeng Li, Shasha Li, Shezheng Song, Jing Yang, Jun Ma, Jie Yu",
    year=2023,
    arxiv="2308.08742",
    code="https://github.com/xpq-tech/PMET",
)

MECHANISM = Mechanism(
    slug="pmet",
    name="Editing facts",
    family="editing",
    summary="A fact is a key and a value in a feed-forward layer: rewrite one, and other keys lose a little of theirs.",
    stores="facts, as values that the output matrices of feed-forward layers give for keys",
    written="by a least-squares change of those matrices, which weighs new keys against all others",
    read="by the key that the subject's last token makes",
    fades="as edits add up: each changes the answers to other keys a little",
    paper=PAPER,
    settings=EditSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="trade",
    budget_seconds={"numpy": 2.5, "torch": 5.0},
    retention="what share of the facts that were left alone is still answered right, by edits made at once",
)
