"""The sentences under the charts, computed from the tables; they hold for a first frame as well as for a last one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from mem_core.mechanisms.learning.grok_or_not.recording import (
    CUT,
    GIVEN,
    HIGH_FIRST,
    LOW_FIRST,
    MATRICES,
    MEMORIES,
    NEURONS,
    NOW,
    PICTURED,
    RULE,
    START,
    TEST,
    TRUE,
    WRONG,
)
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]
LOW_SIDE, HIGH_SIDE = 0.3, 0.5
"""IPR below which a neuron is called aperiodic here, and from which on periodic; the valley lies between them."""


def accuracy(tables: Tables) -> str:
    """Say how much of both memories there is, and which phase that is."""
    row = _result(tables)
    rule = f"After {row['step']} steps {row['test']:.0%} of the test pairs are right"
    if row["given"] is None:
        return f"{rule} and {row['train']:.0%} of the training pairs, none of which is labelled wrongly."
    return (
        f"{rule}. Of the training pairs with wrong labels {row['given']:.0%} get the wrong label and {row['true']:.0%} "
        f"the true sum. The phase is {row['phase'].lower()}."
    )


def phase_by_decay(tables: Tables) -> str:
    """Say where this run stands between decay and corruption."""
    table = tables["phase_by_decay"]
    if not len(table):
        return f"{_result(tables)['regulariser']} regularises this run, not weight decay: it has no place here."
    row = table.rows()[0]
    place = f"decay {row['weight_decay']:g} and {row['corruption']:.0%} wrong labels"
    return f"This run, at {place}, is in the phase of {row['phase'].lower()}. {_counted(table)}"


def phase_by_data(tables: Tables) -> str:
    """Say where this run stands between training share and corruption."""
    table = tables["phase_by_data"]
    row = table.rows()[0]
    place = f"a training share of {row['data_share']:.2f} and {row['corruption']:.0%} wrong labels"
    return f"This run, at {place}, is in the phase of {row['phase'].lower()}. {_counted(table)}"


def _counted(table: Table) -> str:
    if len(table) == 1:
        return "Change a setting, and the next run joins it."
    counts = Counter(table["phase"].tolist()).most_common()
    words = ", ".join(f"{count} {name.lower()}" for name, count in counts)
    return f"Of {len(table)} networks trained here: {words}."


def histogram(tables: Tables) -> str:
    """Say how many neurons are on either side of the valley."""
    bars = tables["histogram"]
    low, high, total = (_count(bars, side) for side in ((0.0, LOW_SIDE), (HIGH_SIDE, 1.0), (0.0, 1.0)))
    means = tables["neuron_mean"]["ipr"]
    return (
        f"{low} of {total} neurons have an IPR below {LOW_SIDE:g}, {high} one of {HIGH_SIDE:g} or more and "
        f"{total - low - high} are in between. The mean is {means[-1]:.2f}; it was {means[0]:.2f} at the start."
    )


def _count(bars: Table, side: tuple[float, float]) -> int:
    low, high = side
    rows = bars.where(when=NOW).rows()
    # A bar of "now" fills the right half of its bin, so its ends are inside the bins that it is compared with.
    return sum(row["neurons"] for row in rows if low < row["low"] and row["high"] < high + 1e-9)


def neurons(tables: Tables) -> str:
    """Say how strong periodic and aperiodic neurons are."""
    rows = tables["neurons"].rows()
    low = [row["strength"] for row in rows if row["ipr"] < LOW_SIDE]
    high = [row["strength"] for row in rows if row["ipr"] >= HIGH_SIDE]
    words = (
        f"Mean strength: {_mean(low)} for the {len(low)} neurons with an IPR below {LOW_SIDE:g}, {_mean(high)} for the "
        f"{len(high)} with {HIGH_SIDE:g} or more."
    )
    cut = sum(row["state"] == CUT for row in rows)
    return f"{words} {cut} of {len(rows)} are cut out." if cut else words


def _mean(values: list[float]) -> str:
    return f"{math.fsum(values) / len(values):.2g}" if values else "none"


def weights(tables: Tables) -> str:
    """Say how large the weights of the two neurons are."""
    table = tables["weights"]
    sizes = []
    for name in NEURONS:
        now, start = (
            math.sqrt(math.fsum(weight**2 for weight in table.where(neuron=name, when=when)["weight"].tolist()))
            for when in (NOW, START)
        )
        sizes.append(f"{now:.2g} in the {name} ({start:.2g} at the start)")
    iprs = tables["neurons"]["ipr"]
    return (
        f"Length of the weights to the first number: {' and '.join(sizes)}. Their neurons' IPR is {max(iprs):.2f} and "
        f"{min(iprs):.2f}."
    )


def pruning_low(tables: Tables) -> str:
    """Say what is left without the least periodic half."""
    return _pruning(tables[LOW_FIRST], "the half with the lowest IPR")


def pruning_high(tables: Tables) -> str:
    """Say what is left without the most periodic half."""
    return _pruning(tables[HIGH_FIRST], "the half with the highest IPR")


def _pruning(table: Table, which: str) -> str:
    if not len(table):
        return "Neurons are cut out once training is over."
    left = {row["measure"]: row["accuracy"] for row in table.where(share=0.5).rows()}
    words = f"Without {which} of the neurons {left[TEST]:.0%} of the test pairs are right"
    if GIVEN not in left:
        return f"{words}."
    return f"{words}; of the corrupted pairs {left[GIVEN]:.0%} get the wrong label and {left[TRUE]:.0%} the true sum."


def answers(tables: Tables) -> str:
    """Say how many of the corrupted pairs get the true answer."""
    row, picture = _result(tables), tables["answers"]
    corrupted = int(picture["corrupted"].sum())
    words = f"{len(picture)} of {row['modulus'] ** 2} additions, {corrupted} of them trained with a random label"
    if row["modulus"] <= PICTURED:
        words = f"All {len(picture)} additions, {corrupted} of them trained with a random label (outlined)"
    if row["prune_share"]:
        words += f"; {row['prune_share']:.0%} of the neurons are cut out, {row['prune_from']} first"
    if row["pruned_given"] is None:
        return f"{words}. Of the test pairs {row['pruned_test']:.0%} are right."
    return (
        f"{words}. Of these the network answers {row['pruned_given']:.0%} as it was told and {row['pruned_true']:.0%} "
        f"truly; of the test pairs {row['pruned_test']:.0%} are right."
    )


def fading(tables: Tables) -> str:
    """Say how much of each memory's best is left."""
    table = tables["fading"]
    names = {WRONG: "the wrong labels", RULE: RULE}
    words = []
    for memory in MEMORIES:
        rows: list[dict[str, Any]] = table.where(series=memory).rows()
        if rows:
            words.append(f"{rows[-1]['retention']:.0%} of {names[memory]} {rows[-1]['lag']} steps later")
    return f"Of what the network knew at its best there is left: {', and '.join(words)}."


def norms(tables: Tables) -> str:
    """Say how large the three weight matrices are."""
    table = tables["norms"]
    words = []
    for matrix in MATRICES:
        course = table.where(matrix=matrix)["norm"]
        words.append(f"{matrix} {course[-1]:.3g} (from {course[0]:.3g})")
    return f"After {_result(tables)['step']} steps the norms are {', '.join(words)}."


def _result(tables: Tables) -> dict[str, Any]:
    return tables["result"].rows()[0]
