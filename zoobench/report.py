"""Results as tables of 80 columns; all scores in percent, as the paper prints them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from zoobench.paper import PaperScore, paper_scores
from zoobench.reference import PROBE, REFERENCES, STATISTICS
from zoobench.results import RECONSTRUCTION, ReconstructionResult, Result, TaskResult
from zoobench.store import find_result
from zoobench.tasks import Task
from zoobench.tune import Trial

MISSING = "–"
METRIC_SIGNS = {"r2": "R²", "accuracy": "acc"}


def percent(score: float | None) -> str:
    """Write a share in percent."""
    return MISSING if score is None else f"{100 * score:.1f}".replace("-0.0", "0.0")


def signed(difference: float) -> str:
    """Write a difference of two shares in points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


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
        title: find_result(root, embedder, scored.zoo.name, made_by)
        for title, (embedder, made_by) in wanted.items()
    }
    return {
        title: result
        for title, result in found.items()
        if result is not None and result.zoo == scored.zoo
    }


def print_result(result: Result, root: Path) -> None:
    """Print one row per task: score, interval, reference rows and what the paper reports."""
    references = reference_results(root, result)
    if result.embedder.name == STATISTICS:
        references = {title: row for title, row in references.items() if title != "s(W)"}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task", no_wrap=True)
    for column in ("score", "95 % interval", *references, "paper"):
        table.add_column(column.replace("hyper-", "hyper-\n"), justify="right")
    papers = paper_scores()
    if result.reconstruction is not None:
        table.add_row(*reconstruction_row(result, result.reconstruction, gaps=len(references)))
    for task in result.tasks:
        others = (row.by_task.get(task.task) for row in references.values())
        table.add_row(
            f"{task.task} {METRIC_SIGNS[task.metric]}",
            percent(task.mean),
            interval_text(task),
            *(MISSING if other is None else percent(other.mean) for other in others),
            paper_text(papers.get((result.zoo.name, task.task, result.embedder.name))),
        )
    console = Console(highlight=False)
    console.print(heading(result))
    console.print(table)


def reconstruction_row(result: Result, kept: ReconstructionResult, *, gaps: int) -> list[str]:
    """Write how much of the weights an embedding keeps; the reference rows have nothing to say."""
    paper = paper_scores().get((result.zoo.name, RECONSTRUCTION, result.embedder.name))
    blanks = [MISSING] * gaps
    return [
        f"{RECONSTRUCTION} R²",
        percent(kept.mean),
        interval_text(kept),
        *blanks,
        paper_text(paper),
    ]


def heading(result: Result) -> str:
    """Say what was scored in one line, and what is not as it should be in another."""
    seeds = f"{len(result.seeds)} seed{'s' * (len(result.seeds) > 1)}"
    zoo = result.zoo
    text = f"{result.embedder.name} on {zoo.name}, {result.probe} probe, {seeds}, in percent"
    if zoo.models_built < zoo.models_planned:
        text += f"\npartial zoo: {zoo.models_built} of {zoo.models_planned} models"
    return text


def print_trials(trials: Sequence[Trial]) -> None:
    """Print what a search tried, best first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("validation", justify="right")
    table.add_column("settings")
    for trial in trials:
        settings = ", ".join(f"{name}={value}" for name, value in trial.settings.items())
        table.add_row(percent(trial.score), settings or "as asked for")
    Console(highlight=False).print(table)


def print_tasks(by_zoo: Mapping[str, Mapping[str, Task]]) -> None:
    """Print every task once, with the zoos that have it."""
    tasks = {name: task for tasks in by_zoo.values() for name, task in tasks.items()}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("task", "predict", "metric", "zoos"):
        table.add_column(column)
    for name, task in tasks.items():
        zoos = [zoo for zoo, own in by_zoo.items() if name in own]
        table.add_row(name, task.summary, METRIC_SIGNS[task.metric], ", ".join(zoos))
    Console().print(table)
