"""A submission may hold a reconstruction: its score follows from the errors and has no rank."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.boards import evaluated, submitted
from zoobench.board import verify as verifying
from zoobench.board.board import admit, read_truths
from zoobench.board.details import details
from zoobench.board.page import build_board
from zoobench.board.submit import significant
from zoobench.board.validate import validate
from zoobench.board.verify import is_verified, verify
from zoobench.results.files import read_result
from zoogen import IntegrityError, Zoo
from zoogen.atomic import sha256_of

KEEPS = """
import numpy as np

class Keeps:
    name = "keeps"

    def fit(self, train, validation, *, seed):
        rows = np.asarray(train, dtype=np.float64)
        self.mean = rows.mean(axis=0)
        self.axes = np.linalg.svd(rows - self.mean, full_matrices=False)[2][seed : 40 + seed].T
        return self

    def transform(self, weights):
        return (np.asarray(weights) - self.mean) @ self.axes

    def reconstruct(self, embeddings):
        return embeddings @ self.axes.T + self.mean

embedder = Keeps()
"""
ZOO = "submissions/keeps/tetris-hyp"


@pytest.fixture(scope="module")
def made(hyp_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an embedder that reconstructs, its results and a board with them."""
    place = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        (place / "keeps.py").write_text(KEEPS)
        admit(place / "leaderboard", hyp_zoo)
        results = evaluated(place / "results", "keeps.py", hyp_zoo, seeds=2)
        submitted(place / "leaderboard", results, "keeps")
    return place


@pytest.fixture
def board(made: Path, tmp_path: Path) -> Path:
    """A copy of the board to damage."""
    return Path(copytree(made / "leaderboard", tmp_path / "leaderboard"))


def test_a_submission_keeps_the_score_of_the_reconstruction(made: Path, board: Path):
    found = read_result(made / "results/keeps.py/tetris-hyp/standard").reconstruction
    given_in = validate(board, "keeps").zoos["tetris-hyp"].result.reconstruction
    assert found is not None
    assert given_in is not None
    assert given_in.scores == pytest.approx(found.scores, abs=1e-3)
    assert given_in.interval == pytest.approx(found.interval, abs=1e-3)
    assert len(set(given_in.scores)) == 2


@given(numbers=arrays(np.float64, 5, elements=st.floats(0, 1e6)))
def test_rounding_moves_an_error_by_less_than_a_part_in_250(numbers: np.ndarray):
    rounded = significant(numbers)
    assert np.all(np.abs(rounded - numbers) <= numbers / 250)
    assert np.array_equal(significant(rounded), rounded)


def test_a_reconstruction_is_in_the_details_and_in_no_column(board: Path, tmp_path: Path):
    assert build_board(board, tmp_path / "site") == {}
    entry = validate(board, "keeps")
    shown = details(entry, read_truths(board))["tetris-hyp"]["kept"]
    reconstruction = entry.zoos["tetris-hyp"].result.reconstruction
    assert reconstruction is not None
    assert shown["s"] == pytest.approx(reconstruction.mean, rel=1e-3)
    (row,) = (
        row
        for row in json.loads((tmp_path / "site/data/board.json").read_text())["rows"]
        if row["name"] == "keeps"
    )
    assert not [column for column in row["cells"] if "rec" in column]


def test_a_false_reconstruction_score_is_refused_and_left_off_the_board(
    board: Path, tmp_path: Path
):
    path = board / ZOO / "result.json"
    fields = json.loads(path.read_text())
    fields["reconstruction"]["scores"] = [0.99, 0.99]
    path.write_text(json.dumps(fields))
    with pytest.raises(IntegrityError, match=r"reconstruction\.scores"):
        validate(board, "keeps")
    assert "reconstruction.scores" in build_board(board, tmp_path / "site")["keeps"]


def lacking(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="spread_1")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table.assign(seed_0=-table["seed_0"]), "seed_0: .*at least 0"),
        (lambda table: table.assign(spread_1=float("inf")), "spread_1: .*finite"),
        (lambda table: table.assign(model=table["model"] + 1), "model: .*other snapshots"),
        (lacking, "columns"),
    ],
)
def test_impossible_errors_are_refused(
    board: Path, change: Callable[[pd.DataFrame], Any], reason: str
):
    file, path = board / ZOO / "rec.parquet", board / ZOO / "result.json"
    change(pd.read_parquet(file)).to_parquet(file, index=False)
    fields = json.loads(path.read_text())
    with pytest.raises(IntegrityError, match="errors_sha256"):
        validate(board, "keeps")
    fields["reconstruction"]["errors_sha256"] = sha256_of(file)
    path.write_text(json.dumps(fields))
    with pytest.raises(IntegrityError, match=reason):
        validate(board, "keeps")


def test_a_reconstruction_is_verified_with_the_rest(
    made: Path, board: Path, hyp_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(made)
    monkeypatch.setattr(verifying, "load_zoo", lambda _: hyp_zoo)
    monkeypatch.setattr("zoobench.evaluation.run.load_zoo", lambda _: hyp_zoo)
    mark = verify(board, "keeps")
    fields = json.loads(mark.read_text())
    assert 0.1 < fields["scores"]["tetris-hyp"].pop("rec") < 1
    assert is_verified(mark.parent, validate(board, "keeps"))
    mark.write_text(json.dumps(fields))
    assert not is_verified(mark.parent, validate(board, "keeps"))
