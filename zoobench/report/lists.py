"""Lists for the command line: the trials of a search, and the tasks of zoos."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from zoobench.evaluation.tune import Trial
from zoobench.report.text import METRIC_SIGNS, MISSING, percent
from zoobench.task.tasks import Task


def print_trials(trials: Sequence[Trial]) -> None:
    """Print the trials of a search, best first."""
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
