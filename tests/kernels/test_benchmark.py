"""What the benchmark counts, measures and writes down; never how fast anything is."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import kernels as written
from mem_core import kernels
from mem_core.__main__ import main
from mem_core.kernels.benchmark import KERNELS, ceilings, contestants, peers, plain_numpy, plain_torch, report, run
from mem_core.kernels.benchmark import rows as measuring
from mem_core.kernels.benchmark import timing as clocks
from mem_core.kernels.benchmark.cases import DEVICES, cases
from mem_core.kernels.benchmark.inputs import options
from mem_core.kernels.benchmark.on_torch import OnTorch
from mem_core.kernels.benchmark.peers import Adapted, Peer
from mem_core.kernels.benchmark.rows import Row
from mem_core.kernels.benchmark.run import Start, measure
from mem_core.kernels.benchmark.targets import TARGETS, Target, outcomes, times_ours
from mem_core.kernels.benchmark.work import CHUNK, Work, fewest_bytes, work
from mem_core.kernels.dispatch import NAMED

SMALL = {case.kernel: case for case in cases("cpu", small=True)}
CEILINGS = ceilings.Ceilings(1e9, {"float32": 1e9, "bfloat16": 4e9}, 1e9)
START = Start("cpu", 2, CEILINGS, {"mambapy": "1.2.0"}, {"mamba-ssm": "not installed: pip install mamba-ssm"})
OURS = Row("linear_scan", "B 1 L 4 D 2", "float32", "forward", "mem_core", 1e-3, "best", 5, 1.0, 2.0, "copy", 0.5)
LOOP = replace(OURS, who="plain PyTorch", seconds=3e-3, difference=1e-7)


@pytest.fixture
def quick(monkeypatch):
    """Take three runs for each figure, and ceilings of small arrays."""
    monkeypatch.setattr(clocks, "_SECONDS", 0.0)
    monkeypatch.setattr(ceilings, "_SIZES", dict.fromkeys(DEVICES, ceilings.Sizes(2**10, 16, 2**10, 1)))


def products(*shapes):
    return sum(2 * rows * inner * columns for rows, inner, columns in shapes)


def test_every_public_kernel_is_timed_on_every_device():
    assert set(KERNELS) == set(NAMED) == set(plain_numpy.FUNCTIONS) == set(plain_torch.FUNCTIONS)
    for device in DEVICES:
        for small in (False, True):
            timed = [(case.kernel, case.label, case.dtype) for case in cases(device, small)]
            assert {kernel for kernel, *_ in timed} == set(KERNELS)
            assert len(set(timed)) == len(timed)


@pytest.mark.parametrize(
    ("kernel", "sizes", "forward", "both"),
    [
        ("linear_scan", {"batch": 1, "length": 2, "channels": 3}, Work(0, 12), Work(0, 30)),
        (
            "selective_scan",
            {"batch": 1, "length": 2, "channels": 3, "state": 5},
            Work(0, 270, 30),
            Work(0, 870, 60),
        ),
        ("causal_conv1d", {"batch": 1, "length": 2, "channels": 3, "taps": 4}, Work(0, 72, 6), Work(0, 264, 12)),
        ("scatter_add", {"rows": 7, "width": 2, "sums": 3}, Work(0, 14), Work(0, 14)),
    ],
)
def test_operations_of_elementwise_kernels_are_counted(kernel, sizes, forward, both):
    assert work(kernel, sizes, with_gradient=False) == forward
    assert work(kernel, sizes, with_gradient=True) == both


def test_operations_of_a_chunk_of_a_state_space_dual_are_those_of_its_matrix_products():
    sizes = {"batch": 1, "length": CHUNK, "heads": 6, "groups": 2, "width": 5, "state": 7}
    by_group = products((CHUNK, 7, CHUNK))
    by_head = products((CHUNK, CHUNK, 5), (5, CHUNK, 7), (CHUNK, 7, 5))
    assert work("ssd_scan", sizes, False).products == 2 * by_group + 6 * by_head


def test_operations_of_a_chunk_of_attention_are_those_of_its_matrix_products():
    sizes = {"batch": 1, "length": CHUNK, "heads": 3, "key_width": 5, "value_width": 7}
    attention = products((CHUNK, 5, CHUNK), (CHUNK, CHUNK, 7), (CHUNK, 5, 7), (5, CHUNK, 7))
    # A triangle takes half of the operations of the square that it is half of.
    correction = products((CHUNK, 5, CHUNK), (CHUNK, 5, 7)) + products((CHUNK, CHUNK, 5 + 7)) // 2
    assert work("gated_linear_attention", sizes, False).products == 3 * attention
    assert work("delta_rule", sizes, False).products == 3 * (attention + correction)
    assert work("gated_delta_rule", sizes, False).products == 3 * (attention + correction)


def test_operations_of_a_mixer_are_those_of_its_matrix_products():
    sizes = {"batch": 2, "length": 11, "channels": 5, "state": 3, "inner": 7}
    image = products((5, 11, 3), (14, 5, 3), (5, 7, 3), (5, 3, 11))
    assert work("hidden_state_mixer", sizes, False).products == 2 * image


@pytest.mark.parametrize(
    ("kernel", "forward", "backward"),
    [
        # In numbers of B·L·D: a, b → h; a, b, dh → da, db.
        ("linear_scan", lambda n: 3 * n, lambda n: 5 * n),
        # With N·B·L and small change: u, delta, z, B, C → y; those and dy → du, ddelta, dz, dB, dC.
        (
            "selective_scan",
            lambda n: 4 * n + 2 * 4 * 40 + 8 * 4 + 2 * 8,
            lambda n: 7 * n + 2 * (2 * 4 * 40 + 8 * 4 + 2 * 8),
        ),
    ],
)
def test_every_input_output_and_gradient_is_moved_once(kernel, forward, backward):
    case = SMALL[kernel]
    arrays = OnTorch("interpreter").draw(case)
    output = next(iter(arrays.values()))
    numbers = output.numel()
    assert fewest_bytes(kernel, arrays, output, with_gradient=False) == 4 * forward(numbers)
    assert fewest_bytes(kernel, arrays, output, with_gradient=True) == 4 * (forward(numbers) + backward(numbers))


def test_the_gradient_of_a_sum_of_rows_does_not_read_the_rows_again():
    rows, index, sums = np.ones((8, 2), np.float32), np.zeros(8, int), np.ones((3, 2), np.float32)
    both = fewest_bytes("scatter_add", {"rows": rows, "index": index}, sums, with_gradient=True)
    assert both == (64 + 64 + 24) + (64 + 24 + 64)


def test_the_nearest_ceiling_is_the_one_that_takes_longest():
    assert CEILINGS.nearest(10, Work(5, 5, 5), "float32") == ("copy", 1e-8)
    assert CEILINGS.nearest(10, Work(20, 5, 5), "float32") == ("matrix products", 2e-8)
    assert CEILINGS.nearest(10, Work(20, 6, 5), "bfloat16") == ("copy", 1e-8)
    assert CEILINGS.nearest(10, Work(5, 30, 5), "bfloat16") == ("arithmetic", 3e-8)
    assert CEILINGS.nearest(10, Work(5, 30, 40), "bfloat16") == ("exponentials", 4e-8)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_plain_version_has_our_gradients(kernel):
    case, place = SMALL[kernel], OnTorch("interpreter")
    arrays = place.draw(case)
    output = getattr(kernels, kernel)(**arrays, **options(case))
    found = []
    for function in (getattr(kernels, kernel), plain_torch.FUNCTIONS[kernel]):
        call = lambda function=function, **given: function(**given, **options(case))  # noqa: E731
        found.append(place.with_gradient(call, arrays, output)())
    for ours, plain in zip(*found, strict=True):
        torch.testing.assert_close(plain, ours, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_a_run_has_a_complete_row_for_everyone_who_takes_part(quick, device):
    found = measure(device, small=True)
    measured = list(found)
    assert [rows[0].kernel for rows in measured] == [case.kernel for case in cases(device, small=True)]
    assert not found.failed
    plain = {"numpy": "reference loop", "cpu": "plain PyTorch"}[device]
    for rows in measured:
        assert [row.who for row in rows if row.direction == "forward"][:2] == ["mem_core", plain]
        for row in rows:
            assert not row.problem, row
            assert row.seconds > 0
            assert row.runs == 3
            assert row.gigabytes_per_second > 0
            assert row.ceiling
            assert row.share > 0
            if row.direction == "forward" and row.who != "mem_core":
                assert row.difference < 1e-5, f"{row.who} computes something else in {row.kernel}"
        ours = [row for row in rows if row.who == "mem_core"]
        assert [row.direction for row in ours] == ["forward", "forward and backward"]
        assert ours[1].memory > 0.9, "what holds all of inputs, outputs and gradients holds at least these"


def test_one_kernel_can_be_timed_alone(quick):
    assert {row.kernel for rows in measure("numpy", small=True, only="ssd_scan") for row in rows} == {"ssd_scan"}


def test_a_long_loop_is_timed_in_part_and_its_time_is_for_all_of_it(quick, monkeypatch):
    monkeypatch.setattr(contestants, "_MOST_STEPS", {"cpu": 10})
    monkeypatch.setattr(OnTorch, "time", lambda self, call: (call(), clocks.Timing(2.0, "best", 1))[1])
    for kernel in ("linear_scan", "selective_scan", "causal_conv1d"):
        (rows,) = measure("cpu", small=True, only=kernel)
        plain = next(row for row in rows if row.who == "plain PyTorch")
        in_part = kernel != "causal_conv1d"
        assert (plain.seconds, plain.how) == ((8.0, "best, of 10 steps") if in_part else (2.0, "best"))
        assert plain.difference < 1e-5


def test_the_best_run_counts_and_short_ones_are_repeated(monkeypatch):
    ticks = iter(np.cumsum([0.0, 0.9, 5.0, 0.3, 5.0, 0.7, 5.0, 0.6]))
    monkeypatch.setattr(clocks.time, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr(clocks, "_SECONDS", 2.4)
    found = clocks.on_processor(lambda: None)
    assert (round(found.seconds, 9), found.how, found.runs) == (0.3, "best", 4)


def peer(module="json", devices=("cpu",), call=lambda a, b: a):
    return Peer("neighbour", "numpy", module, devices, {"linear_scan": lambda **arrays: Adapted(call, arrays)})


def test_a_library_that_is_missing_is_named_with_the_reason(quick, monkeypatch, tmp_path):
    (tmp_path / "broken_neighbour.py").write_text("raise OSError('built for another PyTorch\\nundefined symbol')")
    monkeypatch.syspath_prepend(tmp_path)
    for one, reason in (
        (peer("no_such_module"), "not installed: pip install numpy"),
        (peer("broken_neighbour"), "not importable: OSError: built for another PyTorch"),
        (peer(devices=("cuda",)), "left out: made for cuda"),
    ):
        monkeypatch.setattr(run, "PEERS", (one,))
        monkeypatch.setattr(contestants, "PEERS", (one,))
        found = measure("cpu", small=True, only="linear_scan")
        assert found.start.absent == {"neighbour": reason}
        assert f"Without neighbour: {reason}." in list(report.as_text(found))
        assert "neighbour" not in {row.who for row in found.rows}


def test_a_library_that_fails_leaves_the_others_their_turn(quick, monkeypatch):
    def fail(a, b):
        raise RuntimeError("out of memory\nand more")

    one = peer(call=fail)
    monkeypatch.setattr(run, "PEERS", (one,))
    monkeypatch.setattr(contestants, "PEERS", (one,))
    found = measure("cpu", small=True, only="linear_scan")
    lines = list(report.as_text(found))
    assert [row.problem for row in found.rows if row.who == "neighbour"] == ["RuntimeError: out of memory"] * 2
    assert not found.failed
    assert sum("neighbour RuntimeError: out of memory" in line for line in lines) == 2


def test_a_kernel_that_fails_is_seen_in_table_and_exit_code(quick, monkeypatch, capsys):
    def fail(a, b):
        raise ValueError("no such thing")

    monkeypatch.setattr(kernels, "linear_scan", fail)
    assert main(["bench", "kernels", "--device", "cpu", "--small", "--only", "linear_scan"]) == 1
    assert "ValueError: no such thing" in capsys.readouterr().out


def test_an_output_that_is_another_one_is_pointed_out():
    rows = [OURS, replace(LOOP, difference=0.5)]
    assert report.markdown(START, rows).count("plain PyTorch 3 × (its output is off by 0.5)") == 1
    assert report.markdown(START, [OURS, LOOP]).count("plain PyTorch 3 × |") == 1


@pytest.mark.parametrize("order", [["bench", "kernels", "--json"], ["bench", "--json", "kernels"]])
def test_the_command_gives_one_json_object_a_line(quick, order, capsys):
    assert main([*order, "--device", "numpy", "--small", "--only", "scatter_add"]) == 0
    start, *rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert start["device"] == "numpy"
    assert {row["kernel"] for row in rows} == {"scatter_add"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("command", [main, written.main])
def test_a_device_that_is_not_here_is_one_sentence_and_exit_code_2(command, capsys):
    words = ["bench", "kernels"] if command is main else []
    assert command([*words, "--device", "cuda"]) == 2
    shown = capsys.readouterr().err
    assert "The cuda engine needs an NVIDIA GPU" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [["--device", "abacus"], ["--only", "nothing"], ["--only", ""], ["--seeds", "3"], ["river-valley"]],
    ids=" ".join,
)
def test_malformed_arguments_are_one_sentence_and_exit_code_2(words, capsys):
    with pytest.raises(SystemExit) as refused:
        main(["bench", "kernels", *words])
    assert refused.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_results_survive_json():
    assert Start.from_plain(json.loads(json.dumps(START.as_plain() | {"date": "today"}))) == START
    assert [Row(**json.loads(json.dumps(row.as_plain()))) for row in (OURS, LOOP)] == [OURS, LOOP]


@pytest.fixture
def results():
    about = {"machine": "a machine, 2 cores", "gpu": "none", "versions": {"python": "3.11", "triton": "none"}}
    about |= {"load_before": 0.3, "load_after": 1.1, "date": "2026-11-24", "commit": "abc"}
    return {"cpu": {**about, **START.as_plain(), "rows": [OURS.as_plain(), LOOP.as_plain()]}}


def test_tables_replace_what_is_between_the_marks_and_nothing_else(results):
    page = f"before\n{written.BEGINS}\nold\n{written.ENDS}\nafter\n"
    once = written.with_tables(page, results)
    assert once.startswith(f"before\n{written.BEGINS}\n")
    assert once.endswith(f"\n{written.ENDS}\nafter\n")
    assert "old" not in once
    assert "| linear_scan | B 1 L 4 D 2 | float32 | forward | 1 ms |" in once
    assert "Without mamba-ssm: not installed: pip install mamba-ssm." in once
    assert written.with_tables(once, results) == once


@pytest.mark.parametrize(
    "page", ["", written.BEGINS, written.ENDS + written.BEGINS, 2 * (written.BEGINS + written.ENDS)]
)
def test_a_page_without_its_marks_is_refused(page, results):
    with pytest.raises(ValueError, match="The page needs"):
        written.with_tables(page, results)


def test_what_is_written_keeps_the_other_devices_and_names_the_commit(quick, results, monkeypatch, tmp_path):
    monkeypatch.setattr(written, "RESULTS", tmp_path / "kernels.json")
    monkeypatch.setattr(written, "PAGE", tmp_path / "README.md")
    monkeypatch.setattr(written, "measure", lambda device: measure(device, small=True, only="linear_scan"))
    monkeypatch.setattr(written, "_git", lambda *words: {"rev-parse": "abc", "status": " M mem_core/x.py"}[words[0]])
    written.RESULTS.write_text(json.dumps(results))
    written.PAGE.write_text(f"{written.BEGINS}{written.ENDS}")
    assert written.main(["--device", "numpy"]) == 0
    found = json.loads(written.RESULTS.read_text())
    assert found["cpu"] == results["cpu"]
    assert found["numpy"]["commit"] == "abc-dirty"
    assert min(found["numpy"]["load_before"], found["numpy"]["load_after"]) >= 0
    assert found["numpy"]["versions"]["numpy"] == np.__version__
    assert {row["who"] for row in found["numpy"]["rows"]} == {"mem_core", "reference loop"}
    assert "### PyTorch on a CPU" in written.PAGE.read_text()


def test_the_commit_is_dirty_if_code_has_changed_and_not_if_a_page_has(monkeypatch, tmp_path):
    code, page = tmp_path / "mem_core" / "code.py", tmp_path / "benchmarks" / "README.md"
    for file in (code, page):
        file.parent.mkdir()
        file.write_text("before")
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "First"]):
        someone = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
        subprocess.run(["git", *someone, *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(written, "FOLDER", page.parent)
    clean = written.commit()
    page.write_text("after")
    assert written.commit() == clean
    assert re.fullmatch("[0-9a-f]{40}", clean)
    code.write_text("after")
    assert written.commit() == f"{clean}-dirty"


def test_the_commit_is_unknown_without_git(monkeypatch):
    def fail(*words):
        raise FileNotFoundError

    monkeypatch.setattr(written, "_git", fail)
    assert written.commit() == "unknown"


def test_the_page_in_the_repository_shows_the_results_in_the_repository():
    page, found = written.PAGE.read_text(), json.loads(written.RESULTS.read_text())
    assert written.with_tables(page, found) == page


def test_a_target_is_judged_where_it_is_furthest_from_being_met(monkeypatch):
    slow = replace(OURS, sizes="B 9", seconds=2e-3)
    rows = [OURS, LOOP, slow, replace(LOOP, sizes="B 9")]
    one = Target("faster", "cpu", lambda row: True, lambda row, rows: times_ours(row, "plain PyTorch", rows), 2.0)
    other = replace(one, figure=lambda row, rows: row.seconds, wanted=1.5e-3, at_least=False)
    absent = replace(one, figure=lambda row, rows: times_ours(row, "nobody", rows))
    monkeypatch.setattr("mem_core.kernels.benchmark.targets.TARGETS", (one, other, absent))
    found = outcomes("cpu", rows)
    assert [(outcome.row, outcome.value, outcome.holds) for outcome in found] == [
        (slow, 1.5, False),
        (slow, 2e-3, False),
    ]
    assert outcomes("numpy", rows) == []


def test_every_target_is_about_a_case_that_is_timed():
    for target in TARGETS:
        timed = [
            Row(case.kernel, case.label, case.dtype, direction, "mem_core")
            for case in cases(target.device)
            for direction in measuring.DIRECTIONS
        ]
        assert any(target.about(row) for row in timed), target.statement


@pytest.mark.parametrize("kernel", ["linear_scan", "selective_scan"])
def test_mambapy_is_given_the_same_work(kernel):
    pytest.importorskip("mambapy")
    (mambapy,) = (one for one in peers.PEERS if one.name == "mambapy")
    arrays = OnTorch("interpreter").draw(SMALL[kernel])
    adapted = mambapy.adapters[kernel](**arrays)
    ours = getattr(kernels, kernel)(**arrays, **options(SMALL[kernel]))
    torch.testing.assert_close(adapted.as_ours(adapted.call(**adapted.arrays)), ours)


@pytest.mark.parametrize(
    ("kernel", "module", "fast", "naive", "more"),
    [
        ("linear_scan", "hgrn", "chunk_hgrn", "naive_recurrent_hgrn", {}),
        ("gated_linear_attention", "gla", "chunk_gla", "naive_recurrent_gla", {}),
        ("gated_delta_rule", "gated_delta_rule", "chunk_gated_delta_rule", "naive_recurrent_gated_delta_rule", {}),
        ("ssd_scan", "simple_gla", "chunk_simple_gla", "naive_recurrent_simple_gla", {"scale": 1.0}),
    ],
)
def test_flash_linear_attention_is_given_the_same_work(kernel, module, fast, naive, more):
    pytest.importorskip("fla")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no GPU
        takes = inspect.signature(getattr(importlib.import_module(f"fla.ops.{module}"), fast))
        plain = getattr(importlib.import_module(f"fla.ops.{module}.naive"), naive)
        (fla,) = (one for one in peers.PEERS if one.distribution == "fla-core")
        arrays = OnTorch("interpreter").draw(SMALL[kernel])
        given = fla.adapters[kernel](**arrays)
    takes.bind(**given.arrays, **more)
    theirs, _ = plain(*given.arrays.values(), **more)  # which calls its arguments by other names
    torch.testing.assert_close(given.as_ours(theirs), getattr(kernels, kernel)(**arrays), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_whole_run_goes_through_in_the_interpreter():
    pytest.importorskip("triton")
    command = [sys.executable, "-m", "mem_core", "bench", "kernels", "--device", "interpreter", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    start, *rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert start["device"] == "interpreter"
    assert {row["kernel"] for row in rows} == set(KERNELS)
    assert [row["problem"] for row in rows if row["problem"]] == []
    assert max(row["difference"] for row in rows if row["difference"] is not None) < 1e-5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_run_goes_through_on_a_gpu(capsys):
    assert main(["bench", "kernels", "--device", "cuda", "--small", "--json"]) == 0
    _, *rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["how"] for row in rows if row["who"] == "mem_core"} == {"median of replays"}
