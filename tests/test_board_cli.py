"""The commands around the board as a user calls them."""

from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from tests.boards import about
from tests.test_zoobench_cli import zoobench
from zoobench.board_cli import complete_submission
from zoobench.cli import app
from zoobench.submission import write_submission

COMMANDS = ("admit", "submit", "validate", "verify", "leaderboard")


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


def test_what_is_refused_is_named_and_ends_with_status_one(board: Path):
    path = board / "submissions/projection/submission.toml"
    path.write_text(path.read_text().replace("A. Tester", "<b>A. Tester</b>"))
    for command in ("validate", "leaderboard"):
        done = zoobench(command, folder=board.parent)
        assert done.returncode == 1
        assert "authors.0" in done.stderr
        assert "Traceback" not in done.stderr
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
    whole_board: Path, arguments: tuple[str, ...], message: str
):
    done = zoobench(*arguments, folder=whole_board.parent)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_submissions_are_completed(board: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(board.parent)
    assert complete_submission("pro") == ["projection"]
