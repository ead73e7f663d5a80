"""The commands of the board: admit, submit, validate, verify and leaderboard."""

from pathlib import Path
from typing import Annotated

import typer

from zoobench.cli.options import complete_zoo
from zoogen.console import completed


def complete_submission(incomplete: str) -> list[str]:
    """Complete the name of a submission."""
    from zoobench.board.board import BOARD, submission_names

    return completed(submission_names(BOARD), incomplete)


Board = Annotated[Path, typer.Option("--board", help="Folder of the board.")]
Zoo = Annotated[
    str,
    typer.Argument(metavar="ZOO", autocompletion=complete_zoo, help="A registered zoo or folder."),
]
Name = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=complete_submission, help="A submission.")
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]…", autocompletion=complete_submission, help="Submissions; all if none."
    ),
]


def admit(
    zoo: Zoo,
    *,
    board: Board = Path("leaderboard"),
) -> None:
    """Put a zoo on a board: its tasks and the labels of its test split.

    Example: zoobench admit tetris-seed
    """
    from zoobench.board.board import admit as put
    from zoogen import load_zoo

    typer.echo(put(board, load_zoo(zoo)))


def submit(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="RESULTS", help="Folder of one embedder's results: results/my-embedder."
        ),
    ],
    *,
    about: Annotated[
        Path | None,
        typer.Option(help="File that says who submits what; by default RESULTS/submission.toml."),
    ] = None,
    zoo: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=complete_zoo, help="Only this zoo; may be given several times."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the submission of that name.")
    ] = False,
    board: Board = Path("leaderboard"),
) -> None:
    """Make a submission from results: who made it, scores, predictions.

    Nothing is written unless the submission passes validate. Results on part of
    a zoo, with missing tasks, or of code that is not committed are refused.

    Example: zoobench submit results/my-embedder
    """
    from zoobench.board.submission import SUBMISSION
    from zoobench.board.submit import submit as write

    fields = about or results / SUBMISSION
    typer.echo(write(results, fields, board, zoos=tuple(zoo or ()), overwrite=replace))


def validate(names: Names = None, *, board: Board = Path("leaderboard")) -> None:
    """Recompute every score and interval of submissions from their predictions.

    This runs no submitted code. It prints one line per submission and exits
    with status 1 if one is refused.

    Example: zoobench validate my-embedder
    """
    from zoobench.board.board import submission_names
    from zoobench.board.validate import validate as check
    from zoobench.refusal import quoted
    from zoogen import ZooError

    if not (chosen := names or submission_names(board)):
        raise ZooError(f"{board} holds no submission; name the folder of a board with --board")
    refused = 0
    for name in chosen:
        try:
            check(board, name)
        except ZooError as error:
            refused += 1
            typer.echo(f"{quoted(name)}: refused: {error}", err=True)
        else:
            typer.echo(f"{name}: valid")
    if refused:
        raise typer.Exit(1)


def verify(
    name: Name,
    *,
    board: Board = Path("leaderboard"),
) -> None:
    """Run a submission again; mark it if its scores come out within their intervals.

    This runs the submitted code: read it first.

    Example: zoobench verify weight-statistics
    """
    from zoobench.board.verify import verify as run_again

    typer.echo(run_again(board, name))


def leaderboard(
    *,
    board: Board = Path("leaderboard"),
    site: Annotated[
        Path | None, typer.Option(help="Folder of the page; by default site/ in the board.")
    ] = None,
) -> None:
    """Score and rank all submissions and write the data of the page.

    Invalid submissions are named and left out, and the exit status is 1. Open
    site/index.html in a browser to see the board.

    Example: zoobench leaderboard
    """
    from zoobench.board.page import build_board
    from zoobench.refusal import quoted

    place = site or board / "site"
    refused = build_board(board, place)
    for name, reason in refused.items():
        typer.echo(f"{quoted(name)}: left out: {reason}", err=True)
    if (page := place / "index.html").exists():
        typer.echo(page)
    else:
        typer.echo(f"{place / 'data'}: copy the page beside it, leaderboard/site of zoobench")
    if refused:
        raise typer.Exit(1)
