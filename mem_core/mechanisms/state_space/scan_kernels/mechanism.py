"""One scan in three ways: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.contract import Mechanism, Paper
from mem_core.mechanisms.state_space.scan_kernels.charts import CHARTS
from mem_core.mechanisms.state_space.scan_kernels.claims import CLAIMS
from mem_core.mechanisms.state_space.scan_kernels.exercise import EXERCISE
from mem_core.mechanisms.state_space.scan_kernels.run import run
from mem_core.mechanisms.state_space.scan_kernels.settings import PRESETS, ScanSettings

PAPER = Paper(
    title="Transformers are SSMs: Generalized Models and Efficient Algorithms Through Structured State Space Duality",
    authors="Tri Dao, Albert Gu",
    year=2024,
    arxiv="2405.21060",
    code="https://github.com/state-spaces/mamba",
)

MECHANISM = Mechanism(
    slug="scan-kernels",
    name="One scan in three ways",
    family="state_space",
    summary="A fading state seems to need one step after another; a tree or chunks compute the same in far fewer.",
    stores="all inputs so far, in one state that fades",
    written="by every token: h = a h + b",
    read="after every token, since all states are computed",
    fades="by the factor a with every token",
    paper=PAPER,
    settings=ScanSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="states",
    budget_seconds={"numpy": 0.4, "torch": 0.5},
    retention="the product of the decays so far: what is left of the first input in the state",
    machine_tables=frozenset({"cuts", "rounding", "times"}),
)
