"""The project's scoreboard: every claim of every paper, measured over several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from mem_core.engine import Engine
from mem_core.mechanisms.contract import Claim, Evidence, Mechanism
from mem_core.mechanisms.experiment import Laboratory


@dataclass(frozen=True)
class Score:
    """One claim over all seeds.

    Attributes:
        mechanism, claim: whose and which.
        evidence: one per seed.
        summary: the evidence that decides: the mean over seeds, or the seed that comes out worst.
    """

    mechanism: Mechanism
    claim: Claim
    engine: str
    evidence: tuple[Evidence, ...]
    summary: Evidence

    @property
    def holds(self) -> bool:
        """Whether the claim holds."""
        return self.summary.holds

    def as_row(self) -> dict[str, object]:
        """Return the score as plain values for JSON."""
        return {
            "mechanism": self.mechanism.slug,
            "paper": f"arXiv {self.mechanism.paper.arxiv}",
            "claim": self.claim.key,
            "statement": self.claim.statement,
            "source": self.claim.source,
            "paper_value": self.claim.paper_value,
            "engine": self.engine,
            "values": [item.value for item in self.evidence],
            "value": self.summary.value,
            "across_seeds": self.claim.across_seeds,
            "threshold": self.summary.threshold,
            "relation": self.summary.relation,
            "holds": self.holds,
            "note": self.summary.note,
        }


def check(mechanism: Mechanism, engine: Engine, seeds: Sequence[int]) -> Iterator[Score]:
    """Measure every claim of a mechanism at its browser preset, one score at a time."""
    laboratory = Laboratory(mechanism, engine)
    settings = mechanism.presets["browser"]
    for claim in mechanism.claims:
        evidence = tuple(laboratory.evidence(claim, settings, seed) for seed in seeds)
        yield Score(mechanism, claim, engine.kind, evidence, summarise(claim, evidence))


def summarise(claim: Claim, evidence: Sequence[Evidence]) -> Evidence:
    """Return the evidence that decides: the mean over the seeds, or the worst seed."""
    first = evidence[0]
    if claim.across_seeds == "mean":
        return Evidence(fmean(item.value for item in evidence), first.threshold, first.relation, first.note)
    return next((item for item in evidence if not item.holds), min(evidence, key=_margin))


def _margin(evidence: Evidence) -> float:
    """Say how far a value is on the right side of its threshold."""
    if isinstance(evidence.threshold, tuple):
        low, high = evidence.threshold
        return min(evidence.value - low, high - evidence.value)
    return (evidence.value - evidence.threshold) * (1 if evidence.relation == ">=" else -1)
