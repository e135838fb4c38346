"""An edit on trial: what it reaches and spares at every size, and what the gate decides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mem_core.engine import Array, Engine
from mem_core.mechanisms.overview.memory_in_llms import edit_world, metrics
from mem_core.mechanisms.overview.memory_in_llms.governance import Certificate, gate
from mem_core.mechanisms.overview.memory_in_llms.settings import APPLY, OVERLAY, MapSettings

SIZES = (1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40)
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 80.0, 200.0)
"""λ at which success and locality are followed."""
SUCCESS, LOCALITY, REWORDED, DRAWDOWN = "success", "locality", "reworded", "drawdown"
MEASURES = (SUCCESS, LOCALITY, REWORDED, DRAWDOWN)
EXACT = 1 - 1e-6
"""Similarity from which on the overlay takes a question for that of an edit it holds."""


@dataclass(frozen=True)
class Outcome:
    """What the gate decided, and what was done about it.

    Attributes:
        accepted: whether every threshold holds.
        failed: the measures that failed.
        action: `kept`, or what the settings say for a refusal.
        before, edited, after: measures of the weights before the edit, with it, and of what is in force now.
        checksums: of the weights before, edited and now.
    """

    accepted: bool
    failed: tuple[str, ...]
    action: str
    before: dict[str, float]
    edited: dict[str, float]
    after: dict[str, float]
    checksums: tuple[str, str, str]


class Editing:
    """One system, its facts, and the edits that are tried on it."""

    def __init__(self, engine: Engine, settings: MapSettings, seed: int) -> None:
        self.engine, self.settings, self.seed = engine, settings, seed
        self.world = edit_world.draw(engine, seed)
        self._before = edit_world.ask(engine, self.world.weights, self.world.keys)

    def weights(self, edits: int, constraint: str = "", preservation: float = 0.0) -> Array:
        """Return the weights after so many edits; constraint and λ are the settings' if left out."""
        return edit_world.edited(
            self.engine,
            self.world,
            edits,
            constraint or self.settings.constraint,
            preservation or self.settings.preservation,
        )

    def measures(self, weights: Array, edits: int, overlay: bool = False) -> dict[str, float]:
        """Measure some weights against the first `edits` edits, with an external store asked first if `overlay`."""
        world, engine = self.world, self.engine
        asked = edit_world.ask(engine, weights, world.keys)
        reworded = edit_world.ask(engine, weights, world.reworded)
        chosen = world.order[:edits]
        if overlay:
            asked = self._overlaid(asked, world.keys, chosen)
            reworded = self._overlaid(reworded, world.reworded, chosen)
        wanted = [world.wanted[fact] for fact in chosen]
        others = [fact for fact in range(edit_world.FACTS) if fact not in set(chosen)]
        before, after, truth = ([of[fact] for fact in others] for of in (self._before, asked, world.answers))
        return {
            SUCCESS: metrics.edit_success([asked[fact] for fact in chosen], wanted),
            LOCALITY: metrics.locality(before, after),
            REWORDED: metrics.edit_success([reworded[fact] for fact in chosen], wanted),
            DRAWDOWN: metrics.drawdown(before, after, truth),
        }

    def _overlaid(self, answers: list[int], questions: Array, chosen: tuple[int, ...]) -> list[int]:
        """Answer from the store where a question's cosine with the key of an edit is 1 up to rounding."""
        engine, xp = self.engine, self.engine.xp
        keys = self.world.keys[list(chosen)]
        lengths = [xp.sqrt(xp.sum(vectors * vectors, axis=-1)) for vectors in (questions, keys)]
        cosines = questions @ keys.T / (lengths[0][:, None] * lengths[1])
        nearest, how_near = (
            engine.to_numpy(part).tolist() for part in (xp.argmax(cosines, axis=-1), xp.max(cosines, axis=-1))
        )
        return [
            self.world.wanted[chosen[place]] if near >= EXACT else answer
            for answer, place, near in zip(answers, nearest, how_near, strict=True)
        ]

    @cached_property
    def outcome(self) -> Outcome:
        """Put the edit of the settings through the gate, and do what they say if it is refused."""
        settings, edits = self.settings, self.settings.edits
        kept_before = 1 * self.world.weights  # a copy: the way back does not depend on what the edit does
        edited = self.weights(edits)
        measures = self.measures(edited, edits)
        accepted, failed = gate(measures, settings.thresholds)
        action = "kept" if accepted else settings.on_failure
        now = edited if action in ("kept", APPLY) else kept_before
        return Outcome(
            accepted,
            failed,
            action,
            before=self.measures(self.world.weights, edits),
            edited=measures,
            after=self.measures(now, edits, overlay=action == OVERLAY),
            checksums=tuple(edit_world.checksum(self.engine, w) for w in (self.world.weights, edited, now)),  # type: ignore[arg-type]
        )

    @property
    def certificate(self) -> Certificate:
        """Return what is put on record about the edit."""
        outcome, settings = self.outcome, self.settings
        return Certificate(
            target={"facts": list(self.world.order[: settings.edits]), "of": edit_world.FACTS},
            time={"as_of": "the question (t2)", "until": "the next edit of the same facts"},
            method={"update": "least squares", "constraint": settings.constraint, "lambda": settings.preservation},
            verification={
                "measures": outcome.edited,
                "thresholds": settings.thresholds,
                "accepted": outcome.accepted,
                "failed": list(outcome.failed),
            },
            regression={"before": outcome.before, "in_force": outcome.after},
            rollback={
                "done": outcome.action not in ("kept", APPLY),
                "weights_before": outcome.checksums[0],
                "weights_edited": outcome.checksums[1],
                "weights_in_force": outcome.checksums[2],
            },
            audit={"action": outcome.action, "seed": self.seed, "settings": settings.formatted()},
        )
