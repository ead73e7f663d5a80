"""A result out of distribution as a table of 80 columns, in percent like all others."""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from zoobench.evaluation.reference_rows import STATISTICS
from zoobench.report.results import (
    HEADINGS,
    MISSING,
    heading,
    interval_text,
    percent,
    reference_results,
)
from zoobench.results.results import Result
from zoobench.task.elsewhere import TAU
from zoobench.task.pair import ZooPair, shared_starts

INTERVAL, S_W = HEADINGS["95 % interval"], "s(W)"


def print_elsewhere(result: Result, root: Path, pair: ZooPair | None) -> None:
    """Print one row per property: its τ-b beside the ceiling and the reference rows, then its R².

    The ceiling is what ties among the targets leave for predictions without any.

    Args:
        result: Of a pair of zoos.
        root: Folder of all results.
        pair: What was scored, if it is at hand: the starting points they share are counted.
    """
    references = reference_results(root, result)
    learned = [S_W] * (result.embedder.name != STATISTICS)
    headings = [HEADINGS["hyper-parameters"], *learned]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("task", no_wrap=True)
    for title in ("τ-b", INTERVAL, "ceil-\ning", *headings, "R²", INTERVAL, *learned):
        table.add_column(title, justify="right")
    for name in dict.fromkeys(task.task.removesuffix(TAU) for task in result.tasks):
        tau, r2 = (result.by_task.get(task) for task in (f"{name}{TAU}", name))
        table.add_row(
            name,
            *(score(result, f"{name}{TAU}"), MISSING if tau is None else interval_text(tau)),
            MISSING if tau is None else percent(tau.ceiling),
            score(references.get("hyper-parameters"), f"{name}{TAU}"),
            *(score(references.get(other), f"{name}{TAU}") for other in learned),
            *(score(result, name), MISSING if r2 is None else interval_text(r2)),
            *(score(references.get(other), name) for other in learned),
        )
    console = Console(highlight=False)
    console.print(heading(result))
    if pair is not None:
        console.print(starts_text(pair))
    console.print(table)


def starts_text(pair: ZooPair) -> str:
    """Say how many of the models scored start where a model that was learned from does."""
    shared, tested = shared_starts(pair), pair.test.properties["model"].nunique()
    if shared is None:
        return "where models start is not known"
    return f"{shared} of {tested} test models start where a model learned from starts, up to scale"


def score(result: Result | None, task: str) -> str:
    """Write the mean score a reference row has on a task, if there is one."""
    found = None if result is None else result.by_task.get(task)
    return MISSING if found is None else percent(found.mean)
