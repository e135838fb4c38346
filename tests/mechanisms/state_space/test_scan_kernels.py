"""One scan in three ways: closed forms, counts, rounding, parity of the engines, charts, claims, exercise. No times."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import lfilter

from mem_core.engine import philox, select
from mem_core.kernels import linear_scan
from mem_core.mechanisms import catalog
from mem_core.mechanisms.contract import Result
from mem_core.mechanisms.controls import SettingsError
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.scoreboard import check
from mem_core.mechanisms.state_space.scan_kernels import long_input
from mem_core.mechanisms.state_space.scan_kernels.claims import (
    check_chunk_work,
    check_geometric_series,
    check_same_states,
)
from mem_core.mechanisms.state_space.scan_kernels.counting import Cost, cost_of, scan
from mem_core.mechanisms.state_space.scan_kernels.exercise import SIZES, ChunkAnswer, grade
from mem_core.mechanisms.state_space.scan_kernels.rounding import bound, rounding
from mem_core.mechanisms.state_space.scan_kernels.settings import CHUNKS, LOOP, TREE, WAYS, ScanSettings
from mem_core.mechanisms.state_space.scan_kernels.small_input import small_input
from mem_core.mechanisms.state_space.scan_kernels.three_ways import (
    chunks,
    doubling,
    loop,
    states,
    tree,
    whole_matrix,
)

MECHANISM = catalog.load("scan-kernels")
DEFAULT = ScanSettings(longest=256)  # the default without the seconds of its longer inputs
VARIED = (
    DEFAULT,
    DEFAULT.changed(length=4, chunk=1, kind="one pulse"),
    DEFAULT.changed(length=64, chunk=64, decay=1.0, kind="constant", tree="doubling"),
    DEFAULT.changed(length=17, chunk=5, decay=0.0, kind="random", lanes=4096, long_chunk=1024),
    DEFAULT.changed(length=33, chunk=33, variation=2.0, lanes=7, channels=1, long_chunk=1),
)


def _frames(settings, name="numpy", seed=0):
    return list(MECHANISM.run(settings, select(name), seed))


def _ways(engine, a, b, size):
    return {
        "loop": loop(engine, a, b),
        "tree": tree(engine, a, b),
        "doubling": doubling(engine, a, b),
        "chunks": chunks(engine, a, b, size),
        "whole matrix": whole_matrix(engine, a, b),
    }


def _random(engine, length, seed=0, batch=2, channels=3):
    generator = philox(seed, "test")
    a = engine.asarray(generator.uniform(0, 1, (batch, length, 1)))
    return a, engine.asarray(generator.standard_normal((batch, length, channels)))


@pytest.mark.parametrize("length", [1, 2, 3, 5, 16, 31, 63, 64, 65])
@pytest.mark.parametrize("size", [1, 4, 7, 100])
def test_every_way_gives_the_states_of_the_recurrence(engine, length, size):
    a, b = _random(engine, length)
    decays, inputs = engine.to_numpy(a), engine.to_numpy(b)
    wanted, state = np.zeros(inputs.shape), np.zeros(inputs[:, 0].shape)
    for t in range(length):
        state = decays[:, t] * state + inputs[:, t]
        wanted[:, t] = state
    kernel = engine.to_numpy(linear_scan(a * engine.xp.ones_like(b), b))
    np.testing.assert_allclose(kernel, wanted, rtol=1e-12, atol=1e-13)
    for name, way in _ways(engine, a, b, size).items():
        np.testing.assert_allclose(engine.to_numpy(states(way)), wanted, rtol=1e-12, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("decay", [0.0, 1e-200, 0.3, 0.999999, 1.0])
def test_every_way_gives_a_filter_of_first_order_also_with_extreme_decays(engine, decay):
    b = engine.asarray(philox(1, "test").standard_normal((1, 200, 1)))
    a = engine.xp.full((1, 200, 1), decay)
    wanted = lfilter([1.0], [1.0, -decay], engine.to_numpy(b)[0, :, 0])
    for name, way in _ways(engine, a, b, 16).items():
        np.testing.assert_allclose(engine.to_numpy(states(way))[0, :, 0], wanted, rtol=1e-10, atol=1e-12, err_msg=name)


def test_no_way_touches_its_arguments(engine):
    a, b = _random(engine, 16)
    before = engine.to_numpy(a).copy(), engine.to_numpy(b).copy()
    for way in _ways(engine, a, b, 4).values():
        states(way)
    np.testing.assert_array_equal(engine.to_numpy(a), before[0])
    np.testing.assert_array_equal(engine.to_numpy(b), before[1])


@pytest.mark.parametrize("power", range(1, 9))
def test_counts_are_the_closed_forms(power):
    engine, length = select("numpy"), 2**power
    ones = engine.xp.ones((1, length, 1))
    counted = {name: Cost.of(way) for name, way in _ways(engine, ones, ones, length).items()}
    found = {name: (cost.work, cost.depth) for name, cost in counted.items()}
    assert found == {
        "loop": (length, length),
        "tree": (2 * (2 * length - 2 - power), 2 * power - 1),
        "doubling": (2 * (length * power - length + 1), power),
        "chunks": (2 * length, length),
        "whole matrix": ((3 * length**2 - length) // 2, 2 * length - 1),
    }


@pytest.mark.parametrize(("length", "size"), [(16, 2), (16, 4), (64, 8), (60, 6), (64, 16)])
def test_chunks_take_three_multiplications_a_token_and_as_many_rounds_as_a_chunk_and_chunks_have(length, size):
    cost = cost_of(CHUNKS, DEFAULT, select("numpy"), length, size)
    assert cost.work == 3 * length - size
    assert cost.depth == size + length // size


def test_chunks_of_one_token_are_the_loop():
    cost = cost_of(CHUNKS, DEFAULT, select("numpy"), 16, 1)
    assert cost.depth == 16
    assert cost.rounds == (32, *[1] * 15)


@pytest.mark.parametrize("length", range(4, 40))
def test_a_tree_is_never_deeper_than_twice_the_logarithm_whatever_the_length(length):
    for name in ("up and down", "doubling"):
        cost = cost_of(TREE, DEFAULT.changed(tree=name), select("numpy"), length, length)
        assert all(work > 0 for work in cost.rounds)
        assert cost.depth <= (2 if name == "up and down" else 1) * math.ceil(math.log2(length))


def test_steps_lie_between_what_work_and_depth_allow():
    cost = cost_of(TREE, DEFAULT, select("numpy"), 256, 256)
    assert cost.steps(1) == cost.work
    assert cost.steps(10**6) == cost.depth
    for lanes in (2, 3, 16, 100):
        assert max(cost.depth, cost.work / lanes) <= cost.steps(lanes) <= cost.work / lanes + cost.depth


def test_counting_is_the_same_on_both_engines():
    for way in WAYS:
        costs = [cost_of(way, DEFAULT, select(name), 37, 6) for name in ("numpy", "torch")]
        assert costs[0] == costs[1]


def test_the_matrix_holds_the_products_of_the_decays():
    engine = select("numpy", precision="float64")
    settings = DEFAULT.changed(length=9)
    small = small_input(settings, engine, 3)
    a = engine.to_numpy(small.a)[0, :, 0]
    table = run_to_end(MECHANISM, settings, engine, 3).tables["matrix"]
    assert len(table) == 45
    for row in table.rows():
        assert row["share"] == pytest.approx(np.prod(a[row["source"] : row["token"]]), rel=1e-14)
        assert row["inside"] == ((row["source"] - 1) // 4 == (row["token"] - 1) // 4)


@pytest.mark.parametrize("settings", VARIED)
def test_retention_starts_at_one_and_only_falls(settings):
    table = _frames(settings)[0].tables["retention"]
    assert table.units["lag"] == "tokens"
    assert table["lag"].tolist() == list(range(settings.length))
    assert table["retention"][0] == 1
    assert (np.diff(table["retention"]) <= 0).all()
    assert (table["retention"] >= 0).all()


def test_with_a_constant_decay_half_is_left_after_the_half_life():
    table = _frames(DEFAULT.changed(variation=0.0, decay=0.5))[0].tables["retention"]
    np.testing.assert_allclose(table["retention"], 0.5 ** table["lag"])


@pytest.mark.parametrize("settings", VARIED)
@pytest.mark.parametrize("way", WAYS)
def test_a_grid_ends_with_all_tokens_finished_and_one_row_for_each_round(settings, way):
    tables = _frames(settings)[0].tables
    grid = tables[f"{way}_steps"]
    depth = tables["costs"].where(way=way)["depth"][0]
    assert sorted(set(grid["step"].tolist())) == list(range(0 if way == TREE else 1, depth + 1))
    last = grid.where(step=depth)
    assert last["token"].tolist() == list(range(1, settings.length + 1))
    assert (last["share"] == 1).all()
    values = tables["states"]["value"]
    for row in last.rows():
        held = float(row["holds"].split(": ")[1])
        assert held == pytest.approx(float(values[row["token"] - 1]), rel=6e-3, abs=1e-6)
    # A chart puts tokens and rounds in the order in which they come.
    assert list(dict.fromkeys(grid["token"].tolist())) == sorted(set(grid["token"].tolist()))
    assert list(dict.fromkeys(grid["step"].tolist())) == sorted(set(grid["step"].tolist()))


def test_the_loop_works_on_one_token_a_round():
    grid = _frames(DEFAULT)[0].tables["loop_steps"]
    assert [row["token"] for row in grid.rows() if row["worked"]] == list(range(1, 17))
    assert all(row["token"] == row["step"] for row in grid.rows() if row["worked"])


@pytest.mark.parametrize("name", ["numpy", "torch"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_rounding_stays_within_its_bound_and_is_exact_without_memory(name, precision):
    settings, engine = DEFAULT, select(name, precision=precision)
    for seed in range(3):
        table = rounding(settings, engine, seed)
        limits = table.where(way="bound")["difference"]
        for way in (*WAYS, "kernel"):
            rows = table.where(way=way)
            assert (rows["difference"] <= limits).all()
            assert rows["difference"][0] == 0
        assert (table["drawn"] > 0).all()


def test_the_bound_is_that_of_sums_where_nothing_fades():
    engine = select("numpy")
    ones = engine.xp.ones((1, 4, 1))
    # The last of four ones has lags 3, 2, 1, 0: ε Σ (lag + 1 + log2 4).
    assert bound(engine, ones, ones)[0] == pytest.approx(2.0**-23 * (10 + 4 * 2))


def test_a_way_that_errs_by_more_than_rounding_is_caught():
    results = [run_to_end(MECHANISM, DEFAULT, select("numpy"), 0)]
    table = results[0].tables["rounding"]
    table["difference"][np.flatnonzero((table["way"] == TREE) & (table["decay"] == 0.5))] = 1e-4
    assert not check_same_states(results).holds


def test_the_work_of_chunks_is_compared_with_the_matrix_of_the_same_input():
    result = run_to_end(MECHANISM, DEFAULT.changed(length=4, chunk=1), select("numpy"), 0)
    assert check_chunk_work([result]).value == 11 / 22


def test_the_geometric_series_needs_a_constant_input_and_a_constant_decay():
    for changes, tells in (({}, False), ({"kind": "constant"}, False), ({"kind": "constant", "variation": 0.0}, True)):
        evidence = check_geometric_series([run_to_end(MECHANISM, DEFAULT.changed(**changes), select("numpy"), 0)])
        assert evidence.tells == tells
    for decay in (0.0, 0.99, 1.0):
        settings = DEFAULT.changed(kind="constant", variation=0.0, decay=decay, length=64)
        assert check_geometric_series([run_to_end(MECHANISM, settings, select("numpy"), 0)]).holds


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_every_claim_holds(name):
    for score in check(MECHANISM, select(name), range(2)):
        assert score.holds, score.as_row()


def test_the_engines_agree_in_float64_on_all_but_what_the_machine_does():
    """States and shares to 1e-13: the same operations, of which one engine may fuse a product with its sum."""
    for settings in VARIED:
        first, second = (
            run_to_end(MECHANISM, settings, select(name, precision="float64"), 5).tables for name in ("numpy", "torch")
        )
        assert first.keys() == second.keys()
        for name in first.keys() - MECHANISM.machine_tables:
            for column, values in first[name].columns.items():
                if values.dtype.kind == "f":
                    np.testing.assert_allclose(values, second[name][column], rtol=1e-13, atol=1e-14, err_msg=name)
                else:
                    np.testing.assert_array_equal(values, second[name][column], err_msg=f"{name}: {column}")
        for name in MECHANISM.machine_tables:
            assert len(first[name]) == len(second[name])


def test_another_seed_gives_other_decays():
    first, again, other = (_frames(DEFAULT, seed=seed)[0].tables["decays"]["value"] for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("settings", VARIED)
def test_every_chart_describes_every_frame_and_finds_its_columns(settings):
    for frame in _frames(settings):
        assert 0 < frame.progress <= 1
        for chart in MECHANISM.charts:
            described = chart.describe(frame.tables)
            assert described.strip().endswith(".")
            assert "nan" not in described
            for layer in chart.layers:
                used = (layer.x, layer.y, layer.color, layer.outline, layer.text)
                assert {name for name in used if name} <= frame.tables[layer.table].columns.keys()


def test_the_words_of_the_chunks_are_numbers_of_the_default_run():
    tables = _frames(DEFAULT)[0].tables
    assert MECHANISM.chart("chunks_steps").describe(tables) == (
        "4 chunks of 4 tokens: 44 multiplications in 8 rounds, 4 inside the chunks, 3 between them and 1 through them."
    )


def test_the_small_input_comes_first_and_each_length_brings_a_frame():
    frames = _frames(DEFAULT)
    assert [len(set(frame.tables["times"]["length"].tolist())) for frame in frames] == [0, 0, 0, 1, 2, 3]
    assert len(frames[0].tables["tree_steps"]) > 0
    assert set(frames[2].tables["steps"]["length"].tolist()) == {256}
    assert frames[-1].progress == 1
    assert sum(map(len, frames[-1].tables.values())) < 1500


@pytest.mark.parametrize("longest", [256, 1024, 4096, 16_384])
def test_lengths_grow_fourfold_up_to_the_longest(longest):
    found = long_input.lengths(longest)
    assert (found[0], found[-1]) == (16, longest)
    assert all(later == 4 * earlier for earlier, later in pairwise(found))


def test_every_time_is_a_positive_number_and_no_claim_reads_one():
    result = run_to_end(MECHANISM, DEFAULT, select("numpy"), 0)
    assert (result.tables["times"]["milliseconds"] > 0).all()
    without = {name: table for name, table in result.tables.items() if name != "times"}
    for claim in MECHANISM.claims:
        claim.check([Result(result.settings, 0, "numpy", without)])


def test_measuring_stops_when_its_time_is_used_up():
    engine, calls = select("numpy"), []

    def work():
        calls.append(1)
        return engine.xp.ones((1, 1, 1))

    assert long_input.best_seconds(engine, work) < math.inf
    assert long_input.LEAST_REPEATS <= len(calls) <= long_input.MOST_REPEATS


def test_a_way_that_does_not_exist_is_refused():
    with pytest.raises(AssertionError, match="sideways"):
        scan("sideways", DEFAULT, select("numpy"), None, None, 4)


@pytest.mark.parametrize(
    ("name", "longest", "lanes"), [("numpy", 4096, 32), ("numpy", 1024, 64), ("numpy", 256, 1), ("torch", 256, 16)]
)
def test_the_exercise_accepts_exactly_the_lengths_with_the_fewest_steps(name, longest, lanes):
    engine, settings = select(name), DEFAULT.changed(longest=longest, lanes=lanes)
    steps = {size: cost_of(CHUNKS, settings, engine, longest, size).steps(lanes) for size in SIZES if size <= longest}
    others = {way: cost_of(way, settings, engine, longest, longest).steps(lanes) for way in (LOOP, TREE)}
    everything = others | {CHUNKS: min(steps.values())}
    winner = min(everything, key=lambda way: everything[way])
    for size in SIZES:
        graded = grade(ChunkAnswer(size, winner), settings, 0, engine)
        assert graded.correct == (size in steps and steps[size] == min(steps.values()))
        assert graded.feedback.endswith(".")


def test_the_exercise_does_not_start_out_solved_and_says_what_is_wrong():
    engine, settings = select("numpy"), DEFAULT.changed(longest=4096)
    assert "Longer chunks" in grade(ChunkAnswer(), settings, 0, engine).feedback
    assert "Shorter chunks" in grade(ChunkAnswer(1024, CHUNKS), settings, 0, engine).feedback
    assert "compare the three" in grade(ChunkAnswer(256, TREE), settings, 0, engine).feedback
    assert "longer than the input" in grade(ChunkAnswer(1024, CHUNKS), DEFAULT, 0, engine).feedback
    assert grade(ChunkAnswer(256, CHUNKS), settings, 0, engine).correct


@pytest.mark.parametrize(
    "changes",
    [
        {"length": 3},
        {"length": 65},
        {"decay": -0.1},
        {"decay": 1.1},
        {"decay": float("nan")},
        {"variation": 3.0},
        {"kind": "music"},
        {"chunk": 0},
        {"tree": "oak"},
        {"longest": 100},
        {"long_chunk": 0},
        {"lanes": 0},
        {"channels": 0},
    ],
)
def test_bad_settings_are_named(changes):
    with pytest.raises(SettingsError, match=next(iter(changes))):
        DEFAULT.changed(**changes)


def test_settings_survive_a_link():
    default = ScanSettings()
    for settings in (*VARIED, *MECHANISM.presets.values()):
        assert default.parsed(settings.formatted(against=default)) == settings
