from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mem_core.__main__ import main
from mem_core.mechanisms import catalog


def test_list_names_every_mechanism(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert all(slug in shown for slug in catalog.slugs())


def test_list_as_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["slug"] for row in rows] == list(catalog.slugs())


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_run_streams_frames_as_json_and_the_last_one_is_complete(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "memorybank", "--engine", kind, "--seed", "3", "--set", "days=12", "--json"]) == 0
    frames = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert frames[-1]["progress"] == 1.0
    days = [row["day"] for row in frames[-1]["tables"]["store_days"]["rows"]]
    assert max(days) == 12


def test_run_without_json_says_what_every_chart_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "memorybank", "--set", "days=12"]) == 0
    shown = capsys.readouterr().out
    assert all(chart.title in shown for chart in catalog.load("memorybank").charts)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "nothing"], "There is no mechanism called 'nothing'; there are "),
        (["run", "memorybank", "--engine", "abacus"], "There is no engine called 'abacus'; the engines are"),
        (["run", "memorybank", "--set", "days=1000"], "days is '1000', but it must be a whole number from"),
        (["run", "memorybank", "--set", "days=nan"], "days is 'nan', but it must be a whole number from"),
        (["run", "memorybank", "--set", "speed=3"], "There is no setting called 'speed'; the settings are"),
        (["check", "nothing"], "There is no mechanism called 'nothing'; there are "),
        (["bench", "nothing"], "There is no mechanism called 'nothing'; there are "),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"mem_core: {sentence}")
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["run"],
        ["run", "memorybank", "--seed", "-1"],
        ["run", "memorybank", "--seed", "1.5"],
        ["run", "memorybank", "--seed", "²"],
        ["run", "memorybank", "--set", "days"],
        ["run", "memorybank", "--tier", "moon"],
        ["check", "--seeds", "0"],
        ["list", "--loudly"],
    ],
)
def test_malformed_arguments_are_one_sentence_and_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_check_exits_with_1_and_says_so_when_a_claim_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from mem_core.mechanisms.contract import Evidence

    real = catalog.load("memorybank")
    failing = replace(real.claims[0], variants=({},), check=lambda results: Evidence(1.0, 2.0, ">="))
    monkeypatch.setattr(catalog, "load", lambda slug: replace(real, claims=(failing,)))
    assert main(["check", "memorybank", "--engine", "numpy", "--seeds", "1"]) == 1
    assert "NO" in capsys.readouterr().out


def test_a_reader_that_has_read_enough_gets_no_traceback() -> None:
    command = [sys.executable, "-m", "mem_core", "run", "memorybank", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 1
