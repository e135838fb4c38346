"""The views of a run, each with the sentence that says what it shows."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.state_space.longmamba.descriptions import (
    describe_accuracy,
    describe_answers,
    describe_decay,
    describe_retention,
    describe_steps,
    describe_threshold,
    describe_training,
)
from mem_core.mechanisms.state_space.longmamba.filters import MODES
from mem_core.mechanisms.state_space.longmamba.models import TRAINED_LENGTH
from mem_core.mechanisms.state_space.longmamba.settings import LONGEST

TOKEN = Axis(title="Token", unit="position in the sequence")

CHARTS = (
    Chart(
        key="accuracy",
        title="Right answers, the longer the sequence",
        x=Axis(title="Test length", unit="tokens", scale="log", domain=(TRAINED_LENGTH, LONGEST)),
        y=Axis(title="Right answers", unit="share", domain=(0.0, 1.0)),
        layers=(
            Layer(mark="line", table="accuracy", x="length", y="accuracy", color="mode", label_ends=True),
            Layer(mark="point", table="accuracy", x="length", y="accuracy", color="mode"),
            Layer(mark="rule_y", table="chance", y="accuracy", text="text"),
        ),
        describe=describe_accuracy,
        look_for="how far past 32 tokens each way holds, and that skipping as many tokens by chance is no help.",
        series=MODES,
        height=300,
    ),
    Chart(
        key="retention",
        title="What is left of the needle",
        x=Axis(title="Since the needle", unit="tokens", zero=True),
        y=Axis(title="Left, mean over global heads", unit="share", domain=(0.0, 1.0)),
        layers=(Layer(mark="line", table="fading", x="lag", y="retention", color="mode", label_ends=True),),
        describe=describe_retention,
        look_for="every filler that is not skipped takes a little away; move the test length and the filter.",
        series=MODES,
    ),
    Chart(
        key="decay",
        title="What is left of the first token, head by head",
        x=TOKEN,
        y=Axis(title="Left, as a power of ten (cut off at −8)"),
        layers=(
            Layer(mark="line", table="decay", x="token", y="log10_left", color="kind", dash="when", detail="curve"),
            Layer(mark="rule_y", table="target", y="log10_target", text="text"),
        ),
        describe=describe_decay,
        look_for="global heads after the filter come back toward what they kept at the trained length; local heads "
        "are left alone.",
        series=("global head", "local head"),
        legend="Kind",
        height=300,
    ),
    Chart(
        key="steps",
        title="Step sizes Δ of one sequence, the largest in each cell; outlined tokens are kept by heads that skip",
        x=TOKEN,
        y=Axis(title="Head, the slowest first", scale="nominal"),
        layers=(
            Layer(
                mark="heatmap", table="steps", x="token", x2="token_end", y="head", color="log10_step", outline="kept"
            ),
            Layer(mark="rule_x", table="needle", x="token", text="text"),
        ),
        describe=describe_steps,
        look_for="at the needle some heads take a step a thousand times larger than at most fillers.",
        legend="Step size, power of ten",
    ),
    Chart(
        key="threshold",
        title="How the threshold is found: the calibrated curve, stretched to the test length",
        x=Axis(title="Tokens, from the largest step size down, tail left out", unit="rank"),
        y=Axis(title="Step size Δ, outliers cut off", zero=True),
        layers=(
            Layer(mark="area", table="curve", x="rank", y="within_budget"),
            Layer(mark="line", table="curve", x="rank", y="step"),
            Layer(mark="rule_y", table="threshold", y="threshold", text="text"),
        ),
        describe=describe_threshold,
        look_for="the shaded area, what the head may decay in all, stays the same when the test length grows, so the "
        "threshold rises.",
    ),
    Chart(
        key="answers",
        title="What the model answers after this sequence",
        x=Axis(title="Needle", scale="nominal"),
        y=Axis(title="Probability", domain=(0.0, 1.0)),
        layers=(Layer(mark="bar", table="answers", x="value", y="probability", color="mode"),),
        describe=describe_answers,
        look_for="move the needle toward the start, and the plain model loses it first.",
        series=MODES,
        legend="Filter",
    ),
    Chart(
        key="training",
        title="How the model was trained, on 32 tokens",
        x=Axis(title="Training step", unit="steps"),
        y=Axis(title="Loss", unit="nats", scale="log"),
        layers=(Layer(mark="line", table="training", x="step", y="loss"),),
        describe=describe_training,
        look_for="the model is perfect at 32 tokens before any filter comes near it, and stays as it is.",
    ),
)
