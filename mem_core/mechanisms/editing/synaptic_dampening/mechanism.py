"""Selective synaptic dampening: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.editing.synaptic_dampening.charts import CHARTS
from mem_core.mechanisms.editing.synaptic_dampening.claims import CLAIMS
from mem_core.mechanisms.editing.synaptic_dampening.exercise import EXERCISE
from mem_core.mechanisms.editing.synaptic_dampening.run import run
from mem_core.mechanisms.editing.synaptic_dampening.settings import PRESETS, DampeningSettings

PAPER = Paper(
    title="Fast Machine Unlearning Without Retraining Through Selective Synaptic Dampening",
    authors="Jack Foster, Stefan Schoepf, Alexandra Brintrup",
    year=2023,
    arxiv="2308.07707",
    code="https://github.com/if-loops/selective-synaptic-dampening",
)

MECHANISM = Mechanism(
    slug="synaptic-dampening",
    name="Synaptic dampening",
    family="editing",
    summary="Weights that matter far more for what is to be forgotten than for all else are shrunk, once.",
    stores="what training rows taught, in a classifier's weights",
    written="by gradient descent on all rows",
    read="in every forward pass",
    fades="when it is asked to: the weights that serve it alone are shrunk, once and for good",
    paper=PAPER,
    settings=DampeningSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="sweep",
    budget_seconds={"numpy": 0.8, "torch": 1.6},
    machine_tables=frozenset({"seconds"}),
)
