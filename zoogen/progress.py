"""A progress bar on standard error, silent where nobody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class Rate(ProgressColumn):
    """Steps per second, in the unit of the task."""

    def render(self, task: Task) -> Text:
        """Show a dash until there is something to divide."""
        speed = f"{task.speed:,.0f}" if task.speed else "–"
        return Text(f"{speed} {task.fields['unit']}/s")


@contextmanager
def progress_bar(
    title: str, *, things: str, total: int, unit: str, steps: int | None = None, done: int = 0
) -> Iterator[Callable[[int], None]]:
    """Show a bar, how many things are done, steps per second and the time left.

    Args:
        title: What is being done.
        things: What is counted beside the bar.
        total: Number of things.
        unit: What a step is called.
        steps: Number of steps to all of them; by default one each.
        done: Steps an earlier run has done.

    Yields:
        A function to call with the number of steps just done.
    """
    all_steps = total if steps is None else steps

    class Things(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{int(task.completed) * total // max(all_steps, 1)}/{total} {things}")

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        Things(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=all_steps, completed=done, unit=unit)
        yield lambda steps: progress.advance(task, steps)
