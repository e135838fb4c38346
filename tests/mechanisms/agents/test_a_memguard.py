"""Poisoned memory: an independent agent in plain loops, closed rules, symmetries, pitfalls, engines, claims."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from mem_core.engine import Engine, philox, select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.agents.a_memguard import evidence, exercise
from mem_core.mechanisms.agents.a_memguard.agent import act, judge, reason
from mem_core.mechanisms.agents.a_memguard.lessons import KEPT, Lessons
from mem_core.mechanisms.agents.a_memguard.lives import Lives
from mem_core.mechanisms.agents.a_memguard.majority import poison_passes
from mem_core.mechanisms.agents.a_memguard.measures import Counts, share_by_round
from mem_core.mechanisms.agents.a_memguard.phase import PHASE_DEFENCES, attack_success
from mem_core.mechanisms.agents.a_memguard.settings import (
    AUDIT,
    BROWSER,
    BY_NEIGHBOURS,
    BY_TRIGGER,
    CONSENSUS,
    CPU,
    DEFENCES,
    LESSONS,
    NO_DEFENCE,
    OFF,
    QUERIES,
    TOPICS,
    MemGuardSettings,
)
from mem_core.mechanisms.agents.a_memguard.world import MALICIOUS, Case, World, cases_of, draw_world
from mem_core.mechanisms.contract import Frame, Result
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import Laboratory, run_to_end

MECHANISM = catalog.load("a-memguard")
NUMPY = select("numpy", precision="float64")
OPTIONS: Any = MECHANISM.settings.controls()
QUICK = BROWSER.changed(phase=OFF, rounds=10, lives=2)


def live(chosen: MemGuardSettings, engine: Engine = NUMPY, seed: int = 0, world: World | None = None) -> Lives:
    cases = cases_of(chosen)
    lives = Lives(chosen, cases, world or draw_world(chosen, cases, engine, seed), engine)
    for _ in range(chosen.rounds * QUERIES):
        lives.advance()
    return lives


def taken(lives: Lives) -> dict[str, np.ndarray]:
    """Actions (L, S) by defence."""
    actions = lives.answered("taken")
    return {defence: actions[:, place] for place, defence in enumerate(lives.defences)}


def last(chosen: MemGuardSettings, engine: Engine = NUMPY, seed: int = 0) -> dict[str, Any]:
    return dict(run_to_end(MECHANISM, chosen, engine, seed).tables)


# An agent of plain loops with scikit-learn's DBSCAN, on the same world


def plain_agent(chosen: MemGuardSettings, world: World, life: int, defence: str) -> list[int]:
    script = world.script
    there = script.present[life] & ~(
        script.planted[life] & (script.audit_lots[life] >= chosen.audit_miss) & (defence == AUDIT)
    )
    memory = [
        (vector, int(action))
        for vector, action, is_there in zip(world.records[life], script.record_action[life], there, strict=True)
        if is_there
    ]
    lessons: list[tuple[np.ndarray, np.ndarray]] = []
    done = []
    for number, query in enumerate(world.queries[life]):
        nearest = sorted(memory, key=lambda record: -(record[0] @ query))[: chosen.k]
        usable = nearest
        if defence in (CONSENSUS, LESSONS):
            noise = world.wording_noise[life, number]
            paths = [world.contents[life, action, 0] + noise[rank] for rank, (_, action) in enumerate(nearest)]
            paths = [path / np.linalg.norm(path) for path in paths]
            labels = DBSCAN(eps=chosen.eps, min_samples=2, metric="cosine").fit(np.array(paths)).labels_.tolist()
            sizes = [labels.count(label) if label >= 0 else 0 for label in labels]
            best = labels[sizes.index(max(sizes))] if max(sizes) else None
            keep = [best is not None and label == best for label in labels]
            warned = [
                any(p @ path >= chosen.lesson_path and q @ query >= chosen.lesson_query for q, p in lessons)
                for path in paths
            ]
            if defence == LESSONS:
                usable = [r for r, k, w in zip(nearest, keep, warned, strict=True) if k and not w]
                lessons += [(query, path) for path, k in zip(paths, keep, strict=True) if not k]
                lessons = lessons[-KEPT:]
            else:
                usable = [r for r, k in zip(nearest, keep, strict=True) if k]
        votes = [0.0] * (TOPICS + 1)
        for vector, action in usable:
            votes[action] += math.exp(chosen.temperature * (vector @ query))
        done.append(votes.index(max(votes)) if usable else int(script.own_action[life, number]))
        if chosen.write_back:
            memory.append((query, done[-1]))
    return done


@pytest.mark.parametrize(
    "changes", [{}, {"n_poison": 12, "k": 6}, {"path_noise": 0.8, "k": 3}, {"write_back": False}, {"k": 1}]
)
def test_an_agent_of_plain_loops_does_the_same(changes: dict[str, Any]) -> None:
    chosen = QUICK.changed(rounds=15, **changes)
    lives = live(chosen)
    for defence, actions in taken(lives).items():
        for life in range(2):
            assert actions[life].tolist() == plain_agent(chosen, lives.world, life, defence), defence


# Consensus


@pytest.mark.parametrize("k", range(1, 12))
@pytest.mark.parametrize("poison_first", [True, False])
def test_without_noise_consensus_follows_the_majority(engine: Engine, k: int, poison_first: bool) -> None:
    contents = np.eye(2)
    for poison in range(k + 1):
        honest = k - poison
        order = [1] * poison + [0] * honest if poison_first else [0] * honest + [1] * poison
        paths = reason(engine, engine.asarray(contents[order][None, None]), engine.asarray(np.zeros((1, k, 2))))
        found = engine.asarray(np.ones((1, 1, k), dtype=bool))
        kept = engine.to_numpy(judge(engine, paths, found, 0.5).consistent)[0, 0]
        passed = bool((kept & (np.array(order) == 1)).any())
        assert passed == poison_passes(poison, k, poison_first)
        if poison != honest:
            assert passed == (poison > k / 2 and poison >= 2)
        assert kept.any() == (max(poison, honest) >= 2)


def test_one_record_alone_is_never_trusted_and_the_agent_acts_from_its_own_knowledge() -> None:
    chosen = QUICK.changed(k=1, lives=30, rounds=20, own_accuracy=0.6)
    lives = live(chosen)
    script, actions = lives.world.script, taken(lives)[CONSENSUS]
    assert (actions == script.own_action).all()
    assert not lives.answered("usable")[:, DEFENCES.index(CONSENSUS)].any()
    right, count = (actions == script.topic).mean(), actions.size
    expected = 0.6 + 0.4 / TOPICS
    assert right == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / count))


def test_noisy_paths_make_consensus_reject_honest_records() -> None:
    kept = [
        live(QUICK.changed(path_noise=noise, n_poison=0, p_trigger=0.0)).answered("usable")[:, 2].mean()
        for noise in (0.0, 0.35, 1.0)
    ]
    assert kept[0] >= kept[1] > 0.99
    assert kept[2] < 0.93


# Lessons


def lesson_memory(engine: Engine, count: int) -> Lessons:
    lessons = Lessons.empty(engine, 1, (3, 2))
    for number in range(count):
        angle = 0.01 * number
        path = np.array([[[math.cos(angle), math.sin(angle)], [0.0, 1.0]]])
        rejected = np.array([[True, False]])
        lessons = lessons.learned(
            engine.asarray(np.eye(3)[:1]),
            engine.asarray(path),
            engine.asarray(rejected),
            engine.asarray(np.array([[number, 0]])),
            number,
        )
    return lessons


def test_lessons_are_the_last_rejected_paths_in_order(engine: Engine) -> None:
    few, many = lesson_memory(engine, 3), lesson_memory(engine, KEPT + 5)
    assert engine.to_numpy(few.filled).sum() == 3
    assert engine.to_numpy(few.action)[engine.to_numpy(few.filled)].tolist() == [0, 1, 2]
    assert engine.to_numpy(many.action)[0].tolist() == list(range(5, KEPT + 5))
    np.testing.assert_allclose(engine.to_numpy(many.paths)[0, -1], [math.cos(0.68), math.sin(0.68)])


def test_a_lesson_applies_only_if_path_and_question_are_similar(engine: Engine) -> None:
    lessons = lesson_memory(engine, 1)
    paths = engine.asarray(np.array([[[1.0, 0.0], [0.0, 1.0]]]))
    near, far = (engine.asarray(np.array([vector])) for vector in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    matched = lessons.matches(near, paths, 0.8, 0.5)
    assert engine.to_numpy(matched).any(axis=-1).tolist() == [[True, False]]
    assert not engine.to_numpy(lessons.matches(far, paths, 0.8, 0.5)).any()
    assert engine.to_numpy(lessons.matches(far, paths, 0.8, -1.0)).any(axis=-1).tolist() == [[True, False]]
    assert engine.to_numpy(lessons.used(matched).hits).sum() == 1


def test_lessons_matched_by_the_path_alone_cost_accuracy() -> None:
    worlds = [
        last(QUICK.changed(lives=10, rounds=20, lesson_query=query))["worlds"].where(defence=LESSONS)["accuracy"].mean()
        for query in (0.5, -1.0)
    ]
    assert worlds[1] < worlds[0] - 0.05


# Pitfalls and symmetries


def test_no_poison_no_attack() -> None:
    for actions in taken(live(QUICK.changed(n_poison=0, k=3, lives=5))).values():
        assert not (actions == MALICIOUS).any()


def test_defences_other_than_the_audit_never_see_what_was_planted() -> None:
    chosen = QUICK.changed(defences=(NO_DEFENCE, CONSENSUS, LESSONS), n_poison=8)
    world = draw_world(chosen, cases_of(chosen), NUMPY, 0)
    blind = replace(world, script=replace(world.script, planted=world.script.planted & False))
    first, second = live(chosen, world=world), live(chosen, world=blind)
    for defence, actions in taken(first).items():
        assert (actions == taken(second)[defence]).all()


def test_an_audit_that_misses_all_is_none_and_one_that_misses_nothing_leaves_no_poison() -> None:
    blind = taken(live(QUICK.changed(audit_miss=1.0, n_poison=8)))
    assert (blind[AUDIT] == blind[NO_DEFENCE]).all()
    perfect, clean = (taken(live(QUICK.changed(**change))) for change in ({"audit_miss": 0.0}, {"n_poison": 0}))
    assert (perfect[AUDIT] == clean[NO_DEFENCE]).all()


def test_the_audit_removes_the_share_it_does_not_miss() -> None:
    chosen = BROWSER.changed(lives=30, n_poison=24, rounds=10)
    lives = Lives(chosen, cases_of(chosen), draw_world(chosen, cases_of(chosen), NUMPY, 1), NUMPY)
    kept = lives.held_at_start[:, DEFENCES.index(AUDIT), -24:].mean()
    assert kept == pytest.approx(0.66, abs=3 * math.sqrt(0.66 * 0.34 / (30 * 24)))


def test_a_trigger_without_weight_makes_poison_ordinary_noise() -> None:
    """With w = 0 and k = 1 each question meets poison by its share of the memory, with the trigger or without."""
    chosen = BROWSER.changed(
        trigger_weight=0.0, temperature=0.0, k=1, n_poison=24, write_back=False, lives=30, defences=(NO_DEFENCE,)
    )
    lives = live(chosen)
    bad = taken(lives)[NO_DEFENCE] == MALICIOUS
    triggered = lives.world.script.triggered
    per_life = np.array([[bad[r][triggered[r]].mean(), bad[r][~triggered[r]].mean()] for r in range(30)])
    difference = per_life[:, 0] - per_life[:, 1]
    assert difference.mean() == pytest.approx(0, abs=3 * difference.std(ddof=1) / math.sqrt(30))
    error = per_life[:, 0].std(ddof=1) / math.sqrt(30)
    assert per_life[:, 0].mean() == pytest.approx(24 / 144, abs=3 * error)


def test_without_a_trigger_the_planted_records_come_to_nothing() -> None:
    """With w = 0 a planted record is one among honest neighbours, which outvote it."""
    counts = Counts.of(live(BROWSER.changed(trigger_weight=0.0, phase=OFF, lives=10)))
    pulled = Counts.of(live(BROWSER.changed(phase=OFF, lives=10)))
    assert counts.attack_success.max() < 0.01
    assert (pulled.attack_success[:, DEFENCES.index(NO_DEFENCE)].mean() > 0.3).all()


def test_without_writing_back_and_lessons_rounds_are_exchangeable() -> None:
    chosen = BROWSER.changed(write_back=False, defences=(NO_DEFENCE, CONSENSUS), lives=30)
    counts = Counts.of(live(chosen))
    half = counts.triggered.shape[1] // 2
    for place in range(2):
        bad = counts.malicious[:, place]
        shares = [
            (bad & counts.triggered)[:, part].sum(axis=1) / counts.triggered[:, part].sum(axis=1)
            for part in (slice(0, half), slice(half, None))
        ]
        difference = shares[0] - shares[1]
        assert difference.mean() == pytest.approx(0, abs=3 * difference.std(ddof=1) / math.sqrt(30))


def test_renaming_the_topics_changes_nothing() -> None:
    world = draw_world(QUICK, cases_of(QUICK), NUMPY, 0)
    new_name = np.array([3, 1, 7, 0, 6, 2, 5, 4, MALICIOUS])
    script = replace(
        world.script,
        topic=new_name[world.script.topic],
        own_action=new_name[world.script.own_action],
        record_action=new_name[world.script.record_action],
    )
    contents = np.empty_like(world.contents)
    contents[:, new_name] = world.contents
    before, after = live(QUICK, world=world), live(QUICK, world=replace(world, script=script, contents=contents))
    for defence, actions in taken(before).items():
        assert (new_name[actions] == taken(after)[defence]).all()


def test_poison_is_measured_before_it_is_written_and_stands_still_without_writing() -> None:
    counts = Counts.of(live(QUICK.changed(n_poison=4)))
    np.testing.assert_allclose(counts.poisoned[:, 0, 0], 4 / 124)
    added = counts.malicious[:, 0].sum(axis=-1)
    np.testing.assert_allclose(counts.poisoned_end[:, 0], (4 + added) / (124 + 80))
    still = Counts.of(live(QUICK.changed(write_back=False)))
    assert (still.poisoned == still.poisoned[..., :1]).all()
    assert (still.poisoned_end == still.poisoned[..., 0]).all()


def test_attack_success_counts_questions_with_the_trigger_alone_and_skips_where_there_are_none() -> None:
    hits = np.array([[[True] * 8 + [False] * 8 + [True] * 8]])
    among = np.array([[True] * 4 + [False] * 4 + [False] * 8 + [False] * 4 + [True] * 4])
    by_round = share_by_round(hits, among, 1)[0]
    assert by_round[0] == by_round[2] == 1
    assert math.isnan(by_round[1])
    assert share_by_round(hits, among, 2)[0] == [1.0, 1.0, 1.0]
    tables = last(QUICK.changed(p_trigger=0.0))
    assert np.isnan(tables["rounds"]["attack"]).all()
    assert len(tables["chance_here"]) == 0


def test_a_vote_is_a_sum_of_weights_and_no_record_means_own_knowledge(engine: Engine) -> None:
    actions = np.array([[[0, 1, 1], [0, 1, 1], [2, 2, 2]]])
    cosines = np.array([[[0.9, 0.7, 0.7], [0.9, 0.7, 0.7], [0.9, 0.9, 0.9]]])
    usable = np.array([[[True, True, True], [True, True, False], [False, False, False]]])

    def voted(temperature: float) -> list[int]:
        arrays = (engine.asarray(array) for array in (actions, cosines, usable, np.array([5])))
        return engine.to_numpy(act(engine, *arrays, temperature, 9))[0].tolist()

    assert voted(8.0) == [0, 0, 5]  # exp(8·0.2) = 4.95 > 2
    assert voted(2.0) == [1, 0, 5]  # exp(2·0.2) = 1.49 < 2
    assert voted(0.0) == [1, 0, 5]  # a tie goes to the lower number


def test_a_memory_smaller_than_k_is_used_whole_and_says_so() -> None:
    run = list(MECHANISM.run(QUICK.changed(records_per_topic=1, n_poison=0, k=11), NUMPY, 0))
    assert "8 records, fewer than k = 11: all are used" in run[0].message


# Frames, charts, settings


@pytest.mark.parametrize(
    "chosen",
    [
        BROWSER,
        QUICK.changed(p_trigger=0.0),
        QUICK.changed(p_trigger=1.0, k=1),
        QUICK.changed(n_poison=0),
        QUICK.changed(n_poison=24, trigger_weight=3.0, k=11, inspected=LESSONS, inspected_round=100),
        QUICK.changed(defences=(NO_DEFENCE,), write_back=False),
        QUICK.changed(defences=(AUDIT,), lives=1),
        QUICK.changed(phase=BY_NEIGHBOURS, records_per_topic=1),
    ],
    ids=lambda chosen: ",".join(chosen.formatted(against=BROWSER)) or "browser",
)
def test_every_chart_speaks_on_the_first_frame_and_the_last(chosen: MemGuardSettings) -> None:
    run: list[Frame] = list(MECHANISM.run(chosen, NUMPY, 0))
    assert [frame.progress for frame in run] == sorted(frame.progress for frame in run)
    assert run[-1].progress == 1
    assert len(run) <= 40
    for frame in (run[0], run[-1]):
        assert sum(map(len, frame.tables.values())) < 3_000
        for chart in MECHANISM.charts:
            said = chart.describe(frame.tables)
            assert said.endswith(".")
            assert "nan" not in said
            for layer in chart.layers:
                table = frame.tables[layer.table]
                names = (layer.x, layer.y, layer.y2, layer.color, layer.dash, layer.detail, layer.text, layer.outline)
                assert {name for name in names if name} <= set(table.columns)
                if layer.color and chart.series:
                    assert set(table[layer.color].tolist()) <= set(chart.series)


def test_the_shared_table_is_what_is_left_of_the_poison() -> None:
    table = last(BROWSER.changed(phase=OFF, lives=10))["retention"]
    assert table.units["lag"] == "rounds"
    assert table["lag"].tolist() == list(range(40))
    assert ((table["retention"] >= 0) & (table["retention"] <= 1)).all()
    assert table["retention"][-1] < table["retention"][0] / 2


def test_the_matrix_and_the_list_of_lessons_belong_together() -> None:
    tables = last(BROWSER.changed(phase=OFF, k=7))
    assert len(tables["paths"]) == 49
    assert len(tables["path_labels"]) == 7
    kept = {f"{rank}" for rank, kept in zip(*(tables["path_labels"][c] for c in ("rank", "kept")), strict=True) if kept}
    outlined = {row["column"] for row in tables["paths"].rows() if row["kept"]}
    assert kept == outlined
    assert len(tables["map_links"]) == 14
    hits = tables["lessons"]["hits"].tolist()
    assert hits == sorted(hits, reverse=True)
    assert tables["lesson_counts"]["lessons"].sum() <= KEPT


def test_cells_of_the_diagram_are_runs() -> None:
    chosen = QUICK.changed(phase=BY_TRIGGER, phase_lives=2)
    cells = attack_success(chosen, [(4, 1.2), (8, 0.6)], NUMPY, 0)
    for cell, (planted, weight) in enumerate([(4, 1.2), (8, 0.6)]):
        alone = Counts.of(live(chosen.changed(n_poison=planted, trigger_weight=weight)))
        for name, defence in PHASE_DEFENCES.items():
            expected = alone.attack_success[:, DEFENCES.index(defence)].mean()
            assert cells[name][cell] == pytest.approx(expected)


def test_lives_with_a_smaller_k_retrieve_as_if_they_were_alone() -> None:
    """Up to the noise of the wording, which is drawn for the largest k; so without a defence."""
    chosen = QUICK.changed(defences=(NO_DEFENCE,), lives=1)
    cases = [Case(0, 4, 1.2, 3), Case(0, 4, 1.2, 9)]
    together = Lives(chosen, cases, draw_world(chosen, cases, NUMPY, 0), NUMPY)
    for _ in range(chosen.rounds * QUERIES):
        together.advance()
    for row, k in enumerate((3, 9)):
        assert (taken(together)[NO_DEFENCE][row] == taken(live(chosen.changed(k=k)))[NO_DEFENCE][0]).all()


def test_engines_agree() -> None:
    chosen = BROWSER.changed(rounds=15, lives=2, n_poison=8)
    ours, theirs = (last(chosen, select(name, precision="float64"), 3) for name in ("numpy", "torch"))
    assert ours.keys() == theirs.keys()
    for name, table in ours.items():
        for column, values in table.columns.items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(theirs[name][column], values, atol=1e-9, err_msg=f"{name}.{column}")
            else:
                assert theirs[name][column].tolist() == values.tolist(), f"{name}.{column}"


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    first, again, other = (last(QUICK, seed=seed)["worlds"].rows() for seed in (3, 3, 4))
    assert first == again != other


def test_a_world_is_the_same_whatever_else_is_asked_for() -> None:
    few, more = (
        draw_world(chosen, cases_of(chosen), NUMPY, 0) for chosen in (QUICK, QUICK.changed(lives=5, rounds=20))
    )
    np.testing.assert_array_equal(few.records, more.records[:2])
    np.testing.assert_array_equal(few.queries, more.queries[:2, : few.queries.shape[1]])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"eps": 0.0}, "eps"),
        ({"k": 0}, "k"),
        ({"p_trigger": 1.2}, "p_trigger"),
        ({"defences": ("wishing",)}, "defences"),
        ({"defences": ()}, "defences"),
        ({"n_poison": 25}, "n_poison"),
        ({"trigger_weight": math.nan}, "trigger_weight"),
        ({"reasoner": "language model"}, "set embedding to 'clinic questions' first"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        BROWSER.changed(**changes)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(OPTIONS)),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.lists(st.text(max_size=5))),
)
def test_any_value_is_used_or_refused_in_a_sentence(name: str, value: Any) -> None:
    try:
        BROWSER.changed(**{name: value})
    except SettingsError as error:
        assert name in str(error)  # noqa: PT017 - what goes out otherwise must fail the test


def test_the_laptop_preset_starts() -> None:
    first = next(iter(MECHANISM.run(CPU.changed(rounds=10), NUMPY, 0)))
    assert len(first.tables["worlds"]) == 4 * 30


# What the paper finds


@pytest.mark.slow
def test_every_claim_holds() -> None:
    laboratory = Laboratory(MECHANISM, select("numpy"))
    for claim in MECHANISM.claims:
        found = laboratory.evidence(claim, BROWSER, 0)
        assert found.holds, (claim.key, found)


def test_claims_can_fail() -> None:
    """Where nothing is planted, or every defence does the same, nothing of this is seen."""
    same = last(QUICK.changed(n_poison=8))
    for name in ("worlds",):
        columns = dict(same[name].columns)
        columns["attack"] = np.full(len(same[name]), 0.4)
        columns["accuracy"] = np.full(len(same[name]), 0.5)
        columns["poisoned_end"] = columns["poisoned_start"]
        same[name] = type(same[name])(columns)
    columns = dict(same["majority"].columns)
    columns["as_ruled"] = columns["as_ruled"] // 2
    same["majority"] = type(same["majority"])(columns)
    result = Result(QUICK, 0, "numpy", same)
    for claim in MECHANISM.claims:
        assert not claim.check([result] * max(1, len(claim.variants))).holds, claim.key


def test_a_run_that_cannot_tell_says_so() -> None:
    clean = Result(QUICK, 0, "numpy", last(QUICK.changed(n_poison=0)))
    for check in (evidence.check_cut, evidence.check_shrinking, evidence.check_majority):
        found = check([clean])
        assert not found.tells
        assert found.note


def test_unanimous_poison_is_learned_from_by_nobody() -> None:
    lives = live(QUICK.changed(trigger_weight=3.0, n_poison=8))
    counts = Counts.of(lives)
    assert (counts.attack_success[:, DEFENCES.index(LESSONS)] > 0.95).all()


# The exercise


@pytest.mark.parametrize("seed", [100, 200])
def test_the_exercise_accepts_the_threshold_and_refuses_far_from_it(seed: int) -> None:
    numpy = select("numpy")
    grades = [exercise.grade(exercise.PlantedAnswer(planted=count), BROWSER, seed, numpy) for count in (2, 7, 14)]
    assert [grade.correct for grade in grades] == [False, True, False]
    assert "still works" in grades[0].feedback
    assert "fails with fewer" in grades[2].feedback


def test_the_exercise_counts_what_the_page_counts() -> None:
    (found,) = exercise.mean_attack((8,), NUMPY, 5, QUICK)
    alone = Counts.of(live(QUICK.changed(n_poison=8, lives=exercise.WORLDS), seed=5))
    for defence in (CONSENSUS, LESSONS):
        assert found[defence] == pytest.approx(alone.attack_success[:, DEFENCES.index(defence)].mean())


def test_poison_topics_are_drawn_once_for_all_numbers_of_planted_records() -> None:
    worlds = [draw_world(chosen, cases_of(chosen), NUMPY, 0) for chosen in (QUICK, QUICK.changed(n_poison=9))]
    np.testing.assert_array_equal(worlds[0].records, worlds[1].records)
    assert worlds[1].script.present.sum() - worlds[0].script.present.sum() == 10
    assert philox(0, "topics of poison", 0).integers(TOPICS, size=24).shape == (24,)
