"""Charts of the fitted curves."""

from __future__ import annotations

from collections.abc import Mapping

from mem_core.data.forgetting_measurements import SUBJECTS
from mem_core.mechanisms.agents.memorybank.curves import FAMILIES
from mem_core.mechanisms.agents.memorybank.fit_tables import HELD_OUT, MEASURED
from mem_core.mechanisms.agents.memorybank.fitting import OWN
from mem_core.mechanisms.charts import Axis, AxisScale, Chart, Layer
from mem_core.mechanisms.tables import Table

Tables = Mapping[str, Table]

# The default curves first: only the first few colours and dashes are all different.
_SHOWN_FIRST = ("exponential", "power", "Ebbinghaus 1885", "two exponentials", "FSRS-6", "Wickelgren")
SERIES = (
    MEASURED,
    HELD_OUT,
    *_SHOWN_FIRST,
    *(family.name for family in FAMILIES if family.name not in _SHOWN_FIRST),
)
LEARNERS = (*SUBJECTS, OWN)


def _ranked(tables: Tables, subject: str) -> list[dict[str, object]]:
    return sorted(tables["fits"].where(subject=subject).rows(), key=lambda row: (row["aic"] is None, row["aic"]))


def _subjects(tables: Tables) -> list[str]:
    return list(dict.fromkeys(tables["fits"]["subject"].tolist()))


def describe_curves(tables: Tables) -> str:
    """Say which curve misses least and which most, and how the held-out point was predicted."""
    subject, others = _subjects(tables)[0], len(_subjects(tables)) - 1
    rows = sorted(tables["fits"].where(subject=subject).rows(), key=lambda row: row["ssd"])
    best, worst = rows[0], rows[-1]
    also = f" ({others} more learners are drawn too)" if others else ""
    said = f"{subject}{also}: the {best['curve']} curve misses least, with a sum of squares of {best['ssd']:.4f}"
    said += f"; the {worst['curve']} curve misses most, with {worst['ssd']:.4f}." if len(rows) > 1 else "."
    if not (tables["measurements"]["series"] == HELD_OUT).any():
        return said
    told = ", ".join(f"{row['curve']} {row['last_predicted']:.3f}" for row in rows)
    return (
        f"{said} The point at {best['last_days']:.3g} days was held out: it is {best['last_measured']:.3f}, and the "
        f"curves predict {told}."
    )


def describe_residuals(tables: Tables) -> str:
    """Name the largest miss."""
    row = max(tables["residuals"].rows(), key=lambda row: abs(row["residual"]))
    side = "above" if row["residual"] > 0 else "below"
    return (
        f"The largest miss: {row['subject']}'s point at {row['days']:.3g} days lies {abs(row['residual']):.3f} {side} "
        f"the {row['series']} curve."
    )


def describe_scores(tables: Tables) -> str:
    """List AIC and R² of the first learner's curves, best first."""
    subject = _subjects(tables)[0]
    rows = _ranked(tables, subject)
    told = ", ".join(f"{row['curve']} {row['aic']:.1f}" for row in rows)
    r2 = rows[0]["r2"]
    explained = "" if r2 is None else f" The first explains {r2:.1%} of the variance of the points."
    return f"AIC for {subject}, best first: {told}.{explained}"


def describe_learners(tables: Tables) -> str:
    """Say what each learner had left at the longest delay, and the best curve."""
    told = []
    for subject in _subjects(tables):
        best = _ranked(tables, subject)[0]
        told.append(f"{subject} keeps {best['last_measured']:.1%} (best curve: {best['curve']})")
    days = float(tables["fits"]["last_days"][0])
    return f"After {days:.3g} days, {'; '.join(told)}."


def _curve_chart(key: str, title: str, scale: AxisScale, look_for: str) -> Chart:
    return Chart(
        key=key,
        title=title,
        x=Axis(title="Time since learning", unit="days", scale=scale),
        y=Axis(title="Savings (your own points: retention)", domain=(0.0, 1.0)),
        layers=(
            Layer(
                mark="line", table="curves", x="days", y="savings", color="series", detail="subject", label_ends=True
            ),
            Layer(mark="errorbar", table="measurements", x="days", y="low", y2="high", color="series"),
            Layer(mark="point", table="measurements", x="days", y="savings", color="series", size=60),
            Layer(mark="text", table="held_out", x="days", y="savings", text="series"),
        ),
        describe=describe_curves,
        look_for=look_for,
        series=SERIES,
        height=300,
    )


FIT_CHARTS = (
    _curve_chart(
        "fit_curves",
        "Forgetting, on a logarithmic time axis",
        "log",
        "The points lie almost on a straight line; the exponential starts at 1 and is gone within hours.",
    ),
    _curve_chart(
        "fit_curves_linear",
        "The same, on a linear time axis",
        "linear",
        "Most is lost in the first hours; what is left after a day is lost slowly.",
    ),
    Chart(
        key="fit_residuals",
        title="What the curves miss",
        x=Axis(title="Time since learning", unit="days", scale="log"),
        y=Axis(title="Measured minus curve", zero=True),
        layers=(
            Layer(
                mark="line",
                table="residuals",
                x="days",
                y="residual",
                color="series",
                detail="subject",
                label_ends=True,
            ),
            Layer(mark="point", table="residuals", x="days", y="residual", color="series", detail="subject"),
        ),
        describe=describe_residuals,
        look_for="A good curve misses by a few hundredths on either side; a wrong one misses in one long swing.",
        series=SERIES,
    ),
    Chart(
        key="fit_scores",
        title="Which curve is best for its number of parameters",
        x=Axis(title="AIC, lower is better"),
        y=Axis(title="Curve", scale="nominal"),
        layers=(Layer(mark="point", table="fits", x="aic", y="curve", color="subject", size=80),),
        describe=describe_scores,
        look_for="Less than two points of AIC apart, two curves are as good as equal.",
        series=LEARNERS,
    ),
    Chart(
        key="fit_learners",
        title="Each learner and the best of the chosen curves",
        x=Axis(title="Time since learning", unit="days", scale="log"),
        y=Axis(title="Savings (your own points: retention)", domain=(0.0, 1.0)),
        layers=(
            Layer(mark="line", table="best_curves", x="days", y="savings", color="subject", label_ends=True),
            Layer(mark="errorbar", table="measurements", x="days", y="low", y2="high", color="subject"),
            Layer(mark="point", table="measurements", x="days", y="savings", color="subject", size=60),
        ),
        describe=describe_learners,
        look_for="Choose all learners: four people in 130 years, and each loses much in hours and little in weeks.",
        series=LEARNERS,
    ),
)
