"""The command ``zoobench`` and its subcommands."""

from collections.abc import Callable

import typer

from zoobench.cli.board import admit, leaderboard, submit, validate, verify
from zoobench.cli.checking import audit, check
from zoobench.cli.looking import embedders, plot, show, tasks
from zoobench.cli.scoring import evaluate, reproduce
from zoogen.console import run_command_line

app = typer.Typer(
    name="zoobench",
    help="Score how much an embedder knows about the networks of a zoo.\n\n"
    "Start with: zoobench evaluate weight-statistics --zoo tetris-seed",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
PANELS: dict[str | None, tuple[Callable[..., None], ...]] = {
    None: (evaluate, check, audit, tasks, embedders, show, plot, reproduce),
    "The board": (submit, validate, leaderboard, verify, admit),
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def main() -> None:
    """Run the command line."""
    run_command_line(app)
