"""Progress on standard error: bars on a terminal, one line a minute elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

Report = Callable[[int], None]
"""Called with the number of steps just done."""


class Advance(Protocol):
    """Counts steps just done; a note, if given, replaces the title."""

    def __call__(self, steps: int, note: str = "") -> None:
        """Advance the bar."""


class Things(ProgressColumn):
    """Number of finished things; a thing may take several steps."""

    def render(self, task: Task) -> Text:
        """Show the number of finished things and their total."""
        count = task.fields["count"]
        done = int(task.completed) * count // max(int(task.total or 0), 1)
        return Text(f"{done}/{count} {task.fields['things']}")


class Rate(ProgressColumn):
    """Steps per second, or seconds per step if steps are slow."""

    def render(self, task: Task) -> Text:
        """Show the speed, or a dash before the first step."""
        if task.speed and task.speed < 1:
            return Text(f"{1 / task.speed:,.0f} s each")
        speed = f"{task.speed:,.0f}" if task.speed else "–"
        return Text(f"{speed} {task.fields['unit']}/s")


LINE_SECONDS = 60.0
"""Seconds between two lines without a terminal."""

DISPLAY: ContextVar[Progress | None] = ContextVar("display", default=None)
"""The display that nested bars share, because a terminal can only have one."""


@contextmanager
def progress_bar(
    title: str, *, things: str, total: int, unit: str, steps: int | None = None, done: int = 0
) -> Iterator[Advance]:
    """Show a bar, the number of finished things, steps per second and the time left.

    A bar inside another appears below it and disappears when it is done.

    Args:
        title: Title of the bar.
        things: Name of the things counted beside the bar.
        total: Number of things.
        unit: Name of a step.
        steps: Number of steps in all; by default one per thing.
        done: Number of steps already done.

    Yields:
        A function to call with the number of steps just done, and optionally a note.
    """
    outer = DISPLAY.get()
    with display() if outer is None else nullcontext(outer) as progress:
        task = progress.add_task(
            title,
            total=total if steps is None else steps,
            completed=done,
            count=total,
            things=things,
            unit=unit,
        )

        printed = monotonic()

        def report(steps: int, note: str = "") -> None:
            nonlocal printed
            progress.update(task, advance=steps, description=note or None)
            if not progress.console.is_terminal and monotonic() - printed > LINE_SECONDS:
                printed = monotonic()
                print_line(progress, progress.tasks[progress.task_ids.index(task)])

        try:
            yield report
        finally:
            if outer is not None:
                progress.remove_task(task)


def print_line(progress: Progress, task: Task) -> None:
    """Print the state of a task on a line of its own, for a log."""
    columns = (column.render(task) for column in (Things(), Rate(), TimeRemainingColumn()))
    state = " · ".join(column.plain for column in columns)
    progress.console.print(f"{task.description}: {state} left", soft_wrap=True, highlight=False)


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
        token = DISPLAY.set(progress)
        try:
            yield progress
        finally:
            DISPLAY.reset(token)
