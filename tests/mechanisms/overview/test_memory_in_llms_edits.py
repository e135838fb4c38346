"""An edit, its gate and its certificate: closed forms, the oracles of the gate, and the way back."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mem_core.engine import philox, select
from mem_core.mechanisms.experiment import run_to_end
from mem_core.mechanisms.overview.memory_in_llms import edit_world
from mem_core.mechanisms.overview.memory_in_llms.edit_tables import certificate_of
from mem_core.mechanisms.overview.memory_in_llms.editing import Editing
from mem_core.mechanisms.overview.memory_in_llms.governance import ILLUSTRATIVE, Certificate, gate, route
from mem_core.mechanisms.overview.memory_in_llms.mechanism import MECHANISM
from mem_core.mechanisms.overview.memory_in_llms.settings import (
    APPLY,
    COVARIANCE,
    IDENTITY,
    OVERLAY,
    ROLL_BACK,
    MapSettings,
)

ENGINES = ("numpy", "torch")
SMALL = MapSettings(repeats=2, dimension=32)


def test_the_weights_hold_all_facts_before_any_edit(engine):
    world = edit_world.draw(engine, 1)
    assert tuple(edit_world.ask(engine, world.weights, world.keys)) == world.answers
    assert all(a != b and a // 6 == b // 6 for a, b in zip(world.answers, world.wanted, strict=True))


def test_the_covariance_of_general_keys_has_an_inverse_and_that_of_the_facts_has_none(numpy_engine):
    world = edit_world.draw(numpy_engine, 0)
    assert np.linalg.matrix_rank(world.keys.T @ world.keys) == 80
    assert np.linalg.cond(world.moment) < 1e4
    moments = [engine.to_numpy(edit_world.draw(engine, 0).moment) for engine in map(select, ENGINES)]
    np.testing.assert_allclose(*moments, rtol=1e-9, atol=1e-12)


def test_one_edit_is_written_to_the_share_that_its_key_allows(engine):
    # For one key, k·Δ = R·kC⁻¹k/(λ + kC⁻¹k).
    world = edit_world.draw(engine, 0)
    fact = world.order[0]
    key = engine.to_numpy(world.keys)[fact]
    moved = key @ engine.to_numpy(edit_world.edited(engine, world, 1, COVARIANCE, 80.0) - world.weights)
    leverage = key @ np.linalg.solve(engine.to_numpy(world.moment), key)
    residual = np.eye(24)[world.wanted[fact]] - key @ engine.to_numpy(world.weights)
    np.testing.assert_allclose(moved, residual * leverage / (80 + leverage), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("constraint", [IDENTITY, COVARIANCE])
def test_an_edit_solves_its_least_squares_problem(numpy_engine, constraint):
    world = edit_world.draw(numpy_engine, 2)
    change = edit_world.edited(numpy_engine, world, 4, constraint, 3.0) - world.weights
    chosen = list(world.order[:4])
    keys, spared = world.keys[chosen], np.eye(160) if constraint == IDENTITY else world.moment
    residual = edit_world.one_hot(numpy_engine, [world.wanted[fact] for fact in chosen]) - keys @ world.weights

    def cost(delta):
        return ((keys @ delta - residual) ** 2).sum() + 3.0 * np.trace(delta.T @ spared @ delta)

    generator = philox(0, "directions")
    for _number in range(5):
        direction = generator.standard_normal(change.shape) * 1e-3
        assert cost(change + direction) > cost(change)
        slope = (cost(change + direction) - cost(change - direction)) / 2
        assert abs(slope) < 1e-6 * cost(change + direction)


def test_success_on_the_target_alone_does_not_pass(numpy_engine):
    for seed in range(3):
        editing = Editing(numpy_engine, MapSettings(constraint=IDENTITY, preservation=1.0, edits=16), seed)
        found = editing.measures(editing.weights(16), 16)
        assert found["success"] == 1
        assert found["locality"] < 0.95
        assert not editing.outcome.accepted
        assert "locality" in editing.outcome.failed
        spared = editing.measures(editing.weights(16, COVARIANCE, 80.0), 16)
        assert (spared["success"], spared["locality"], spared["drawdown"]) == (1, 1, 0)


@pytest.mark.parametrize("strength", [5.0, 80.0])
def test_the_covariance_of_the_facts_alone_spares_them_all_and_says_nothing_of_other_questions(numpy_engine, strength):
    # It has no inverse, so the shortest of all solutions is taken, by NumPy; success, locality and drawdown are the
    # same in every solution. That is why the covariance here is that of other subjects.
    for seed in range(3):
        editing = Editing(numpy_engine, MapSettings(edits=16), seed)
        world = editing.world
        chosen = list(world.order[:16])
        keys, moment = world.keys[chosen], world.keys.T @ world.keys / 80
        residual = np.eye(24)[[world.wanted[fact] for fact in chosen]] - keys @ world.weights
        weights = world.weights + np.linalg.pinv(keys.T @ keys + strength * moment, hermitian=True) @ keys.T @ residual
        found = editing.measures(weights, 16)
        assert (found["success"], found["locality"], found["drawdown"]) == (1, 1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_a_weak_covariance_spares_nearly_all(numpy_engine, seed):
    editing = Editing(numpy_engine, MapSettings(edits=16), seed)
    found = editing.measures(editing.weights(16, COVARIANCE, 5.0), 16)
    assert found["success"] == 1
    assert 1 - found["locality"] <= 2 / 64


def test_a_rollback_restores_the_weights_bit_for_bit(numpy_engine):
    settings = MapSettings(constraint=IDENTITY, preservation=1.0, edits=16, on_failure=ROLL_BACK)
    result = Editing(numpy_engine, settings, 0).outcome
    assert result.action == ROLL_BACK
    assert result.checksums[0] == result.checksums[2] != result.checksums[1]
    assert result.after == result.before


def test_an_edit_that_is_kept_or_forced_stays(numpy_engine):
    forced = MapSettings(constraint=IDENTITY, preservation=1.0, edits=16, on_failure=APPLY)
    passing = MapSettings()
    for settings, action in ((forced, APPLY), (passing, "kept")):
        found = Editing(numpy_engine, settings, 0).outcome
        assert found.action == action
        assert found.checksums[1] == found.checksums[2] != found.checksums[0]
        assert found.after == found.edited


def test_the_overlay_has_the_edits_and_spares_everything_else(numpy_engine):
    settings = MapSettings(constraint=IDENTITY, preservation=1.0, edits=16, on_failure=OVERLAY)
    found = Editing(numpy_engine, settings, 0).outcome
    assert (found.after["success"], found.after["locality"], found.after["drawdown"]) == (1, 1, 0)
    assert found.after["reworded"] == found.before["reworded"] == 0
    assert found.checksums[2] == found.checksums[0]


def test_the_gate_accepts_if_and_only_if_every_threshold_holds():
    good = {"success": 0.9, "locality": 0.95, "drawdown": 0.02}
    thresholds = {name: ILLUSTRATIVE[name] for name in good}
    assert gate(good, thresholds) == (True, ())
    for name, worse in (("success", 0.89), ("locality", 0.94), ("drawdown", 0.03)):
        assert gate(good | {name: worse}, thresholds) == (False, (name,))
    assert gate({}, {}) == (True, ())


@pytest.mark.parametrize(
    ("measures", "thresholds", "message"),
    [
        ({"success": 1.0}, {"locality": 0.9}, "locality was not measured"),
        ({"success": math.nan}, {"success": 0.9}, "success was not measured"),
        ({"beauty": 1.0}, {"beauty": 0.9}, "no measure called 'beauty'"),
        ({"success": 1.0}, {"success": 1.2}, r"threshold of success is 1\.2"),
    ],
)
def test_what_was_not_measured_never_passes(measures, thresholds, message):
    with pytest.raises(ValueError, match=message):
        gate(measures, thresholds)


def test_what_changes_with_time_goes_outside_first():
    assert route(time_sensitive=True, few_clear_facts=True, time_windows=True) == "external"
    assert route(conflict_prone=True) == "external"
    assert route(few_clear_facts=True, time_windows=True) == "edit"
    assert route(time_windows=True) == "replay"
    assert route() == "leave"


def test_a_certificate_comes_back_as_it_was(default, numpy_engine):
    certificate = certificate_of(default.tables)
    assert Certificate.from_json(certificate.to_json()) == certificate
    assert certificate.verification["accepted"] is True
    assert certificate.rollback["done"] is False
    refused = certificate_of(run_to_end(MECHANISM, SMALL.changed(preservation=200.0), numpy_engine, 0).tables)
    assert refused.verification["failed"] == ["success"]
    assert refused.rollback["done"] is True
    assert refused.rollback["weights_before"] == refused.rollback["weights_in_force"]
    assert len(certificate.target["facts"]) == 8
    with pytest.raises(ValueError, match="not come to its certificate"):
        certificate_of({"certificate": default.tables["certificate"].where(part="none")})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "must be JSON"),
        ("[1]", "exactly the parts target"),
        ('{"target": {}}', "exactly the parts target"),
        (json.dumps(dict.fromkeys(("target", "time", "method", "verification", "regression", "rollback", "audit"), 1)),
         "part target"),
    ],
)  # fmt: skip
def test_a_certificate_that_is_none_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Certificate.from_json(text)
