"""Progress on standard error: bars on a terminal, a line a minute elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

Report = Callable[[int], None]
"""Called with the number of steps that have just been done."""


class Advance(Protocol):
    """Counts steps that were just done; a note, if given, takes the place of the title."""

    def __call__(self, steps: int, note: str = "") -> None:
        """Advance the bar."""


class Things(ProgressColumn):
    """How many things are done; several steps may make one."""

    def render(self, task: Task) -> Text:
        """Show whole things only."""
        count = task.fields["count"]
        done = int(task.completed) * count // max(int(task.total or 0), 1)
        return Text(f"{done}/{count} {task.fields['things']}")


class Rate(ProgressColumn):
    """Steps per second in the unit of the task, or how long one takes if that is long."""

    def render(self, task: Task) -> Text:
        """Show a dash until there is something to divide."""
        if task.speed and task.speed < 1:
            return Text(f"{1 / task.speed:,.0f} s each")
        speed = f"{task.speed:,.0f}" if task.speed else "–"
        return Text(f"{speed} {task.fields['unit']}/s")


LINE_SECONDS = 60.0
"""Between two lines where there is no terminal."""

SHOWN: ContextVar[Progress | None] = ContextVar("shown", default=None)
"""The display of a bar around this one; bars share one, a terminal has only one last line."""


@contextmanager
def progress_bar(
    title: str, *, things: str, total: int, unit: str, steps: int | None = None, done: int = 0
) -> Iterator[Advance]:
    """Show a bar, how many things are done, steps per second and the time left.

    A bar inside another is shown below it and goes when it is done.

    Args:
        title: What is being done.
        things: What is counted beside the bar.
        total: Number of things.
        unit: What a step is called.
        steps: Number of steps to all of them; by default one each.
        done: Steps an earlier run has done.

    Yields:
        A function to call with the number of steps just done, and a note to show.
    """
    outer = SHOWN.get()
    with display() if outer is None else nullcontext(outer) as progress:
        task = progress.add_task(
            title,
            total=total if steps is None else steps,
            completed=done,
            count=total,
            things=things,
            unit=unit,
        )

        said = monotonic()

        def report(steps: int, note: str = "") -> None:
            nonlocal said
            progress.update(task, advance=steps, description=note or None)
            if not progress.console.is_terminal and monotonic() - said > LINE_SECONDS:
                said = monotonic()
                print_line(progress, progress.tasks[progress.task_ids.index(task)])

        try:
            yield report
        finally:
            if outer is not None:
                progress.remove_task(task)


def print_line(progress: Progress, task: Task) -> None:
    """Say in a line of its own how far a task has come, for a log."""
    parts = (column.render(task) for column in (Things(), Rate(), TimeRemainingColumn()))
    words = " · ".join(part.plain for part in parts)
    progress.console.print(f"{task.description}: {words} left", soft_wrap=True, highlight=False)


@contextmanager
def display() -> Iterator[Progress]:
    """Show bars until the block ends."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        Things(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        token = SHOWN.set(progress)
        try:
            yield progress
        finally:
            SHOWN.reset(token)
