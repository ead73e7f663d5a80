"""Results as tables of 80 columns; all scores in percent, as the paper prints them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from zoobench.evaluation.compare import difference
from zoobench.evaluation.reference_rows import PROBE, REFERENCES, STATISTICS
from zoobench.evaluation.tune import Trial
from zoobench.results.paper import PaperScore, paper_score_of
from zoobench.results.results import RECONSTRUCTION, ReconstructionResult, Result, TaskResult
from zoobench.results.store import find_result
from zoobench.task.metrics import MetricName
from zoobench.task.tasks import Task
from zoogen import Zoo

MISSING = "–"
HEADINGS = {
    "95 % interval": "95 %\ninterval",
    "hyper-parameters": "hyper-\nparams",
    "over s(W)": "over s(W),\n95 % interval",
}
METRIC_SIGNS: dict[MetricName, str] = {"r2": "R²", "accuracy": "acc", "kendall_tau": "τ-b"}


def percent(score: float | None) -> str:
    """Write a share in percent; far below zero the decimals tell nothing."""
    if score is None:
        return MISSING
    return f"{100 * score:.0f}" if score <= -1 else f"{100 * score:.1f}".replace("-0.0", "0.0")


def signed(difference: float) -> str:
    """Write a difference of two shares in points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-0.0", "+0.0")


def interval_text(task: TaskResult | ReconstructionResult) -> str:
    """Write the bounds of an interval in percent."""
    low, high = task.interval
    return MISSING if low is None or high is None else f"{percent(low)} … {percent(high)}"


def paper_text(score: PaperScore | None, missing: str = "") -> str:
    """Write a score of the paper; one whose reading is unsure has a question mark."""
    return missing if score is None else percent(score.score) + ("" if score.sure else "?")


def reference_results(root: Path, scored: Result) -> Mapping[str, Result]:
    """Return the rows to read a score against, as far as they were made on the very same zoo."""
    wanted = {name: (name, PROBE) for name in REFERENCES} | {"s(W)": (STATISTICS, scored.probe)}
    found = {
        title: find_result(root, embedder, scored.zoos, made_by)
        for title, (embedder, made_by) in wanted.items()
    }
    return {
        title: result
        for title, result in found.items()
        if result is not None and (result.zoo, result.tested_on) == (scored.zoo, scored.tested_on)
    }


def print_result(result: Result, root: Path, zoo: Zoo | None) -> None:
    """Print one row per task: score, interval, reference rows and what the paper reports.

    Args:
        result: What to print.
        root: Folder of all results.
        zoo: What was scored, if it is at hand: the difference to s(W) is taken on its labels.
    """
    references = reference_results(root, result)
    if result.embedder.name == STATISTICS:
        references = {title: row for title, row in references.items() if title != "s(W)"}
    compared = references.get("s(W)") if zoo is not None else None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("task", no_wrap=True)
    over = ["over s(W)"] if compared else []
    for column in ("score", "95 % interval", *references, *over, "paper"):
        wide = column in {"95 % interval", "over s(W)"}
        table.add_column(HEADINGS.get(column, column), justify="right", no_wrap=not wide)
    for task in columns_of(result):
        scored, sign = score_in(result, task), METRIC_SIGNS[metric_of(result, task)]
        others = [score_in(row, task) for row in references.values()]
        table.add_row(
            f"{task} {sign}",
            MISSING if scored is None else percent(scored.mean),
            MISSING if scored is None else interval_text(scored),
            *(MISSING if other is None else percent(other.mean) for other in others),
            *([over_text(root, zoo, result, compared, task)] if zoo and compared else []),
            paper_text(paper_score(result, task)),
        )
    console = Console(highlight=False)
    console.print(heading(result))
    console.print(table)


def columns_of(result: Result) -> list[str]:
    """Name all that a result has a score for: reconstruction, if any, then the tasks."""
    kept = [] if result.reconstruction is None else [RECONSTRUCTION]
    return [*kept, *result.by_task]


def score_in(result: Result, column: str) -> TaskResult | ReconstructionResult | None:
    """Return what a result says of a task or of reconstruction, if anything."""
    return result.reconstruction if column == RECONSTRUCTION else result.by_task.get(column)


def metric_of(result: Result, column: str) -> MetricName:
    """Return what a column is scored by."""
    return result.by_task[column].metric if column in result.by_task else "r2"


def over_text(root: Path, zoo: Zoo, result: Result, other: Result, column: str) -> str:
    """Write the interval of the difference to another result."""
    found = difference(root, zoo, result, other, column)
    return MISSING if found is None else f"{signed(found.low)} … {signed(found.high)}"


def paper_score(result: Result, column: str) -> PaperScore | None:
    """Return what the paper reports of the method a result is of."""
    return paper_score_of(result.embedder.name, result.zoo.name, column)


def heading(result: Result) -> str:
    """Say what was scored in one line, and what is not as it should be in another."""
    seeds = f"{len(result.seeds)} seed{'s' * (len(result.seeds) > 1)}"
    zoos = [zoo for zoo in (result.zoo, result.tested_on) if zoo is not None]
    names = ", tested on ".join(zoo.name for zoo in zoos)
    end = ", " if len(zoos) == 1 else "\n"
    text = f"{result.embedder.name} on {names}{end}{result.probe} probe, {seeds}, in percent"
    for zoo in zoos:
        if zoo.models_built < zoo.models_planned:
            text += f"\npartial zoo: {zoo.models_built} of {zoo.models_planned} models"
            text += f" of {zoo.name}" * (len(zoos) > 1)
    return text


def print_trials(trials: Sequence[Trial]) -> None:
    """Print what a search tried, best first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("validation", justify="right")
    table.add_column("settings")
    for trial in trials:
        settings = ", ".join(f"{name}={value}" for name, value in trial.settings.items())
        reason = f" failed: {trial.reason}" if trial.reason else ""
        score = MISSING if trial.reason else percent(trial.score)
        table.add_row(score, (settings or "as asked for") + reason)
    Console(highlight=False).print(table)


def print_tasks(by_zoo: Mapping[str, Mapping[str, Task]]) -> None:
    """Print every task once, with the zoos that have it."""
    tasks = {name: task for tasks in by_zoo.values() for name, task in tasks.items()}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in ("task", "predict", "metric", "zoos"):
        table.add_column(column)
    for name, task in tasks.items():
        zoos = [zoo for zoo, own in by_zoo.items() if name in own]
        has = "all" if len(zoos) == len(by_zoo) > 1 else ", ".join(zoos)
        table.add_row(name, task.summary, METRIC_SIGNS[task.metric], has)
    Console().print(table)
