"""Contracts of every submission on the board, and of the size of all of them."""

from pathlib import Path

import pytest

from zoobench.board.board import submission_names
from zoobench.board.validate import validate
from zoobench.board.verify import is_verified

BOARD = Path(__file__).parents[3] / "leaderboard"


@pytest.mark.parametrize("name", submission_names(BOARD))
def test_its_scores_follow_from_its_predictions(name: str):
    assert validate(BOARD, name).submission.name == name


def test_every_submitted_baseline_matches_its_file():
    for file in (BOARD / "baselines").glob("*.toml"):
        submitted = BOARD / "submissions" / file.stem / "submission.toml"
        if submitted.exists():
            assert set(submitted.read_text().splitlines()) == set(file.read_text().splitlines())


def test_the_board_stays_small():
    files = (path for part in ("zoos", "submissions") for path in (BOARD / part).rglob("*"))
    assert sum(path.stat().st_size for path in files if path.is_file()) < 10_000_000


@pytest.mark.parametrize(
    "file", sorted(BOARD.glob("submissions/*/verified.json")), ids=lambda file: file.parent.name
)
def test_a_mark_belongs_to_the_present_results(file: Path):
    assert is_verified(file.parent, validate(BOARD, file.parent.name))
