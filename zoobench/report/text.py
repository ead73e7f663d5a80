"""Write scores as short text: percent, intervals, differences."""

from zoobench.results.paper import PaperScore
from zoobench.results.record import ReconstructionResult, TaskResult
from zoobench.task.metrics import MetricName

MISSING = "–"
METRIC_SIGNS: dict[MetricName, str] = {"r2": "R²", "accuracy": "acc", "kendall_tau": "τ-b"}


def percent(score: float | None) -> str:
    """Write a share in percent, without decimals from -100 % down."""
    if score is None:
        return MISSING
    return f"{100 * score:.0f}" if score <= -1 else f"{100 * score:.1f}".replace("-0.0", "0.0")


def signed(difference: float) -> str:
    """Write a difference of two shares in points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-0.0", "+0.0")


def mean_text(scored: TaskResult | ReconstructionResult | None) -> str:
    """Write the mean score over seeds in percent."""
    return MISSING if scored is None else percent(scored.mean)


def interval_text(scored: TaskResult | ReconstructionResult | None) -> str:
    """Write the bounds of an interval in percent."""
    if scored is None or None in scored.interval:
        return MISSING
    low, high = scored.interval
    return f"{percent(low)} … {percent(high)}"


def paper_text(score: PaperScore | None, missing: str = "") -> str:
    """Write a score of the paper, with a question mark where the print is hard to read."""
    return missing if score is None else percent(score.score) + ("" if score.sure else "?")
