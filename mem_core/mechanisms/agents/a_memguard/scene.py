"""One question looked at closely: the memory as a map, the reasoning paths as a matrix, and the lessons kept.

Axes: N records, K retrieved records, D dimensions.
"""

from __future__ import annotations

from typing import Any

from mem_core.mechanisms.agents.a_memguard.agent import Judgement
from mem_core.mechanisms.agents.a_memguard.lives import Lives, Moment
from mem_core.mechanisms.agents.a_memguard.settings import QUERIES, TOPICS
from mem_core.mechanisms.agents.a_memguard.world import MALICIOUS
from mem_core.mechanisms.tables import Table
from mem_core.nn.density_clustering import NOISE
from mem_core.nn.principal_components import principal_components

MOST_LESSONS_SHOWN = 12
AGAINST_POISON, AGAINST_HONEST = "against the malicious action", "against another action"
LESSON_KINDS = (AGAINST_POISON, AGAINST_HONEST)
GROUPS = "ABCDEFGHIJK"


def action_name(action: int) -> str:
    """Name an action as pages do, counted from 1."""
    return f"action {action + 1}"


def topic_name(topic: int) -> str:
    """Name a topic as pages do, counted from 1."""
    return f"topic {topic + 1}"


def empty_scene_tables() -> dict[str, Table]:
    """Return the tables before the question has come."""
    none: list[float] = []
    return {
        "map": Table.of(first=none, second=none, topic=none),
        "map_poison": Table.of(first=none, second=none),
        "map_query": Table.of(first=none, second=none, label=none),
        "map_links": Table.of(first=none, second=none, rank=none, poison=none),
        "paths": Table.of(row=none, column=none, cosine=none, kept=none),
        "path_labels": Table.of(rank=none, action=none, poison=none, cluster=none, kept=none, passed=none),
    }


def inspected_moment(lives: Lives) -> Moment:
    """Find the question of the round just over that brought back most poison in the first life, the first of several.

    It is looked up under the defence that is inspected, where that one runs.
    """
    inspected = lives.settings.inspected
    place = lives.defences.index(inspected) if inspected in lives.defences else 0
    numpy = lives.engine.to_numpy

    def poison(moment: Moment) -> int:
        bad = moment.actions[0, place] == MALICIOUS
        return int(numpy(bad & lives.found[0, place, moment.question]).sum())

    return max(lives.moments[-QUERIES:], key=poison)


def scene_tables(lives: Lives, moment: Moment) -> dict[str, Table]:
    """Lay out the memory and the paths of one question, in the first life; empty if no inspected defence runs."""
    rows = {lives.defences[place]: row for row, place in enumerate(lives.judged)}
    if moment.judged is None or lives.settings.inspected not in rows:
        return empty_scene_tables()
    place = lives.defences.index(lives.settings.inspected)
    return _map(lives, moment, place) | _matrix(lives, moment, moment.judged, place, rows[lives.settings.inspected])


def _map(lives: Lives, moment: Moment, place: int) -> dict[str, Table]:
    """The records so far and the question, along their first two principal components."""
    engine, xp = lives.engine, lives.engine.xp
    records = lives.start + moment.question * int(lives.settings.write_back)
    there = engine.to_numpy(lives.store.held[0, 0, :records])
    vectors = xp.concat([lives.store.vectors[0, :records], lives.world.queries[0, moment.question][None]], axis=0)
    kept = [number for number, is_there in enumerate(there.tolist()) if is_there]
    cloud = xp.take(vectors, xp.asarray([*kept, records]), axis=0)
    points = engine.to_numpy(principal_components(xp, cloud, 2).coordinates).tolist()
    actions = engine.to_numpy(lives.actions[0, place, :records]).tolist()
    where = dict(zip(kept, points, strict=False))
    honest = [(*where[number], topic_name(actions[number])) for number in kept if actions[number] != MALICIOUS]
    poison = [where[number] for number in kept if actions[number] == MALICIOUS]
    places = engine.to_numpy(lives.places[0, place, moment.question]).tolist()
    found = engine.to_numpy(lives.found[0, place, moment.question]).tolist()
    links = []
    for rank, (number, is_found) in enumerate(zip(places, found, strict=True), start=1):
        if is_found:
            bad = actions[number] == MALICIOUS
            links += [(*points[-1], rank, bad), (*where[number], rank, bad)]
    return {
        "map": _rows(("first", "second", "topic"), sorted(honest, key=lambda row: row[2])),
        "map_poison": _rows(("first", "second"), poison),
        "map_query": _rows(("first", "second", "label"), [(*points[-1], "question")]),
        "map_links": _rows(("first", "second", "rank", "poison"), links),
    }


def _matrix(lives: Lives, moment: Moment, judged: Judgement, place: int, row: int) -> dict[str, Table]:
    numpy, number = lives.engine.to_numpy, moment.question
    found = numpy(lives.found[0, place, number]).tolist()
    actions = numpy(moment.actions[0, place]).tolist()
    cosines, labels = numpy(judged.cosines[0, row]).tolist(), numpy(judged.labels[0, row]).tolist()
    kept, passed = numpy(judged.consistent[0, row]).tolist(), numpy(moment.usable[0, place]).tolist()
    ranks = [rank for rank, is_found in enumerate(found) if is_found]
    names = [f"{rank + 1}: {action_name(actions[rank])}, {_cluster(labels[rank], kept[rank])}" for rank in ranks]
    cells = [(names[i], str(j + 1), cosines[i][j], kept[i] and kept[j]) for i in ranks for j in ranks]
    paths = [
        (rank + 1, action_name(actions[rank]), actions[rank] == MALICIOUS, labels[rank], kept[rank], passed[rank])
        for rank in ranks
    ]
    return {
        "paths": _rows(("row", "column", "cosine", "kept"), cells),
        "path_labels": _rows(("rank", "action", "poison", "cluster", "kept", "passed"), paths),
    }


def _cluster(label: int, kept: bool) -> str:
    if label == NOISE:
        return "alone"
    return f"group {GROUPS[label]}{', kept' if kept else ''}"


def lessons_table(lives: Lives) -> Table:
    """List the lessons of the first life that rejected most paths, the most used first."""
    numpy, lessons = lives.engine.to_numpy, lives.lessons
    filled, hits, action, when = (
        numpy(part[0]).tolist() for part in (lessons.filled, lessons.hits, lessons.action, lessons.round)
    )
    rows = [
        (hits[number], when[number], action[number], number) for number, is_filled in enumerate(filled) if is_filled
    ]
    rows.sort(key=lambda row: (-row[0], -row[1], row[3]))
    shown = [
        (
            f"{place}. round {when}, {action_name(action)}",
            hits,
            AGAINST_POISON if action == MALICIOUS else AGAINST_HONEST,
        )
        for place, (hits, when, action, _) in enumerate(rows[:MOST_LESSONS_SHOWN], start=1)
    ]
    return _rows(("lesson", "hits", "kind"), shown)


def lesson_counts(lives: Lives) -> Table:
    """Count, per life, the lessons kept and the paths that lessons have rejected so far, by what those would do."""
    numpy, lessons = lives.engine.to_numpy, lives.lessons
    filled, against_poison = numpy(lessons.filled), numpy(lessons.action) == MALICIOUS
    warned, poison = lives.answered("warned"), lives.answered("actions") == MALICIOUS
    return Table.of(
        kind=list(LESSON_KINDS),
        lessons=[float((filled & kind).sum()) / lives.lives for kind in (against_poison, ~against_poison)],
        rejected=[float((warned & kind).sum()) / lives.lives for kind in (poison, ~poison)],
    )


def _rows(names: tuple[str, ...], rows: Any) -> Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return Table.of(**{name: list(column) for name, column in zip(names, columns, strict=True)})


TOPIC_NAMES = tuple(topic_name(topic) for topic in range(TOPICS))
