"""What the paper says, as far as models of a few thousand weights on 8×8 pictures show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.state_space.efficientvim.settings import HiddenStateMixerSettings
from mem_core.mechanisms.state_space.efficientvim.tables import final_accuracy
from mem_core.mechanisms.state_space.efficientvim.training import FULL_EPOCHS
from mem_core.nn.hidden_state_mixer_block import IN_STATES, ON_TOKENS

TIMED = 1024
"""Tokens at which the times are compared; with fewer, calling costs more than computing."""
COUNTED = 4096

NARROW = {"epochs": FULL_EPOCHS, "channels": 16, "blocks": 1}
WIDE = {"epochs": FULL_EPOCHS, "channels": 32, "blocks": 2}
BOTH_NARROW = ({**NARROW, "mixer": IN_STATES}, {**NARROW, "mixer": ON_TOKENS})
BOTH_WIDE = ({**WIDE, "mixer": IN_STATES}, {**WIDE, "mixer": ON_TOKENS})
WITH_STATES = {states: {**NARROW, "mixer": IN_STATES, "states": states} for states in (1, 4, 25)}


def gains(least: float, names: tuple[str, str]) -> Callable[[Sequence[Result]], Evidence]:
    """Ask that the first of two runs names at least so many more of the test pictures right than the second."""

    def check(results: Sequence[Result]) -> Evidence:
        if len(results) < len(names):
            return Evidence.missing(f"needs two runs: {names[0]} and {names[1]}")
        first, second = (final_accuracy(result.tables) for result in results)
        return Evidence(first - second, least, ">=", f"{names[0]} {first:.1%}, {names[1]} {second:.1%}")

    return check


def counted_ratio(results: Sequence[Result]) -> Evidence:
    """Multiply-accumulates of mixing on tokens over those of mixing in hidden states."""
    on_tokens, in_states = (_at(results[0], "timed_costs", COUNTED, mixer) for mixer in (ON_TOKENS, IN_STATES))
    note = f"{on_tokens:,.0f} against {in_states:,.0f}"
    return Evidence(on_tokens / in_states, (3.15, 3.25), "within", note)


def measured_ratio(results: Sequence[Result]) -> Evidence:
    """Time of mixing on tokens over that of mixing in hidden states."""
    on_tokens, in_states = (_at(results[0], "times", TIMED, mixer) for mixer in (ON_TOKENS, IN_STATES))
    settings = cast(HiddenStateMixerSettings, results[0].settings)
    together = f", {settings.timed_pictures} pictures at once" if settings.timed_pictures > 1 else ""
    note = f"{on_tokens:.3g} against {in_states:.3g} ms{together}"
    return Evidence(on_tokens / in_states, 2, ">=", note)


def _at(result: Result, table: str, length: int, mixer: str) -> float:
    column = "milliseconds" if table == "times" else "multiply_accumulates"
    return float(result.tables[table].where(length=length, mixer=mixer)[column][0])


IMAGENET = "ImageNet-1k: about 75.2 % with HSM-SSD and 75.4 % with NC-SSD, without multi-stage fusion"

CLAIMS = (
    Claim(
        key="as-accurate-narrow",
        statement="Mixing in hidden states costs little accuracy: with 16 channels it stays within 2 points of mixing "
        "on tokens.",
        source="ablation study",
        paper_value=IMAGENET,
        check=gains(-0.02, ("in states", "on tokens")),
        variants=BOTH_NARROW,
        across_seeds="mean",
    ),
    Claim(
        key="as-accurate-wide",
        statement="The same with 32 channels and two blocks.",
        source="ablation study",
        paper_value=IMAGENET,
        check=gains(-0.02, ("in states", "on tokens")),
        variants=BOTH_WIDE,
        across_seeds="mean",
    ),
    Claim(
        key="fewer-operations",
        statement="Mixing channels costs N·D² instead of L·D²: with 4,096 tokens, 64 channels and 16 states the layer "
        "on tokens needs 3.2 times the multiply-accumulates, B, C and Δ included.",
        source="section 3.3",
        paper_value="the cost of the linear maps falls from O(LD²) to O(ND²)",
        check=counted_ratio,
    ),
    Claim(
        key="faster",
        statement="It is faster, too: with 1,024 tokens, 64 channels and 16 states mixing on tokens takes at least "
        "twice the time.",
        source="ablation study",
        paper_value="about 17,000 pictures a second against 10,000 for the whole network",
        check=measured_ratio,
    ),
    Claim(
        key="states-are-capacity",
        statement="The number of states is what the layer can remember of a picture: nine states name at least 2 "
        "points more of the digits than one.",
        source="section 3.3; the models have 49, 25 and 9 states",
        paper_value="no sweep over N",
        check=gains(0.02, ("N = 9", "N = 1")),
        variants=(BOTH_NARROW[0], WITH_STATES[1]),
        across_seeds="mean",
    ),
    Claim(
        key="more-states-still-help",
        statement="Past four states more still help: 25 are at least as good as four.",
        source="section 3.3; the models have 49, 25 and 9 states",
        paper_value="no sweep over N",
        check=gains(0.0, ("N = 25", "N = 4")),
        variants=(WITH_STATES[25], WITH_STATES[4]),
        across_seeds="mean",
    ),
)
