"""The evaluation card as a page shows it: filled from runs, compared with a saved one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from mem_core.lab.card_tables import compared, mechanism_part, own_table, panels_table
from mem_core.lab.evaluation_card import CardBoard, _filled
from mem_core.lab.jobs import Job
from mem_core.lab.run_links import request_of
from mem_core.lab.runner import chosen
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Result
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.overview.memory_in_llms.card import CardRun, EvaluationCard, Measure, compare
from mem_core.mechanisms.overview.memory_in_llms.filling import own_runs
from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM
from mem_core.mechanisms.overview.memory_in_llms.settings import MapSettings


@dataclass
class File:
    """An uploaded file, as marimo gives it."""

    name: str
    contents: bytes


@pytest.fixture(scope="module")
def result() -> Result:
    from mem_core.engine import select

    return run_to_end(MECHANISM, MapSettings(repeats=2, dimension=32), select("numpy"), 0)


@pytest.fixture
def board() -> CardBoard:
    return CardBoard(SimpleNamespace(news_changed=lambda: None))  # type: ignore[arg-type]


def live(result: Result | None) -> Any:
    return SimpleNamespace(result=result)


def test_the_card_shows_every_dimension_in_every_regime(result: Result) -> None:
    html = own_table(own_runs(result, "abc")).text
    for words in ("correctness", "faithfulness", "timeliness", "refusal", "position robustness", "PO", "Online", "t2"):
        assert words in html
    panels = panels_table(result.tables["panels"], result.tables["latency"]).text
    assert panels.count("<tr>") == 2 + len(result.tables["panels"])
    assert "time per answer" in panels


def test_a_mechanism_is_filled_from_a_run_that_was_made_already() -> None:
    request, mechanism = request_of("memorybank"), catalog.load("memorybank")
    kept, run = _filled(request)
    assert chosen().holds(request)
    again, same = _filled(request)
    assert again.tables is kept.tables
    assert same.measures.keys() == run.measures.keys()
    html = mechanism_part("memorybank", SimpleNamespace(problem="", outcome=(kept, run))).text  # type: ignore[arg-type]
    assert "../../agents/memorybank/" in html
    assert mechanism.stores in html
    assert "half-life in days" in html


def test_a_run_that_ended_early_is_one_sentence() -> None:
    html = mechanism_part("titans", SimpleNamespace(problem="Lower step_size.", outcome=None)).text  # type: ignore[arg-type]
    assert "titans: Lower step_size." in html
    waiting = mechanism_part("titans", SimpleNamespace(problem="", outcome=None)).text  # type: ignore[arg-type]
    assert "titans: running" in waiting


def test_a_card_that_was_saved_is_compared_regime_by_regime(board: CardBoard, result: Result) -> None:
    text = EvaluationCard(own_runs(result, "abc")).to_json()
    html = board.compared([File("card.json", text.encode())], live(result)).text
    assert html.count("<table") == 3
    assert "the intervals overlap" in html
    assert "Nothing has been loaded" in board.compared([], live(result)).text


def test_runs_that_may_not_be_compared_are_refused_with_a_reason(board: CardBoard, result: Result) -> None:
    other = EvaluationCard(own_runs(result, "abc")).to_json().replace("before_snapshot 0.2", "before_snapshot 0.3")
    html = board.compared([File("card.json", other.encode())], live(result)).text
    assert "<table" not in html
    assert html.count("their slices differ") == 3
    stranger = CardRun(
        subject="titans", slice="", as_of="", regime="PO", engine="", version="", measures={"x": Measure(1.0)}
    )
    assert "no run of titans" in compared(stranger, own_runs(result, "abc")).text


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"\xff\xfe\x00", "could not be read"),
        (b"{}", "whose entry"),
        (b'{"tables": {}}', "No table of this run"),
        (b"not json", "must be JSON"),
    ],
)
def test_a_file_that_is_neither_card_nor_run_is_one_sentence(
    board: CardBoard, result: Result, contents: bytes, message: str
) -> None:
    html = board.compared([File("wrong.json", contents)], live(result)).text
    assert message in html
    assert "wrong.json could not be read" in html
    assert "Traceback" not in html


def test_a_saved_run_with_a_position_curve_gives_the_pairs_to_paste(board: CardBoard, result: Result) -> None:
    rows = [{"position": place, "accuracy": 0.5} for place in (0, 0.5, 1)]
    text = json.dumps({"tables": {"curve": {"rows": rows}}})
    html = board.compared([File("run.json", text.encode())], live(result)).text
    assert "0:0.5,0.5:0.5,1:0.5" in html


def test_before_the_run_has_finished_there_is_a_place_for_the_card(board: CardBoard) -> None:
    for part in (board.show(live(None)), board.certificate(live(None)), board.panels(live(None))):
        assert "When the run has finished" in part.text


def test_a_choice_that_cannot_be_filled_is_one_sentence(board: CardBoard, result: Result) -> None:
    assert board.fill({"mechanisms": ""}) == 0
    assert board.fill({"mechanisms": "hippocampus", "sent": "1"}) == 1
    assert "must be at least 1 of" in board.show(live(result)).text


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do a job's work where it is started: a test has no page whose threads marimo could end."""
    monkeypatch.setattr(Job, "start", lambda job: job.run())


@pytest.mark.usefixtures("at_once")
def test_the_card_is_filled_from_boxes_and_from_links_of_runs_with_other_settings(
    board: CardBoard, result: Result
) -> None:
    board.fill({"mechanisms": "memorybank", "sent": "1"}, "http://here/agents/memorybank/?tau=2&seed=5")
    runs = [run for run in board.card(live(result)).runs if run.subject == "memorybank"]
    assert [run.slice.rpartition("; ")[2] for run in runs] == ["seed 0", "seed 5"]
    assert "tau 2;" in runs[1].slice
    with pytest.raises(ValueError, match="slices differ"):
        compare(*runs)
    html = board.show(live(result)).text
    assert "With its defaults and seed 0." in html
    assert "With tau 2, seed 5." in html
    assert "href='../../agents/memorybank/?tau=2&amp;seed=5'" in html
    # Each of the two has its partner when the card comes back.
    saved = EvaluationCard(tuple(runs)).to_json()
    assert "differ" not in board.compared([File("card.json", saved.encode())], live(result)).text


@pytest.mark.usefixtures("at_once")
def test_a_link_that_cannot_be_used_is_one_sentence_and_the_card_stays(board: CardBoard, result: Result) -> None:
    board.fill({"mechanisms": ""}, "/agents/memorybank/")
    before = board.card(live(result)).to_json()
    for line, words in (
        ("hello", "is no link to a mechanism"),
        ("/agents/memorybank/?tau=99", "tau is &#x27;99&#x27;"),
        ("/overview/memory-in-llms/?noise=1", "own run is on the card already"),
    ):
        board.fill({"mechanisms": ""}, line)
        assert words in board.show(live(result)).text
        assert board.card(live(result)).to_json() == before
    board.fill({"mechanisms": ""}, "")
    assert {run.subject for run in board.card(live(result)).runs} == {"memory-in-llms"}
