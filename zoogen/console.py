"""How the command lines start and how they end: clear errors, exit codes that scripts can trust."""

import gc
import sys
from typing import TYPE_CHECKING

from zoogen.errors import ZooError

if TYPE_CHECKING:
    import typer

FAILED, INTERRUPTED = 1, 130


def run_command_line(app: "typer.Typer") -> None:
    """Run a Typer application; what the user can mend is shown without a traceback.

    Exits with 0 if all went well, 1 after a ``ZooError``, 2 for a wrong call, 130 after Ctrl-C.
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
        gc.freeze()  # to collect what torch has made takes seconds, and the process ends anyway


def printable(text: str) -> str:
    """Take out what would steer a terminal: files and servers of others may say anything."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)


def completed(names: "tuple[str, ...] | list[str]", incomplete: str) -> list[str]:
    """Return the names that a half-typed one may become, for tab completion."""
    return [name for name in names if name.startswith(incomplete)]
