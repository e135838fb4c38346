"""The charts of a run, as plain data."""

from __future__ import annotations

from mem_core.mechanisms.charts import Axis, Chart, Layer
from mem_core.mechanisms.learning.grokking_li2 import describing
from mem_core.mechanisms.learning.grokking_li2.milestones import VERDICTS
from mem_core.mechanisms.learning.grokking_li2.recording import EVERY, KINDS, LAYERS, MEASURES, PARTS, WHENS

_TRAINING = Axis(title="Training", unit="steps", zero=True)
_SPLITS = ("train", "test")
_MOMENTS = Layer(mark="rule_x", table="moments", x="step", text="label")
_SHARE = Axis(title="Training share", unit="of all pairs", domain=(0.0, 1.0))

ACCURACY = Chart(
    key="accuracy",
    title="First by heart, then the rule",
    x=_TRAINING,
    y=Axis(title="Right answers", unit="share of pairs", domain=(0.0, 1.15)),
    layers=(
        Layer(mark="rule_y", table="chance", y="accuracy", text="label"),
        _MOMENTS,
        Layer(mark="line", table="history", x="step", y="accuracy", color="split", detail="network", label_ends=True),
    ),
    describe=describing.accuracy,
    look_for="The training pairs are all right within about ten steps; the test pairs stay at guessing for a long time "
    "and then jump.",
    series=_SPLITS,
    legend="Pairs",
)

LOSS = Chart(
    key="loss",
    title="Loss on pairs seen and unseen",
    x=_TRAINING,
    y=Axis(title="Loss (squared error)", scale="log"),
    layers=(
        _MOMENTS,
        Layer(mark="line", table="history", x="step", y="loss", color="split", detail="network", label_ends=True),
    ),
    describe=describing.loss,
    look_for="The test loss rises while the training pairs are learned by heart, and falls long before the test "
    "answers turn right.",
    series=_SPLITS,
    legend="Pairs",
)

MOVEMENT = Chart(
    key="movement",
    title="Which layer is learning",
    x=_TRAINING,
    y=Axis(title=f"Turn in {EVERY} steps", unit="cosine distance", scale="log"),
    layers=(
        _MOMENTS,
        Layer(mark="line", table="movement", x="step", y="movement", color="layer", detail="network", label_ends=True),
    ),
    describe=describing.movement,
    look_for="The output layer turns first; what then keeps the hidden layer turning is weight decay: set it to zero "
    "and the hidden layer freezes.",
    series=LAYERS,
    legend="Layer",
)

FEATURES = Chart(
    key="features",
    title="Hidden units become waves",
    x=_TRAINING,
    y=Axis(title="Share", domain=(0.0, 1.1)),
    layers=(
        _MOMENTS,
        Layer(mark="line", table="features", x="step", y="value", color="measure", detail="network", label_ends=True),
    ),
    describe=describing.features,
    look_for="The waves form steadily while the test accuracy still looks like nothing happens, and go on after the "
    "jump. In long runs units that are not needed fade away, and no wave is left of them.",
    series=MEASURES,
)

COUPLING = Chart(
    key="coupling",
    title="Do hidden units act alone?",
    x=_TRAINING,
    y=Axis(title="Shared between two units", unit="share of the diagonal", domain=(0.0, 0.12)),
    layers=(
        _MOMENTS,
        Layer(mark="rule_y", table="coupling_bound", y="coupling", text="label"),
        Layer(mark="line", table="coupling", x="step", y="coupling", detail="network"),
        Layer(mark="point", table="coupling", x="step", y="coupling"),
    ),
    describe=describing.coupling,
    look_for="As long as this is small, each unit climbs its own energy and does not feel the others.",
)

UNIT = Chart(
    key="unit",
    title="One hidden unit's weights, before and now",
    x=Axis(title="Number"),
    y=Axis(title="Weight"),
    layers=(Layer(mark="line", table="unit", x="residue", y="weight", color="part", dash="when"),),
    describe=describing.unit,
    look_for="Noise at the start; after enough training one wave for the first number and one for the second, of the "
    "same frequency.",
    series=PARTS,
    legend="Weights",
)

UNIT_SPECTRUM = Chart(
    key="unit_spectrum",
    title="The same unit's spectrum",
    x=Axis(title="Frequency", unit="waves per circle", scale="ordinal"),
    y=Axis(title="Power", unit="share of the unit's", domain=(0.0, 1.0)),
    layers=(Layer(mark="bar", table="unit_spectrum", x="frequency", y="power", color="when"),),
    describe=describing.unit_spectrum,
    look_for="One bar takes it all.",
    series=WHENS,
    legend="Spectrum",
)

GROK_MAP = Chart(
    key="grok_map",
    title="Where networks grok",
    x=Axis(title="Modulus M"),
    y=_SHARE,
    layers=(
        Layer(mark="line", table="grok_curve", x="modulus", y="train_share"),
        Layer(
            mark="point",
            table="grok_point",
            x="modulus",
            y="train_share",
            color="verdict",
            size=90,
            accumulate=True,
        ),
    ),
    describe=describing.grok_map,
    look_for="The curve is 2.55·ln(M)/M, measured at decay 0.001, rate 0.01, 256 units and 600 steps: with much less "
    "data there is no grokking, and larger moduli need a smaller share.",
    series=VERDICTS,
    legend="Network",
)

ENERGY = Chart(
    key="energy",
    title="What one unit climbs to on its own",
    x=Axis(title="Energy E of a unit of length 1", zero=True),
    y=Axis(title="Units", unit="share of their kind", domain=(0.0, 1.1)),
    layers=(
        Layer(mark="bar", table="energy_histogram", x="low", x2="high", y="share", color="kind"),
        Layer(mark="rule_x", table="energy_levels", x="energy", text="label"),
    ),
    describe=describing.energy,
    look_for="With all pairs every climb ends at M/4 in a pure wave. With too few pairs units climb higher, to peaks "
    "that fit the training pairs and are no waves (there E is divided by the squared training share). The paper prints "
    "M/16: a factor is lost in its proof.",
    series=KINDS,
    legend="Units",
)

BOUNDARY = Chart(
    key="boundary",
    title="The boundary of grokking",
    x=Axis(title="Modulus M"),
    y=Axis(title="Training share", unit="of all pairs"),
    layers=(
        Layer(mark="heatmap", table="map_cells", x="left", x2="right", y="low", y2="high", color="test_accuracy"),
        Layer(mark="line", table="grok_curve", x="modulus", y="train_share"),
        Layer(mark="point", table="boundary", x="modulus", y="critical_share", size=90),
    ),
    describe=describing.boundary,
    look_for="The edge between dark and light follows ln(M)/M.",
    legend="Test accuracy",
    color_domain=(0.0, 1.0),
)

CHARTS = (ACCURACY, LOSS, MOVEMENT, FEATURES, UNIT, UNIT_SPECTRUM, COUPLING, ENERGY, GROK_MAP, BOUNDARY)
