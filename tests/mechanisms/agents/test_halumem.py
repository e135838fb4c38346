import math
import re
import sys

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from mem_core.data.user_timeline import MemoryPoint, Question, Session, Timeline, all_texts, facts_in, statement
from mem_core.engine import select
from mem_core.mechanisms import catalog
from mem_core.mechanisms.agents.halumem import descriptions, exercise, sweeps
from mem_core.mechanisms.agents.halumem import paper_figures as paper
from mem_core.mechanisms.agents.halumem.blame import (
    ANSWERING,
    EXTRACTION,
    RETRIEVAL,
    STAGES,
    UPDATING,
    Situation,
    earliest_failure,
)
from mem_core.mechanisms.agents.halumem.calibration import calibrate
from mem_core.mechanisms.agents.halumem.claims import CLEAN
from mem_core.mechanisms.agents.halumem.extraction import extract
from mem_core.mechanisms.agents.halumem.flow import COLUMNS
from mem_core.mechanisms.agents.halumem.judging import accuracy_record, answer_verdict, integrity_score, update_verdict
from mem_core.mechanisms.agents.halumem.language_model import memories_in
from mem_core.mechanisms.agents.halumem.life import live
from mem_core.mechanisms.agents.halumem.run import run
from mem_core.mechanisms.agents.halumem.settings import GATE, PRESETS, HallucinationSettings
from mem_core.mechanisms.agents.halumem.tables import HERE, life_tables, store_table
from mem_core.mechanisms.agents.halumem.users import SessionLots, StatementLots, User, draw_user
from mem_core.mechanisms.contract import RunError
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.nn import text_embedding
from mem_core.nn.chat_model import VARIABLES, ChatError
from mem_core.nn.merging_memory import Similarities
from mem_core.nn.text_embedding import embedding
from mem_core.training.hallucination_evaluation import evaluate, total

MECHANISM = catalog.load("halumem")
NO_ERRORS = HallucinationSettings(users=20).changed(**CLEAN, top_k=10)
LUCKY = StatementLots(miss=0.99, corrupt=0.99, value=0.0, noise=0.0)
NEVER = (0.999, 0.0, 0.0)
"""No fabrication."""


@pytest.fixture(scope="module")
def numpy_engine():
    return select("numpy")


@pytest.fixture(scope="module")
def cosines(numpy_engine):
    """Cosines around each name, computed when asked for."""
    found = {}

    def of(name):
        if name not in found:
            found[name] = Similarities(numpy_engine, embedding("hashing"), all_texts(name))
        return found[name]

    return of


@pytest.fixture(scope="module")
def default_frames(numpy_engine):
    return list(run(HallucinationSettings(), numpy_engine, 0))


def lives(cosines, settings, seed=0):
    users = [draw_user(settings, seed, number) for number in range(settings.users)]
    return [live(settings, user, cosines(user.name), settings.merge_threshold) for user in users]


def scores(cosines, settings, seed=0):
    return evaluate(total(life.records for life in lives(cosines, settings, seed)))


def mia(*sessions):
    """A user with these sessions and good luck in all of them."""
    lots = [
        SessionLots(
            [LUCKY] * (len(session.points) + len(session.small_talk)), NEVER, [[0.5] * 4] * len(session.questions)
        )
        for session in sessions
    ]
    return User(0, Timeline("Mia", sessions), lots)


def told(slot, value, *originals, **keywords):
    return MemoryPoint(slot, value, originals=originals, **keywords)


def mias(slot, value):
    return statement("Mia", slot, value)


# The judges


def test_integrity_is_full_partial_or_none():
    extracted = [mias("pet", "cat"), mias("job", "nurse")]
    assert integrity_score([("pet", "cat")], extracted) == 2
    assert integrity_score([("pet", "cat"), ("home city", "Oslo")], extracted) == 1
    assert integrity_score([("pet", "parrot")], extracted) == 0  # the slot alone is not enough
    assert integrity_score([("pet", "cat")], []) == 0


def test_a_memory_on_target_may_be_wrong_and_interference_supports_nothing():
    session = Session((told("pet", "cat"), told("job", "pilot", interference=True)), ("Mia talked about comets",))
    judged = {
        mias("pet", "cat"): (2, True),
        mias("pet", "parrot"): (0, True),  # every field is in the gold list, whatever its value
        mias("job", "pilot"): (0, False),
        f"{mias('pet', 'cat')}, and {mias('home city', 'Oslo')}": (1, False),
        "Mia talked about comets": (2, False),
        "Mia talked about tax forms": (0, False),
    }
    for text, (score, in_gold) in judged.items():
        record = accuracy_record(text, session)
        assert (record.score, record.in_gold) == (score, in_gold), text


def test_update_verdicts():
    point = told("pet", "cat", "parrot", "hamster")
    new, old, older, wrong = (mias("pet", value) for value in ("cat", "hamster", "parrot", "tortoise"))
    other = mias("job", "nurse")
    for found, extracted, verdict in (
        ([new, other], [new], "Correct"),
        ([other, new, old], [new], "Omission"),  # the old one was not replaced
        ([new, older], [new], "Omission"),
        ([old, other], [], "Omission"),
        ([other], [], "Omission"),
        ([wrong, other], [wrong], "Hallucination"),
        ([new, wrong], [new, wrong], "Hallucination"),
        ([new, wrong], [new], "Correct"),  # the wrong one is no memory of this update
        ([wrong], [], "Omission"),
        ([old], [old], "Hallucination"),  # said again when something else was told
        ([old], [wrong], "Omission"),  # the wrong one was not found
    ):
        assert update_verdict(point, found, extracted) == verdict, (found, extracted)


def test_updates_are_hallucinated_as_often_as_their_facts_are_corrupted(cosines):
    """With θ = 1 and no fabrications a wrong new value is there exactly if the fact is not missed and is corrupted."""
    settings = NO_ERRORS.changed(users=20, miss=0.4, corrupt=0.2, merge_threshold=1.0)
    updates = total(life.records for life in lives(cosines, settings)).updates
    wanted = (1 - 0.4) * 0.2
    share = sum(update.verdict == "Hallucination" for update in updates) / len(updates)
    assert abs(share - wanted) < 3 * math.sqrt(wanted * (1 - wanted) / len(updates))


def test_answer_verdicts():
    assert answer_verdict("cat", "cat") == answer_verdict(None, None) == "Correct"
    assert answer_verdict("cat", None) == answer_verdict("cat", "parrot") == "Hallucination"
    assert answer_verdict(None, "cat") == "Omission"


# Blame


@pytest.mark.parametrize(
    ("gold", "found", "stored", "extracted", "superseded", "stage"),
    [
        ("cat", "cat", "cat", True, False, ANSWERING),
        ("cat", "cat", "parrot", False, False, ANSWERING),  # the search made up for it
        (None, None, None, False, False, ANSWERING),
        (None, "cat", "cat", False, False, EXTRACTION),  # a false memory
        ("cat", None, None, False, False, EXTRACTION),
        ("cat", "parrot", "parrot", True, True, EXTRACTION),
        ("cat", "parrot", "cat", True, False, RETRIEVAL),
        ("cat", None, "cat", False, False, RETRIEVAL),
        ("cat", None, None, True, False, UPDATING),
        ("cat", "parrot", "parrot", True, False, UPDATING),
    ],
)
def test_the_first_stage_that_failed_is_blamed(gold, found, stored, extracted, superseded, stage):
    assert earliest_failure(Situation(gold, found, stored, extracted, superseded)) == stage


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"miss": 0.5}, EXTRACTION),
        ({"corrupt": 0.5}, EXTRACTION),
        ({"accept_interference": 1.0}, EXTRACTION),
        ({"fabricate": 1.0}, EXTRACTION),
        ({"merge_threshold": 0.4}, UPDATING),
        ({"merge_threshold": 0.95, "top_k": 1}, RETRIEVAL),
        ({"answer_error": 0.5}, ANSWERING),
        ({"guess": 1.0}, ANSWERING),
    ],
)
def test_one_error_alone_is_blamed_on_its_stage(cosines, changes, stage):
    found = [wrong.stage for life in lives(cosines, NO_ERRORS.changed(**changes)) for wrong in life.wrong]
    assert found
    assert set(found) == {stage}


def test_blame_adds_up_to_the_answers_that_are_not_correct(cosines):
    settings = HallucinationSettings(answer_error=0.3, merge_threshold=0.6, guess=0.3, top_k=2)
    found = lives(cosines, settings)
    records = total(life.records for life in found)
    wrong = sum(item.verdict != "Correct" for item in records.answers)
    table = life_tables(found)["blame"]
    assert int(table["answers"].sum()) == wrong == sum(len(life.wrong) for life in found)
    assert set(table["stage"].tolist()) == set(STAGES)


# The oracles


def test_without_errors_every_score_is_one_and_only_stale_copies_are_left(cosines):
    found = scores(cosines, NO_ERRORS)
    assert (found.recall, found.weighted_recall, found.target_precision, found.accuracy, found.f1) == (1, 1, 1, 1, 1)
    assert found.false_memory_resistance == found.answers["Correct"] == 1
    # One pair in twenty of the same slot is below θ = 0.75 and is not merged; all such updates are incomplete.
    assert 0.85 < found.updates["Correct"] < 1
    assert found.updates["Correct"] + found.updates["Omission"] == 1


def test_who_misses_everything_recalls_nothing_and_resists_everything(cosines):
    settings = NO_ERRORS.changed(miss=1.0)
    records = total(life.records for life in lives(cosines, settings))
    found = evaluate(records)
    assert (found.recall, found.weighted_recall, found.f1, found.false_memory_resistance) == (0, 0, 0, 1)
    assert math.isnan(found.target_precision)
    assert math.isnan(found.accuracy)
    told_questions = [item.verdict for item in records.answers if item.kind != "Memory Boundary"]
    assert set(told_questions) == {"Omission"}
    assert not records.updates  # nothing is stored, so no search returns anything, and updates count as points


@pytest.mark.parametrize("gate", [-0.5, 0.3, 1.0, 2.0])
def test_the_gate_follows_its_closed_form(cosines, gate):
    settings = HallucinationSettings(users=100, sessions=20, mode=GATE, gate=gate, corrupt=0.0, fabricate=0.0)
    records = total(life.records for life in lives(cosines, settings))
    found = evaluate(records)
    interference = [item for item in records.integrity if item.interference]
    for value, wanted, count in (
        (found.recall, 1 - norm.cdf(gate - 1.3), len(records.integrity) - len(interference)),
        (found.false_memory_resistance, norm.cdf(gate), len(interference)),
    ):
        assert abs(value - wanted) < 3 * math.sqrt(wanted * (1 - wanted) / count)
    assert sweeps.gate_closed_form(gate) == pytest.approx((1 - norm.cdf(gate - 1.3), norm.cdf(gate)))


def test_no_interference_point_leaves_resistance_undefined_and_a_dash_on_the_page(cosines):
    user = mia(Session((told("pet", "cat"),), (), (Question("pet", "cat", "Basic Fact Recall"),)))
    life = live(HallucinationSettings(fabricate=0.0, corrupt=0.0), user, cosines("Mia"), 0.75)
    tables = life_tables([life])
    assert math.isnan(tables["scores"].where(measure="FMR")["share"][0])
    assert "FMR –" in descriptions.scores(tables)


def test_verdicts_add_up_to_one(cosines):
    found = scores(cosines, HallucinationSettings(answer_error=0.2, guess=0.5))
    assert sum(found.updates.values()) == pytest.approx(1)
    assert sum(found.answers.values()) == pytest.approx(1)


def test_an_append_only_memory_answers_with_the_last_extracted_value(cosines):
    """With θ = 1 and a search that returns everything, the answer needs no cosines at all."""
    settings = HallucinationSettings(users=20, sessions=10, merge_threshold=1.0, top_k=20, miss=0.3, fabricate=0.0)
    for number in range(settings.users):
        user = draw_user(settings, 3, number)
        life = live(settings, user, cosines(user.name), settings.merge_threshold)
        assert len(life.memory.records) <= 20
        last, expected = {}, []
        for session, lots in zip(user.timeline.sessions, user.lots, strict=True):
            for text in extract(settings, user.name, session, lots):
                last.update(facts_in(text))
            expected += [answer_verdict(last.get(item.slot), item.answer) for item in session.questions]
        assert [item.verdict for item in life.records.answers] == expected


def test_below_every_cosine_the_memory_holds_one_record(cosines):
    for life in lives(cosines, NO_ERRORS.changed(users=3, merge_threshold=0.0)):
        assert len(life.memory.records) == 1


# The pitfalls


def test_interference_stays_out_of_recall_and_an_update_out_of_both(cosines):
    user = mia(
        Session((told("pet", "cat"), told("job", "pilot", interference=True))),
        Session((told("pet", "parrot", "cat"),)),
    )
    life = live(NO_ERRORS, user, cosines("Mia"), 0.75)
    assert [(item.score, item.interference) for item in life.records.integrity] == [(2, False), (0, True)]
    assert [item.verdict for item in life.records.updates] == ["Correct"]


def test_an_update_is_judged_on_ten_records_and_not_on_the_whole_store(cosines):
    """Ten copies of the new value hide the stale one: a judge of the whole store would see it."""
    said = Session((told("pet", "parrot", interference=True),))
    user = mia(Session((told("pet", "cat"),)), *[said] * 9, Session((told("pet", "parrot", "cat"),)))
    life = live(HallucinationSettings(accept_interference=1.0, fabricate=0.0), user, cosines("Mia"), 1.0)
    stored = [record.text for record in life.memory.records]
    assert (len(stored), mias("pet", "cat") in stored) == (11, True)
    assert [item.verdict for item in life.records.updates] == ["Correct"]
    assert update_verdict(told("pet", "parrot", "cat"), stored, [mias("pet", "parrot")]) == "Omission"


def test_the_luck_of_a_user_does_not_depend_on_the_knobs():
    plain, other = (
        HallucinationSettings(),
        HallucinationSettings(miss=0.7, users=2, merge_threshold=0.3, answer_error=1.0),
    )
    assert draw_user(plain, 0, 1) == draw_user(other, 0, 1)
    assert draw_user(plain, 0, 1) != draw_user(plain, 1, 1)


def test_the_extractor_has_the_rates_that_are_set():
    settings = HallucinationSettings(miss=0.3, accept_interference=0.6, corrupt=0.2, fabricate=0.25, sessions=120)
    counts = {"true": [], "false": [], "corrupt": [], "fabricated": []}
    for number in range(20):
        user = draw_user(settings, 0, number)
        for session, lots in zip(user.timeline.sessions, user.lots, strict=True):
            plain = extract(settings.changed(fabricate=0.0), user.name, session, lots)
            values = dict(fact for text in plain for fact in facts_in(text))
            counts["fabricated"].append(len(extract(settings, user.name, session, lots)) - len(plain))
            for point in session.points:
                counts["false" if point.interference else "true"].append(point.slot in values)
                if not point.interference and point.slot in values:
                    counts["corrupt"].append(values[point.slot] != point.value)
    for name, wanted in (("true", 0.7), ("false", 0.6), ("corrupt", 0.2), ("fabricated", 0.25)):
        error = math.sqrt(wanted * (1 - wanted) / len(counts[name]))
        assert np.mean(counts[name]) == pytest.approx(wanted, abs=4 * error), name


def test_small_talk_is_true_off_target_and_fills_the_store(cosines):
    settings = NO_ERRORS.changed(users=3, distractors=2)
    found = lives(cosines, settings)
    talk = [record for life in found for record in life.memory.records if not facts_in(record.text)]
    assert talk
    scored = evaluate(total(life.records for life in found))
    assert (scored.accuracy, scored.target_precision, scored.answers["Correct"]) == (1, 1, 1)


# What a run shows


def test_facts_flow_from_column_to_column_without_loss(default_frames):
    states, bands = (default_frames[-1].tables[name] for name in ("flow_states", "flow_bands"))
    for column in range(len(COLUMNS)):
        assert states.where(stage=column)["share"].sum() == pytest.approx(1)
    for left in range(len(COLUMNS) - 1):
        ends = bands.where(stage=float(left))
        mine = [place for place, name in enumerate(ends["band"].tolist()) if name.startswith(f"{left}:")]
        heights = (ends["high"] - ends["low"])[mine]
        assert heights.sum() == pytest.approx(1)
        assert (heights > 0).all()


def test_columns_of_verdicts_reach_one_here_and_nearly_in_the_paper(default_frames):
    for name in ("update_verdicts", "answer_verdicts"):
        for system in (HERE, *paper.SHOWN):
            top = default_frames[-1].tables[name].where(system=system)["high"].max()
            assert top == pytest.approx(1, abs=1e-9 if system == HERE else 0.0005)


def test_retention_starts_at_what_was_stored_and_stays_a_share(default_frames, cosines):
    table = default_frames[-1].tables["retention"]
    facts = [fact for life in lives(cosines, HallucinationSettings()) for fact in life.facts]
    assert table["lag"].tolist() == list(range(len(table)))
    assert table.units["lag"] == "sessions"
    assert table["retention"][0] == pytest.approx(np.mean([fact.stored for fact in facts]))
    assert ((table["retention"] >= 0) & (table["retention"] <= 1)).all()


def test_retention_of_a_memory_without_errors_does_not_fade(cosines):
    assert (life_tables(lives(cosines, NO_ERRORS))["retention"]["retention"] == 1).all()


def test_the_store_tells_stale_false_missing_and_duplicate_records(cosines):
    user = mia(
        Session((told("pet", "cat"), told("job", "nurse"))),
        Session((told("pet", "parrot", "cat"),)),
        Session((told("pet", "cat", "cat", "parrot"), told("home city", "Oslo", interference=True))),
        Session((told("study topic", "voting"),)),
    )
    lots = list(user.lots)
    lots[2] = SessionLots([LUCKY, StatementLots(0.0, 0.9, 0.0, 0.0)], NEVER, [])
    lots[3] = SessionLots([StatementLots(0.0, 0.9, 0.0, 0.0)], NEVER, [])
    settings = HallucinationSettings(miss=0.5, accept_interference=0.5, fabricate=0.0)
    life = live(settings, User(0, user.timeline, lots), cosines("Mia"), 1.0)
    rows = {(row["slot"], row["session"]): (row["value"], row["state"]) for row in store_table(life).rows()}
    assert rows == {
        ("home city", 3): ("Oslo", "false"),
        ("job", 1): ("nurse", "true"),
        ("pet", 1): ("cat", "duplicate"),
        ("pet", 2): ("parrot", "stale"),
        ("pet", 3): ("cat", "true"),
        ("study topic", 4): ("voting", "missing"),
    }


def test_the_sweeps_repeat_the_run_at_its_own_settings(default_frames):
    tables = default_frames[-1].tables
    here = tables["answer_verdicts"].where(system=HERE, verdict="Correct")["share"][0]
    at_default = tables["threshold_sweep"].where(threshold=0.75, measure=sweeps.ANSWER_CORRECT)["share"][0]
    assert at_default == here


def test_frames_come_early_and_say_what_they_show(default_frames, numpy_engine):
    progress = [frame.progress for frame in default_frames]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    for frame in default_frames:
        for chart in MECHANISM.charts:
            assert chart.describe(frame.tables).endswith(".")
    messages = [frame.message for frame in run(HallucinationSettings(users=25, sessions=10), numpy_engine, 0)]
    assert [message.split()[0] for message in messages[:2]] == ["20", "25"]


def test_extreme_settings_give_every_chart_its_words(numpy_engine):
    for changes in ({"miss": 1.0, "users": 1, "sessions": 10, "accept_interference": 0.0, "fabricate": 0.0}, CLEAN):
        *_, last = run(HallucinationSettings().changed(**{**changes, "users": 1}), numpy_engine, 0)
        for chart in MECHANISM.charts:
            assert chart.describe(last.tables).endswith(".")


def test_both_engines_tell_the_same_in_either_precision():
    settings = HallucinationSettings(users=3, merge_threshold=0.68, top_k=3, distractors=1)
    reference = run_to_end(MECHANISM, settings, select("numpy", precision="float64"), 4).tables
    for name, precision in (("torch", "float64"), ("torch", "float32"), ("numpy", "float32")):
        tables = run_to_end(MECHANISM, settings, select(name, precision=precision), 4).tables
        assert tables.keys() == reference.keys()
        for key, table in tables.items():
            for column, values in table.columns.items():
                np.testing.assert_array_equal(values, reference[key][column], err_msg=f"{key}.{column}")


def test_calibration_lies_between_the_two_histograms(numpy_engine):
    found = calibrate(numpy_engine, embedding("hashing"), 0)
    assert len(found.same) == len(found.different) == 200
    assert np.mean(found.different) < found.midpoint < np.mean(found.same)
    assert found.midpoint == pytest.approx((np.mean(found.same) + np.mean(found.different)) / 2)
    *_, last = run(HallucinationSettings(users=1, sessions=10, calibrated=True), numpy_engine, 0)
    assert last.tables["threshold"]["cosine"][0] == pytest.approx(found.midpoint)


# The paper


def test_the_paper_figures_are_ordered_as_the_page_says():
    assert spearmanr(*zip(*paper.LONG_RECALL_RESISTANCE.values(), strict=True)).statistic == pytest.approx(-1)
    assert spearmanr(*zip(*paper.medium_recall_resistance().values(), strict=True)).statistic == pytest.approx(-0.7)
    assert all(row.answers[0] > row.updates[0] for row in paper.MEDIUM)
    assert max(row.updates[1] for row in paper.MEDIUM) == 1.15
    for row in paper.MEDIUM:
        assert sum(row.updates) == pytest.approx(100, abs=0.05)  # the rest is "Other"
        assert sum(row.answers) == pytest.approx(100, abs=0.02)
        if row.extraction:
            recall, _, precision, *_, f1 = row.extraction
            assert f1 == pytest.approx(2 * precision * recall / (precision + recall), abs=0.02)


@pytest.mark.slow
def test_every_claim_holds(numpy_engine):
    results = {}
    for claim in MECHANISM.claims:
        runs = []
        for variant in claim.variants:
            key = str(sorted(variant.items()))
            if key not in results:
                results[key] = run_to_end(MECHANISM, HallucinationSettings().changed(**variant), numpy_engine, 11)
            runs.append(results[key])
        evidence = claim.check(runs)
        assert evidence.holds, (claim.key, evidence)


def test_claims_fail_when_the_illness_is_another_one(numpy_engine):
    by_key = {claim.key: claim for claim in MECHANISM.claims}

    def evidence(key, *changes):
        settings = [HallucinationSettings().changed(**change) for change in changes]
        return by_key[key].check([run_to_end(MECHANISM, one, numpy_engine, 0) for one in settings])

    assert not evidence("omitted-not-hallucinated", {"corrupt": 0.5}).holds
    assert not evidence("answers-fall", *[{"miss": 0.3}] * 4).holds
    assert not evidence("different-illness", {}, {}).holds
    assert not evidence("stale-updates", CLEAN).holds
    assert not evidence("answers-collapse", CLEAN).holds
    assert not evidence("same-answers", {}, {"answer_error": 1.0}).holds
    assert not evidence("anti-ordered", *[{"mode": GATE}] * 4).holds


# The exercise


def test_the_two_systems_are_told_apart(numpy_engine):
    right = exercise.TwoSystems(miss_1=0.45, answer_error_2=0.6)
    grade = exercise.grade(right, HallucinationSettings(), 5, numpy_engine)
    assert grade.correct, grade.feedback
    swapped = exercise.TwoSystems(answer_error_1=0.6, miss_2=0.45)
    grade = exercise.grade(swapped, HallucinationSettings(), 5, numpy_engine)
    assert not grade.correct
    assert "extraction is not to blame for more than 80 %" in grade.feedback


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "System 1: it answers too well"),
        ({"miss_1": 1.0}, "System 1: it answers too badly"),
        ({"miss_1": 0.45, "merge_threshold_2": 0.47}, "System 2: answering is not to blame"),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(numpy_engine, answer, words):
    grade = exercise.grade(exercise.TwoSystems(**answer), HallucinationSettings(), 5, numpy_engine)
    assert not grade.correct
    assert words in grade.feedback


# Bad input


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("miss", 1.2, "a number from 0 to 1"),
        ("top_k", 0, "a whole number from 1 to 20"),
        ("merge_threshold", -0.1, "a number from 0 to 1"),
        ("mode", "magic", "one of error rates, salience gate"),
        ("users", 0, "a whole number from 1 to 100"),
    ],
)
def test_a_setting_out_of_range_is_named_with_what_is_allowed(name, value, allowed):
    with pytest.raises(SettingsError, match=f"^{name} is .*must be {allowed}"):
        HallucinationSettings(**{name: value})


def test_an_embedding_that_is_not_installed_ends_the_run_with_a_sentence(monkeypatch, numpy_engine):
    monkeypatch.setattr(text_embedding, "MINILM_PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(RunError, match=r"^embedder: The embedding 'minilm' needs a package .* take 'hashing'"):
        next(run(HallucinationSettings(embedder="minilm"), numpy_engine, 0))
    assert next(run(PRESETS["gpu"].changed(users=1, sessions=10), numpy_engine, 0)).tables["scores"]


# A language model in the extractor's place


class Reader:
    """Answers like a language model that believes everything it reads, in a form of its own."""

    def __init__(self):
        self.prompts = []

    def ask_all(self, prompts):
        self.prompts += prompts
        return ["\n".join(self._lines(prompt)) for prompt in prompts]

    @staticmethod
    def _lines(prompt):
        said = re.findall(r"(?:My|your) ([a-z ]+) is (\w+)", prompt)
        return ["Here is what I found:", *(f"- {slot.title()} = {value}." for slot, value in said), "none"]


def with_model(settings, model, monkeypatch):
    # By name: the package offers the function `run` under the name of its module.
    monkeypatch.setattr(sys.modules[run.__module__], "model_or_sentence", lambda: model)
    *_, last = run(settings.changed(extractor="language model"), select("numpy"), 0)
    return last.tables


def test_a_model_that_believes_everything_recalls_all_and_resists_nothing(monkeypatch):
    model, settings = Reader(), HallucinationSettings(users=2, sessions=20, distractors=1)
    tables = with_model(settings, model, monkeypatch)
    found = dict(zip(tables["scores"]["measure"].tolist(), tables["scores"]["share"].tolist(), strict=True))
    assert (found["R"], found["target P"], found["FMR"]) == (1, 1, 0)
    said = [session for number in range(2) for session in draw_user(settings, 0, number).timeline.sessions]
    assert len(model.prompts) == sum(bool(session.points or session.small_talk) for session in said)
    believed = HallucinationSettings(users=2, sessions=20, distractors=1, miss=0.0, corrupt=0.0, fabricate=0.0)
    *_, last = run(believed.changed(accept_interference=1.0), select("numpy"), 0)
    for name in ("update_verdicts", "answer_verdicts"):  # the simulator at these rates does the same
        np.testing.assert_array_equal(tables[name]["share"], last.tables[name]["share"])
    assert len(tables["miss_sweep"]) == 0
    assert len(tables["threshold_sweep"]) > 0


def test_values_that_the_world_does_not_know_are_stored_and_judged_wrong(monkeypatch):
    class Dreamer(Reader):
        @staticmethod
        def _lines(prompt):
            return ["pet = unicorn"]

    tables = with_model(HallucinationSettings(users=1), Dreamer(), monkeypatch)
    assert "unicorn" in tables["store"]["value"].tolist()
    assert tables["scores"].where(measure="R")["share"][0] == 0


def test_lines_in_another_form_are_left_out():
    answer = "pet = cat\n* Home City = Oslo.\nThe job is nurse\njob = a nurse\nshoe size = 44\n\nnone"
    assert memories_in(answer, "Mia") == [mias("pet", "cat"), mias("home city", "Oslo")]


def test_a_model_that_is_missing_or_fails_ends_the_run_with_a_sentence(monkeypatch, numpy_engine):
    class Silent(Reader):
        def ask_all(self, prompts):
            raise ChatError("It does not answer.")

    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(RunError, match="No language model is set up here"):
        next(run(HallucinationSettings(users=1, extractor="language model"), numpy_engine, 0))
    with pytest.raises(RunError, match=r"It does not answer\. Set extractor to simulator"):
        with_model(HallucinationSettings(users=1), Silent(), monkeypatch)


def test_a_language_model_reads_a_limited_number_of_sessions():
    with pytest.raises(SettingsError, match="180 sessions to read, but it must be at most 120: lower users"):
        HallucinationSettings(extractor="language model")
