"""The ELM neuron: the paper, its place on the map, and the parts tied together."""

from __future__ import annotations

from mem_core.mechanisms.architectures.elm_neuron.charts import CHARTS
from mem_core.mechanisms.architectures.elm_neuron.claims import CLAIMS
from mem_core.mechanisms.architectures.elm_neuron.exercise import EXERCISE
from mem_core.mechanisms.architectures.elm_neuron.run import run
from mem_core.mechanisms.architectures.elm_neuron.settings import PRESETS, ElmSettings
from mem_core.mechanisms.contract import Mechanism, Paper

PAPER = Paper(
    title="The Expressive Leaky Memory Neuron: an Efficient and Expressive Phenomenological Neuron Model Can Solve "
    "Long-Horizon Tasks",
    authors="Aaron Spieler, Nasim Rahaman, Georg Martius, Bernhard Schölkopf, Anna Levina",
    year=2023,
    arxiv="2306.16922",
    code="https://github.com/AaronSpieler/elmneuron",
)

MECHANISM = Mechanism(
    slug="elm-neuron",
    name="Leaky memory neuron",
    family="architectures",
    summary="One neuron holds a burst in units that leak at many speeds; how slow and how many they are sets how long.",
    stores="bursts of input spikes, as the level of leaky units inside one cell",
    written="by dendrites, a small network that sees synapses and memory",
    read="by a linear readout of all units",
    fades="each unit by exp(−t/τ), unless the dendrites write it again",
    paper=PAPER,
    settings=ElmSettings,
    presets=PRESETS,
    run=run,
    charts=CHARTS,
    claims=CLAIMS,
    exercise=EXERCISE,
    faster_on_cpu="numpy",
    picture="forgetting",
    retention="how often a burst can still be read from the neuron, from guessing (0) to always (1), by ms since then",
    budget_seconds={"numpy": 1.5, "torch": 3.0},
)
