"""The commands of the board as a user calls them."""

import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from tests.boards import about
from tests.zoobench.cli.test_commands import zoobench
from zoobench.board.submission import write_submission
from zoobench.cli.board import complete_submission
from zoobench.cli.commands import app, main

COMMANDS = ("admit", "submit", "validate", "verify", "leaderboard")

Call = Callable[..., tuple[int, str]]
"""Takes the arguments of zoobench; returns the exit status and the text on standard error."""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command in this process, which is faster than starting another."""

    def called(*arguments: str, folder: Path) -> tuple[int, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["zoobench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().err

    return called


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_there_and_fits(command: str):
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 80


def test_results_are_submitted_validated_and_ranked(board: Path, whole_board: Path):
    place = board.parent
    copytree(whole_board.parent / "results", place / "results")
    write_submission(place / "results/random-projection/submission.toml", about("second"))
    done = zoobench("submit", "results/random-projection", folder=place)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "leaderboard/submissions/second\n"
    done = zoobench("validate", folder=place)
    assert done.stdout.splitlines() == [
        f"{name}: valid" for name in ("chance", "projection", "second", "statistics")
    ]
    done = zoobench("leaderboard", folder=place)
    assert done.returncode == 0, done.stderr
    assert (place / "leaderboard/site/data/rows/second.js").is_file()
    assert "copy the page" in done.stdout  # this board has none


def test_a_refused_submission_is_named_and_the_status_is_one(board: Path, call: Call):
    path = board / "submissions/projection/submission.toml"
    path.write_text(path.read_text().replace("A. Tester", "<b>A. Tester</b>"))
    for command in ("validate", "leaderboard"):
        status, told = call(command, folder=board.parent)
        assert status == 1
        assert "authors.0" in told
    assert (board / "site/data/rows/statistics.js").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("submit", "results/nothing"), "submission.toml is missing"),
        (("validate", "projektion"), "closest: projection"),
        (("validate", "--board", "nowhere"), "holds no submission"),
        (("verify", "projektion"), "closest: projection"),
        (("admit", "tetris-sed"), "closest: tetris-seed"),
        (("leaderboard", "--board", "nowhere"), "zoobench admit"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_without_a_traceback(
    whole_board: Path, call: Call, arguments: tuple[str, ...], message: str
):
    status, told = call(*arguments, folder=whole_board.parent)
    assert status == 1
    assert told.startswith("error: ") or ": refused: " in told
    assert message in told


def test_submissions_are_completed(board: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(board.parent)
    assert complete_submission("pro") == ["projection"]
