"""Changing what a system knows, by rule: where the change goes, what it must pass, and what is put on record.

Source: arXiv 2509.18868, section 5.4 (DMM-Gov). The thresholds there are illustrative, so they are inputs here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

AT_LEAST, AT_MOST = ">=", "<="
DIRECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "success": AT_LEAST,
        "locality": AT_LEAST,
        "reworded": AT_LEAST,
        "drawdown": AT_MOST,
        "citation_coverage": AT_LEAST,
        "unsupported": AT_MOST,
        "recall": AT_LEAST,
        "freshness": AT_LEAST,
        "retained_utility": AT_LEAST,
    }
)
"""The measures a gate may ask for, and on which side of its threshold each must lie."""
ILLUSTRATIVE: Mapping[str, float] = MappingProxyType(
    {
        "success": 0.90,
        "locality": 0.95,
        "drawdown": 0.02,
        "citation_coverage": 0.85,
        "unsupported": 0.05,
        "recall": 0.85,
        "freshness": 0.80,
        "retained_utility": 0.98,
    }
)
"""The paper's examples, sections 5.2.3, 5.3 and 5.4.4; it calls them illustrative."""

Route = Literal["external", "edit", "replay", "leave"]


def route(
    *,
    time_sensitive: bool = False,
    conflict_prone: bool = False,
    few_clear_facts: bool = False,
    time_windows: bool = False,
) -> Route:
    """Say where a change goes first: S1 to an external store, S2 to an edit of the weights, S3 to replayed events.

    S1 comes first: what changes with time, or what sources disagree on, is not written into weights. `leave` if none of
    the three applies.

    >>> route(time_sensitive=True, few_clear_facts=True)
    'external'
    """
    if time_sensitive or conflict_prone:
        return "external"
    if few_clear_facts:
        return "edit"
    return "replay" if time_windows else "leave"


def gate(measures: Mapping[str, float], thresholds: Mapping[str, float]) -> tuple[bool, tuple[str, ...]]:
    """Return whether every threshold holds, and the measures that failed theirs.

    Raises:
        ValueError: if a threshold's measure is unknown, was not measured, or is not a number: that is never a pass.

    >>> gate({"success": 1.0, "locality": 0.8}, {"success": 0.9, "locality": 0.95})
    (False, ('locality',))
    """
    failed = tuple(name for name, threshold in thresholds.items() if not _passes(measures, name, threshold))
    return not failed, failed


def _passes(measures: Mapping[str, float], name: str, threshold: float) -> bool:
    if name not in DIRECTIONS:
        raise ValueError(f"There is no measure called {name!r}; a gate may ask for {', '.join(DIRECTIONS)}.")
    if not 0 <= threshold <= 1:
        raise ValueError(f"The threshold of {name} is {threshold!r}, but it must lie between 0 and 1.")
    if name not in measures or math.isnan(measures[name]):
        raise ValueError(f"{name} was not measured, so the gate cannot say whether it reaches {threshold:g}.")
    return measures[name] >= threshold if DIRECTIONS[name] == AT_LEAST else measures[name] <= threshold


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What is put on record about a change, section 5.4.2; plain values only.

    Attributes:
        target: F1, what was to change.
        time: F2, as of when.
        method: F3, how.
        verification: F4, the measures and thresholds, and whether all held.
        regression: F5, what everything else was before and is after.
        rollback: F6, how the state before can be had back, and whether it was.
        audit: F7, what somebody needs to do it again.
    """

    target: Mapping[str, Any]
    time: Mapping[str, Any]
    method: Mapping[str, Any]
    verification: Mapping[str, Any]
    regression: Mapping[str, Any]
    rollback: Mapping[str, Any]
    audit: Mapping[str, Any]

    def to_json(self) -> str:
        """Write the certificate."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        """Read a certificate; the inverse of `to_json`.

        Raises:
            ValueError: if the text is not JSON, or not one object with exactly the seven parts.
        """
        names = [part.name for part in fields(cls)]
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ValueError("A certificate must be JSON, as the download gives it.") from error
        if not isinstance(found, dict) or set(found) != set(names):
            raise ValueError(f"A certificate must have exactly the parts {', '.join(names)}.")
        for name, part in found.items():
            if not isinstance(part, dict):
                raise ValueError(f"The part {name} of a certificate must be an object with named entries.")
        return cls(**found)
