"""What the paper says, measured on runs of this experiment. The survey itself runs none."""

from __future__ import annotations

from collections.abc import Sequence

from mem_core.mechanisms.contract import Claim, Evidence, Result
from mem_core.mechanisms.overview.memory_in_llms.dated_facts import VALUES, expected_correct
from mem_core.mechanisms.overview.memory_in_llms.recording import CORRECT, OUTDATED
from mem_core.mechanisms.overview.memory_in_llms.regimes import OFFLINE, ONLINE, PO, REGIMES
from mem_core.mechanisms.overview.memory_in_llms.settings import COVARIANCE, IDENTITY

PAPER = "arXiv 2509.18868"
NO_FIGURE = "no figure: the survey runs no experiment"
GATE = "the gate asks for success of about 0.90, locality of about 0.95 and drawdown of at most 1 to 2 %, as examples"
ROOMY = {"dimension": 256, "noise": 0.5}
"""Keys with room for all 200 facts."""
NOISY = {"dimension": 64, "noise": 2.5}


def as_expected(results: Sequence[Result]) -> Evidence:
    """Largest distance of a regime's accuracy from the algebra of perfect reads."""
    settings = results[0].settings
    expected = expected_correct(settings.before_snapshot, settings.after_snapshot)  # type: ignore[attr-defined]
    found = {regime: _outcome(results[0], "all", regime, CORRECT) for regime in REGIMES}
    note = ", ".join(f"{regime} {found[regime]:.3f} ({expected[regime]:.3f} by algebra)" for regime in REGIMES)
    return Evidence(max(abs(found[regime] - expected[regime]) for regime in REGIMES), 0.03, "<=", note)


def weights_miss_changes(results: Sequence[Result]) -> Evidence:
    """What the weights answer right of the facts that changed."""
    return _of_changed(results[0], PO, 0.01, "<=")


def index_catches_half(results: Sequence[Result]) -> Evidence:
    """What the frozen index answers right of the facts that changed."""
    return _of_changed(results[0], OFFLINE, (0.40, 0.50), "within")


def source_keeps_up(results: Sequence[Result]) -> Evidence:
    """What the live source answers right of the facts that changed."""
    return _of_changed(results[0], ONLINE, 0.99, ">=")


def outdated_answers(results: Sequence[Result]) -> Evidence:
    """How many more answers of the weights than of the index are out of date."""
    found = {regime: _outcome(results[0], "all", regime, OUTDATED) for regime in REGIMES}
    note = ", ".join(f"{regime} {share:.3f}" for regime, share in found.items())
    return Evidence(found[PO] - found[OFFLINE], 0.1, ">=", note)


def search_is_the_limit(results: Sequence[Result]) -> Evidence:
    """Distance of the live source's accuracy from attribution plus lucky hits."""
    row = results[0].tables["attribution_now"].rows()[0]
    lucky = (1 - row["attribution"]) / VALUES
    note = f"{row['correct']:.3f} right, {row['attribution']:.3f} from the right passage, {lucky:.3f} lucky by chance"
    return Evidence(abs(row["correct"] - row["attribution"] - lucky), 0.02, "<=", note)


def noise_costs_accuracy(results: Sequence[Result]) -> Evidence:
    """Accuracy of the live source under much noise."""
    return Evidence(_outcome(results[0], "all", ONLINE, CORRECT), (0.55, 0.65), "within")


def weights_ignore_noise(results: Sequence[Result]) -> Evidence:
    """Difference that query noise makes to the weights."""
    quiet, noisy = (_outcome(result, "all", PO, CORRECT) for result in results)
    return Evidence(abs(quiet - noisy), 0.0, "<=", f"{quiet:.3f} either way")


def crowded_weights(results: Sequence[Result]) -> Evidence:
    """What crowded weights answer right of the facts that stayed."""
    return Evidence(_outcome(results[0], "unchanged", PO, CORRECT), (0.72, 0.81), "within")


def roomy_weights(results: Sequence[Result]) -> Evidence:
    """What roomy weights answer right of the facts that stayed."""
    return Evidence(_outcome(results[0], "unchanged", PO, CORRECT), 0.999, ">=")


def success_is_not_enough(results: Sequence[Result]) -> Evidence:
    """Locality of edits that all succeed, when no direction of the keys is spared before another."""
    found = _edit(results[0])
    if found["success"] < 1:
        return Evidence.missing(f"Only {found['success']:.2f} of the edits succeeded; this needs all of them.")
    return Evidence(found["locality"], 0.949, "<=", f"all {results[0].settings.edits} edits succeed")  # type: ignore[attr-defined]


def covariance_passes(results: Sequence[Result]) -> Evidence:
    """The lowest of success, locality and what is not lost, with the covariance."""
    found = _edit(results[0])
    note = ", ".join(f"{name} {found[name]:.3f}" for name in ("success", "locality", "drawdown"))
    return Evidence(min(found["success"], found["locality"], 1 - found["drawdown"]), 1.0, ">=", note)


def _outcome(result: Result, part: str, regime: str, outcome: str) -> float:
    return float(result.tables[f"outcomes_{part}"].where(regime=regime, outcome=outcome)["share"][0])


def _of_changed(result: Result, regime: str, threshold: float | tuple[float, float], relation: str) -> Evidence:
    found = _outcome(result, "changed", regime, CORRECT)
    if found != found:
        return Evidence.missing("No fact changed in this run: set q₁ or q₂ above 0.")
    return Evidence(found, threshold, relation)  # type: ignore[arg-type]


def _edit(result: Result) -> dict[str, float]:
    rows = result.tables["decision"].where(stage="with the edit").rows()
    return {row["measure"]: row["share"] for row in rows}


CLAIMS = (
    Claim(
        key="as-expected",
        statement="One set of facts has three accuracies: from weights with room 0.64, from a frozen index 0.80, from "
        "a live source 1. A figure without its regime and date says little.",
        source=f"{PAPER}, section 4.1.2; the expected values are algebra",
        paper_value=NO_FIGURE,
        check=as_expected,
        variants=(ROOMY,),
    ),
    Claim(
        key="weights-miss-changes",
        statement="Of the facts that changed after training, weights with room answer none right.",
        source=f"{PAPER}, section 6.5",
        paper_value=NO_FIGURE,
        check=weights_miss_changes,
        variants=(ROOMY,),
    ),
    Claim(
        key="index-catches-half",
        statement="A frozen index is right about those of them that changed before it was made: 0.45 by algebra.",
        source=f"{PAPER}, section 6.5",
        paper_value="freshness of 0.75 to 0.85 is asked for (section 5.4.4)",
        check=index_catches_half,
        across_seeds="mean",
    ),
    Claim(
        key="source-keeps-up",
        statement="A live source is right about all of them, as long as the search finds the passage.",
        source=f"{PAPER}, section 6.5",
        paper_value=NO_FIGURE,
        check=source_keeps_up,
    ),
    Claim(
        key="outdated-answers",
        statement="Weights answer at least 0.1 more of the questions with what is out of date than the index does.",
        source=f"{PAPER}, section 6.5",
        paper_value=NO_FIGURE,
        check=outdated_answers,
        variants=(ROOMY,),
    ),
    Claim(
        key="search-is-the-limit",
        statement="Where the search fails, being right is being lucky: accuracy is attribution plus one in twelve of "
        "the rest.",
        source=f"{PAPER}, section 4: correctness and attribution are reported together",
        paper_value=NO_FIGURE,
        check=search_is_the_limit,
        variants=(NOISY,),
        across_seeds="mean",
    ),
    Claim(
        key="noise-costs-accuracy",
        statement="With noise of 2.5 and 64 dimensions the live source falls to about 0.6.",
        source=f"{PAPER}, section 4, external memory",
        paper_value=NO_FIGURE,
        check=noise_costs_accuracy,
        variants=(NOISY,),
        across_seeds="mean",
    ),
    Claim(
        key="weights-ignore-noise",
        statement="The same noise does not move the weights: they are asked with the exact key.",
        source=f"{PAPER}, section 4.1.2",
        paper_value=NO_FIGURE,
        check=weights_ignore_noise,
        variants=({"noise": 0.5}, {"noise": 2.5}),
    ),
    Claim(
        key="crowded-weights",
        statement="200 facts crowd 64 dimensions: of the facts that stayed, the weights answer about 0.77 right.",
        source=f"{PAPER}, section 4, parametric memory",
        paper_value=NO_FIGURE,
        check=crowded_weights,
        variants=({"dimension": 64},),
    ),
    Claim(
        key="roomy-weights",
        statement="With 256 dimensions they answer all of them right.",
        source=f"{PAPER}, section 4, parametric memory",
        paper_value=NO_FIGURE,
        check=roomy_weights,
        variants=({"dimension": 256},),
    ),
    Claim(
        key="success-is-not-enough",
        statement="16 edits that spare all directions alike succeed every one, and locality stays below the gate's "
        "0.95. Success on the target alone must not pass.",
        source=f"{PAPER}, sections 5.2 and 5.4.4",
        paper_value=GATE,
        check=success_is_not_enough,
        variants=({"constraint": IDENTITY, "preservation": 1.0, "edits": 16},),
    ),
    Claim(
        key="covariance-passes",
        statement="The same 16 edits that spare what the keys use succeed every one, and no other answer changes.",
        source=f"{PAPER}, sections 5.2 and 5.4.4",
        paper_value=GATE,
        check=covariance_passes,
        variants=({"constraint": COVARIANCE, "preservation": 80.0, "edits": 16},),
    ),
)
