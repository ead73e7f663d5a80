"""How the command lines run: clear errors and exit codes that scripts can rely on."""

import gc
import sys
from typing import TYPE_CHECKING

from zoogen.errors import ZooError

if TYPE_CHECKING:
    import typer

FAILED, INTERRUPTED = 1, 130


def run_command_line(app: "typer.Typer") -> None:
    """Run a Typer application and show a ``ZooError`` without a traceback.

    The exit code is 0 for success, 1 for a ``ZooError``, 2 for wrong usage and 130 for Ctrl-C.
    """
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        app()
    except ZooError as error:
        console.print("[bold red]error:[/] ", end="")
        console.print(printable(str(error)), markup=False)
        sys.exit(FAILED)
    finally:
        gc.freeze()  # collecting torch's objects at exit takes seconds


def printable(text: str) -> str:
    """Replace control characters: text from files and servers must not control the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def completed(names: "tuple[str, ...] | list[str]", incomplete: str) -> list[str]:
    """Return the names that start with ``incomplete``, for tab completion."""
    return [name for name in names if name.startswith(incomplete)]
