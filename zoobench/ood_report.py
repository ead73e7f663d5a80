"""A result out of distribution as a table of 80 columns, in percent like all others."""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from zoobench.ood import TAU
from zoobench.reference import STATISTICS
from zoobench.report import (
    HEADINGS,
    MISSING,
    heading,
    interval_text,
    percent,
    reference_results,
)
from zoobench.results import Result

INTERVAL, S_W = HEADINGS["95 % interval"], "s(W)"


def print_elsewhere(result: Result, root: Path) -> None:
    """Print one row per property: its τ-b beside the ceiling and the reference rows, then its R².

    The ceiling is what ties among the targets leave for predictions without any.

    Args:
        result: Of a pair of zoos.
        root: Folder of all results.
    """
    references = reference_results(root, result)
    learned = [S_W] * (result.embedder.name != STATISTICS)
    headings = [HEADINGS["hyper-parameters"], *learned]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("task", no_wrap=True)
    for title in ("τ-b", INTERVAL, "ceil-\ning", *headings, "R²", INTERVAL, *learned):
        table.add_column(title, justify="right")
    for order in result.tasks:
        if not order.task.endswith(TAU):
            continue
        amount = result.by_task[order.task.removesuffix(TAU)]
        table.add_row(
            amount.task,
            percent(order.mean),
            interval_text(order),
            percent(order.ceiling),
            score(references.get("hyper-parameters"), order.task),
            *(score(references.get(name), order.task) for name in learned),
            percent(amount.mean),
            interval_text(amount),
            *(score(references.get(name), amount.task) for name in learned),
        )
    console = Console(highlight=False)
    console.print(heading(result))
    console.print(table)


def score(result: Result | None, task: str) -> str:
    """Write the mean score a reference row has on a task, if there is one."""
    found = None if result is None else result.by_task.get(task)
    return MISSING if found is None else percent(found.mean)
