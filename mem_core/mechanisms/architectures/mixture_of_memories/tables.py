"""The tables of a run: what the charts draw and the claims read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mem_core.engine import Array, Engine
from mem_core.mechanisms.architectures.mixture_of_memories.memories import Items, recalled
from mem_core.mechanisms.architectures.mixture_of_memories.settings import ARMS, LAYER_ARMS, LONGEST, MixtureSettings
from mem_core.mechanisms.architectures.mixture_of_memories.training import Recalled
from mem_core.mechanisms.tables import Table
from mem_core.nn.router import Routing, load_balance_loss

Tables = dict[str, Table]

FIRST = 8
"""The first items, which are asked for again and again while others are written."""
RIGHT, WRONG = "right value", "best wrong value"
SENT, PROBABILITY = "items sent there", "mean probability"
MET, MISSED = "sent to its answer", "sent elsewhere"
SHARED_ROW = "shared"
CURVE_POINTS = 60
"""Points of a curve over training steps; each is the mean of the steps since the one before."""


def empty(settings: MixtureSettings) -> Tables:
    """Return every table with its columns; only those that settings alone decide have rows."""
    return {
        "recall": recall_table({}),
        "knees": _knees_table(settings),
        "as_set": Table.of({"items": "items"}, items=[settings.items], text=["as set"]),
        **forgetting_tables({}, settings.looked_into),
        "answer": Table.of(memory=[], value=[], fit=[], item=[]),
        "routes": Table.of(start=[], end=[], item=[], memory=[], weight=[], missed=[]),
        "load": Table.of(memory=[], measure=[], share=[]),
        "balance": Table.of(loss=[], even=[], worst=[]),
        "training": training_table({}),
        **tested_tables({}, 0),
        "trained_on": Table.of({"pairs": "pairs"}, pairs=[], text=[]),
    }


def recall_table(recall: Mapping[int, Mapping[str, float]]) -> Table:
    """Recall of all items after so many were written, by kind of memory."""
    return Table.of_rows(("items", "recall", "memory"), _by_arm(recall), items="items")


def forgetting_tables(of_first: Mapping[int, Mapping[str, float]], looked_into: str) -> Tables:
    """Recall of the first items after so many more: of every kind of memory, and of the mixture looked into."""
    kept = [(lag, right[looked_into]) for lag, right in of_first.items()]
    return {
        "forgetting": Table.of_rows(("lag", "recall", "memory"), _by_arm(of_first), lag="items"),
        "retention": Table.of_rows(("lag", "retention"), kept, lag="items"),
    }


def answer_table(engine: Engine, settings: MixtureSettings, items: Items, scores: Mapping[str, Array]) -> Table:
    """How well the answer for one item of the first sequence fits its value, and the best of the others.

    Without the collapsed router, which answers as the single memory does.
    """
    place = settings.item - 1
    meant = int(engine.to_numpy(items.meant)[0, place])
    rows = []
    for arm in LAYER_ARMS:
        fits = scores[arm]
        found = engine.to_numpy(fits[0, place]).tolist()
        rows.append((arm, RIGHT, found.pop(meant), settings.item))
        rows.append((arm, WRONG, max(found), settings.item))
    return Table.of_rows(("memory", "value", "fit", "item"), rows)


def routing_tables(engine: Engine, settings: MixtureSettings, items: Items) -> Tables:
    """Where the router of the first sequence sends the items, and how evenly."""
    written, asked = (_of_first(routing, settings.items) for routing in (items.written, items.asked))
    weights, sent, questions = (engine.to_numpy(part) for part in (written.weights, written.chosen, asked.chosen))
    rows = []
    for place in range(settings.items):
        edges = (place + 0.5, place + 1.5, place + 1)
        for memory in range(settings.memories):
            missed = bool(questions[place, memory] > sent[place, memory])
            rows.append((*edges, str(memory + 1), float(weights[place, memory]), missed))
        if settings.shared:
            rows.append((*edges, SHARED_ROW, 1.0, False))
    loads = [(SENT, sent.mean(axis=0)), (PROBABILITY, engine.to_numpy(written.probabilities).mean(axis=0))]
    load = [(str(index + 1), name, float(share)) for name, shares in loads for index, share in enumerate(shares)]
    balance = engine.item(load_balance_loss(engine, written))
    return {
        "routes": Table.of_rows(("start", "end", "item", "memory", "weight", "missed"), rows),
        "load": Table.of_rows(("memory", "measure", "share"), load),
        "balance": Table.of(loss=[balance], even=[settings.top_k], worst=[settings.memories]),
    }


def shares(engine: Engine, items: Items, scores: Mapping[str, Array], count: int, first: int) -> dict[str, float]:
    """Share of the first items that each kind of memory answers right, of those written so far."""
    meant = items.meant[:, :count]
    return {
        arm: float(engine.to_numpy(recalled(engine, fits, meant))[:, :first].mean()) for arm, fits in scores.items()
    }


def training_table(losses: Mapping[str, Sequence[float]]) -> Table:
    """Loss of training by kind of memory, thinned."""
    rows = []
    for arm, values in losses.items():
        stretch = max(1, len(values) // CURVE_POINTS)
        for start in range(0, len(values), stretch):
            part = values[start : start + stretch]
            rows.append((start + len(part), sum(part) / len(part), arm))
    return Table.of_rows(("step", "loss", "memory"), rows, step="steps", loss="nats")


def trained_on_table(settings: MixtureSettings) -> Table:
    """Pairs in the sequences that the layers were trained on."""
    return Table.of({"pairs": "pairs"}, pairs=[settings.layer_pairs], text=["trained on"])


def tested_tables(tested: Mapping[str, Sequence[Recalled]], trained_pairs: int) -> Tables:
    """Recall of the trained layers by pairs in a sequence; at those trained on, also by where the question is sent."""
    rows = [(test.pairs, test.recall, arm) for arm, tests in tested.items() for test in tests]
    split = [
        row
        for arm, tests in tested.items()
        for test in tests
        if test.pairs == trained_pairs
        for row in _split(arm, test)
    ]
    return {
        "layer_recall": Table.of_rows(("pairs", "recall", "memory"), rows, pairs="pairs"),
        "meeting": Table.of_rows(("memory", "question", "recall", "share"), split),
    }


def _split(arm: str, test: Recalled) -> list[tuple[str, str, float, float]]:
    parts = [(arm, MET, test.recall_met, test.met), (arm, MISSED, test.recall_missed, 1 - test.met)]
    return [part for part in parts if part[-1] > 0]


def _knees_table(settings: MixtureSettings) -> Table:
    """How many items fit: about the key width in one memory, and M times as many in the mixture."""
    knees = {settings.key_width: f"K = {settings.key_width}"}
    if settings.memories > 1:
        knees[settings.memories * settings.key_width] = f"M·K = {settings.memories * settings.key_width}"
    inside = {items: text for items, text in knees.items() if items <= LONGEST}
    return Table.of({"items": "items"}, items=list(inside), text=list(inside.values()))


def _of_first(routing: Routing, count: int) -> Routing:
    return Routing(*(part[0, :count] for part in routing))


def _by_arm(measured: Mapping[int, Mapping[str, float]]) -> list[tuple[object, ...]]:
    """List the rows kind by kind, so that each curve's rows follow one another."""
    return [(number, measured[number][arm], arm) for arm in ARMS for number in sorted(measured)]
