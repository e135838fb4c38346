"""The sentences under the charts, computed from the tables; they hold for a first frame as well as for a last one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean

from mem_core.mechanisms.learning.grokking_li2.boundary import expected_share
from mem_core.mechanisms.learning.grokking_li2.energy import largest_energy
from mem_core.mechanisms.learning.grokking_li2.recording import COUPLING_BOUND, EVERY, KINDS, LAYERS, MEASURES, PURE
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]


def accuracy(tables: Tables) -> str:
    """Say how much is right, when it was memorised and when understood."""
    step, right = _ends(tables["history"], "split", "accuracy")
    point = tables["grok_point"].rows()[0]
    now = (
        f"After {step} steps {right['train']:.0%} of the training pairs and {right['test']:.0%} of the test pairs are "
        f"right; guessing gives {1 / point['modulus']:.0%}."
    )
    reached = {row["event"]: row["step"] for row in tables["moments"].rows()}
    if "memorised" not in reached:
        return f"{now} The training pairs are not memorised yet."
    if "grokked" not in reached:
        return f"{now} They were memorised at step {reached['memorised']:g}; the rule is not understood yet."
    late = f"Memorised at step {reached['memorised']:g}, understood at step {reached['grokked']:g}"
    ratio = f", {reached['grokked'] / reached['memorised']:.1f} times as late" if reached["memorised"] else ""
    limit = ", and this without weight decay: decay is one way to grok, not the only one" if _no_decay(point) else ""
    return f"{now} {late}{ratio}{limit}."


def loss(tables: Tables) -> str:
    """Say what the losses are."""
    step, value = _ends(tables["history"], "split", "loss")
    untrained = 1 - 1 / tables["grok_point"].rows()[0]["modulus"]
    return (
        f"After {step} steps the loss is {value['train']:.2g} on the training pairs and {value['test']:.2g} on the "
        f"test pairs; a network that says nothing has {untrained:.2g}."
    )


def movement(tables: Tables) -> str:
    """Say how far each layer turns in five steps."""
    moved = tables["movement"]
    if not len(moved):
        return f"No movement has been measured yet: it takes {EVERY} steps."
    step, turned = _ends(moved, "layer", "movement")
    words = " and ".join(f"the {layer} by {turned[layer]:.1e}" for layer in LAYERS if layer in turned)
    tail = "."
    if _no_decay(tables["grok_point"].rows()[0]):
        tail = "; without weight decay nothing is left that drives the hidden layer once the loss is gone."
    return f"In the {EVERY} steps before step {step}, cosine distance: {words}{tail}"


def features(tables: Tables) -> str:
    """Say how many hidden units are pure waves."""
    step, now = _ends(tables["features"], "measure", "value")
    first = tables["features"].where(measure=MEASURES[0])["value"][0]
    return (
        f"After {step} steps {now[MEASURES[0]]:.0%} of the hidden layer's power is in each unit's strongest wave "
        f"({first:.0%} at the start), and {now[MEASURES[1]]:.0%} of the units have more than {PURE:.0%} there."
    )


def coupling(tables: Tables) -> str:
    """Say how far hidden units are from acting alone."""
    measured = tables["coupling"]
    largest, latest = float(max(measured["coupling"])), float(measured["coupling"][-1])
    verdict = "below" if largest <= COUPLING_BOUND else "above"
    return (
        f"Two different units share {latest:.1%} of what a unit shares with itself at step {measured['step'][-1]:g}, "
        f"and at most {largest:.1%} so far: {verdict} the {COUPLING_BOUND:.0%} that the paper reports."
    )


def unit(tables: Tables) -> str:
    """Say how much the shown unit's weights have grown into a wave."""
    weights = tables["unit"]
    size = {
        when: math.sqrt(math.fsum(weight**2 for weight in weights.where(when=when)["weight"].tolist()))
        for when in ("start", "now")
    }
    return (
        f"The purest hidden unit's weights for the {int(max(weights['residue'])) + 1} numbers: their length is "
        f"{size['now']:.2g} now and was {size['start']:.2g} at the start. {unit_spectrum(tables)}"
    )


def unit_spectrum(tables: Tables) -> str:
    """Say which wave the shown unit has become."""
    strongest = {}
    for when in ("start", "now"):
        rows = tables["unit_spectrum"].where(when=when).rows()
        strongest[when] = max(rows, key=lambda row: row["power"])
    now, start = strongest["now"], strongest["start"]
    return (
        f"Its strongest wave goes {now['frequency']:g} times around the circle and has {now['power']:.0%} of the "
        f"power; at the start the strongest had {start['power']:.0%}."
    )


def grok_map(tables: Tables) -> str:
    """Say how many networks have grokked, and where the boundary is expected for this modulus."""
    points = tables["grok_point"].rows()
    grokked = sum(row["verdict"] == "grokked" for row in points)
    mine = points[0]
    side = "above" if mine["train_share"] >= expected_share(mine["modulus"]) else "below"
    return (
        f"{grokked} of {len(points)} networks here have grokked. For M = {mine['modulus']} the curve asks for a share "
        f"of {expected_share(mine['modulus']):.2f}; this run has {mine['train_share']:.2f}, {side} it, and has "
        f"{mine['verdict']}."
    )


def energy(tables: Tables) -> str:
    """Say where the climbing units have arrived."""
    units = tables["energy"]
    if not len(units):
        return "The units start to climb once training is over."
    size = int(tables["grok_point"]["modulus"][0])
    mean = {
        kind: (fmean(units.where(kind=kind)["energy"].tolist()), fmean(units.where(kind=kind)["purity"].tolist()))
        for kind in KINDS
    }
    on_all, on_training, trained = (mean[kind] for kind in KINDS[1:])
    return (
        f"On all pairs {len(units.where(kind=KINDS[1]))} random units climb to a mean energy of {on_all[0]:.4g} "
        f"(M/4 = {largest_energy(size, 1):g}) with {on_all[1]:.1%} of their power in one wave. On the training pairs "
        f"alone they reach {on_training[0]:.3g} with {on_training[1]:.0%} in one wave; the trained network's own units "
        f"have {trained[0]:.3g} and {trained[1]:.0%}."
    )


def boundary(tables: Tables) -> str:
    """Say where the boundary was found."""
    cells, found = tables["map_cells"], tables["boundary"].rows()
    if len(cells) == 1:
        return (
            f"Only the run at M = {cells['modulus'][0]} and a training share of {cells['train_share'][0]:.2f} so far, "
            f"with {cells['test_accuracy'][0]:.0%} of the test pairs right. A small or a full boundary map, in the "
            "settings, trains the networks around it."
        )
    if not found:
        return f"{len(cells)} cells are trained; no boundary has been crossed yet."
    words = ", ".join(
        f"{row['critical_share']:.2f} for M = {row['modulus']} ({row['multiplier']:.2f} ln(M)/M)" for row in found
    )
    return f"Half of the test pairs are right from a training share of {words}; {len(cells)} cells are trained."


def _ends(table: Table, series: str, column: str) -> tuple[int, dict[str, float]]:
    """Return the last step, and there the mean over the networks of each series."""
    step = max(table["step"])
    last = table.where(step=step)
    names = dict.fromkeys(last[series].tolist())
    return int(step), {name: fmean(last.where(**{series: name})[column].tolist()) for name in names}


def _no_decay(point: Mapping[str, float]) -> bool:
    return point["weight_decay"] == 0
