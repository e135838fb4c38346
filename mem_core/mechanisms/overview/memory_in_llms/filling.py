"""Filling the evaluation card from runs: this mechanism's own, and any other mechanism's of the gallery."""

from __future__ import annotations

import math

from mem_core.mechanisms.contract import Claim, Evidence, Mechanism, Result
from mem_core.mechanisms.overview.memory_in_llms.card import CardRun, Measure
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, PO, REGIMES
from mem_core.mechanisms.overview.memory_in_llms.taxonomy import (
    CONTEXTUAL,
    EXTERNAL,
    METHOD,
    PARAMETRIC,
    PROCEDURAL,
    place_of,
)
from mem_core.mechanisms.retention import Curve
from mem_core.mechanisms.settings import Settings

OWN_SLUG = "memory-in-llms"
REGIME_OF = {
    PARAMETRIC: PO,
    CONTEXTUAL: "in context",
    EXTERNAL: OFFLINE,
    PROCEDURAL: OFFLINE,
    METHOD: "as its test says",
}
"""Which memories the runs of a mechanism can use, by its leading type; nothing in the gallery asks a live source."""
SLICE = ("before_snapshot", "after_snapshot", "position_bias", "position_curve", "repeats")
"""The settings that fix this mechanism's questions; the others are the system that answers them."""
HALF_LIFE = "half-life"


def own_runs(result: Result, version: str) -> tuple[CardRun, ...]:
    """Return the card of a run of this mechanism: three regimes on the same facts, asked at t2."""
    texts = result.settings.formatted()
    asked = "; ".join([*(f"{name} {texts[name] or 'none'}" for name in SLICE), f"seed {result.seed}"])
    return tuple(
        CardRun(
            subject=OWN_SLUG,
            slice=asked,
            as_of="t2",
            regime=regime,
            engine=result.engine,
            version=version,
            measures={
                str(row["dimension"]): Measure(*(_number(row[name]) for name in ("value", "low", "high")))
                for row in result.tables["card"].where(regime=regime).rows()
                if row["value"] is not None
            },
        )
        for regime in REGIMES
    )


def run_of(mechanism: Mechanism, result: Result, version: str) -> CardRun:
    """Return the card of a run of any mechanism: every claim that this run alone can tell of, and its half-life.

    Raises:
        ValueError: if the mechanism has no place on the map.
    """
    measures = {claim.key: Measure(found.value) for claim, found in told(mechanism, result) if found.tells}
    if "retention" in result.tables:
        measures[f"{HALF_LIFE} in {_unit(result)}"] = Measure(Curve.of("", result.tables["retention"]).half_life)
    return CardRun(
        subject=mechanism.slug,
        slice="; ".join([*map(" ".join, _shown(result.settings)), f"seed {result.seed}"]),
        as_of="end of the run",
        regime=REGIME_OF[place_of(mechanism.slug).types[0]],
        engine=result.engine,
        version=version,
        measures=measures,
    )


def told(mechanism: Mechanism, result: Result) -> tuple[tuple[Claim, Evidence], ...]:
    """Return every claim that needs this run and no other, with its evidence."""
    alone = [claim for claim in mechanism.claims if len(claim.variants) == 1 and not any(claim.variants[0])]
    return tuple((claim, claim.check([result])) for claim in alone)


def _unit(result: Result) -> str:
    return result.tables["retention"].units.get("lag", "") or "its own time"


def _shown(settings: Settings) -> list[tuple[str, str]]:
    return [(name, text or "none") for name, text in settings.formatted().items()]


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
