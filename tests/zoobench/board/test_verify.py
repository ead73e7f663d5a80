"""A submission is run again and marked only if its scores come out."""

import json
from pathlib import Path

import pytest

from tests.boards import evaluated, submitted
from tests.zoobench.board.test_validate import rewrite, set_to
from zoobench.board import verify as verifying
from zoobench.board.entry import VERIFIED
from zoobench.board.validate import validate
from zoobench.board.verify import is_verified, require_within, verify
from zoobench.results.files import read_result
from zoogen import IntegrityError, Zoo, ZooError


@pytest.fixture
def zoos_at_hand(hyp_zoo: Zoo, mixed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the names of the board's zoos load the small zoos it was made with."""
    zoos = {"tetris-hyp": hyp_zoo, "mixed": mixed_zoo}
    monkeypatch.setattr(verifying, "load_zoo", lambda name: zoos[name])
    monkeypatch.setattr("zoobench.evaluation.run.load_zoo", lambda name: zoos[name])


@pytest.mark.parametrize("name", ["projection", "chance"])
def test_a_submission_that_can_be_reproduced_is_marked(board: Path, zoos_at_hand: None, name: str):
    folder = board / "submissions" / name
    assert not is_verified(folder, validate(board, name))
    verify(board, name)
    entry = validate(board, name)
    assert is_verified(folder, entry)
    scores = json.loads((folder / VERIFIED).read_text())["scores"]
    assert scores["tetris-hyp"].keys() == entry.zoos["tetris-hyp"].predictions.keys()


def test_a_supervised_submission_is_reproduced_with_its_own_probe(
    board: Path,
    zoos_at_hand: None,
    hyp_zoo: Zoo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("zoobench.probes.boosted.ROUNDS", 2)
    results = evaluated(tmp_path / "results", "weight-statistics", hyp_zoo, probe="boosted")
    folder = submitted(board, results, "trees", track="supervised", method="supervised")
    verify(board, "trees")
    scores = json.loads((folder / VERIFIED).read_text())["scores"]["tetris-hyp"]
    result = read_result(folder / "tetris-hyp")
    assert scores == pytest.approx({task.task: task.mean for task in result.tasks}, abs=0.01)


def test_the_mark_is_void_once_the_result_changes(board: Path, zoos_at_hand: None):
    verify(board, "projection")
    rewrite(board, set_to("machine", value="another"))
    folder = board / "submissions/projection"
    assert not is_verified(folder, validate(board, "projection"))
    (folder / VERIFIED).write_text("{")
    assert not is_verified(folder, validate(board, "projection"))


def test_other_scores_are_not_verified(board: Path):
    result = validate(board, "projection").zoos["tetris-hyp"].result
    scores = {task.task: task.mean for task in result.tasks}
    require_within(result, scores)
    with pytest.raises(ZooError, match=r"tetris-hyp/eph: 0\.99 here"):
        require_within(result, scores | {"eph": 0.99})


NORMS = """
from pathlib import Path
import numpy as np

class Norms:
    name = "norms"

    def fit(self, train, validation, *, seed):
        Path("ran").touch()
        return self

    def transform(self, weights):
        rows = np.asarray(weights)
        return np.stack([np.linalg.norm(rows, axis=1), rows.mean(axis=1)], axis=1)

embedder = Norms()
"""


@pytest.fixture
def norms(board: Path, hyp_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A submission of an embedder in a file beside the board; return that file."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "norms.py"
    file.write_text(NORMS)
    results = evaluated(tmp_path / "results", file.name, hyp_zoo)
    submitted(board, results, "norms")
    return file


def test_the_embedder_is_run_again_whatever_the_cache_holds(
    board: Path, zoos_at_hand: None, norms: Path
):
    ran = norms.with_name("ran")
    ran.unlink()
    verify(board, "norms")
    assert ran.exists()


def test_code_with_other_scores_is_not_verified(board: Path, zoos_at_hand: None, norms: Path):
    norms.write_text(NORMS.replace("norm(rows, axis=1)", "norm(rows[:, :3], axis=1)"))
    with pytest.raises(ZooError, match=r"tetris-hyp/\w+: .* here, .* was submitted"):
        verify(board, "norms")
    assert not is_verified(board / "submissions/norms", validate(board, "norms"))


def test_a_mark_with_other_scores_does_not_count(board: Path, zoos_at_hand: None):
    path = verify(board, "projection")
    fields = json.loads(path.read_text())
    fields["scores"]["tetris-hyp"]["eph"] -= 0.5
    path.write_text(json.dumps(fields))
    assert not is_verified(path.parent, validate(board, "projection"))


def test_an_embedder_with_other_settings_is_not_marked(
    board: Path, zoos_at_hand: None, whole_board: Path
):
    results = whole_board.parent / "results"
    folder = submitted(board, results / "weight-statistics", "pretender")
    for zoo in ("tetris-hyp", "mixed"):
        path = folder / zoo / "result.json"
        named = '"reference": "weight-statistics"'
        path.write_text(path.read_text().replace(named, '"reference": "raw-weights"'))
    with pytest.raises(ZooError, match="raw-weights has settings"):
        verify(board, "pretender")
    assert not (folder / VERIFIED).exists()


def test_an_invalid_submission_is_not_run(board: Path):
    rewrite(board, set_to("tasks", 0, "scores", value=[0.99, 0.99]))
    with pytest.raises(IntegrityError, match=r"tasks\.eph\.scores"):
        verify(board, "projection")
