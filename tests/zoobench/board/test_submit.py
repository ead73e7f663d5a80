"""Submissions: results become a folder with everything needed to check them."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.boards import about, evaluated, submitted
from zoobench.board.board import admit, read_truth
from zoobench.board.details import command
from zoobench.board.submission import read_submission, write_submission
from zoobench.board.submit import rounded, submit
from zoobench.board.validate import validate
from zoobench.results.files import read_predictions, read_result, write_result
from zoobench.results.record import Record
from zoogen import IntegrityError, UnknownNameError, Zoo, ZooError


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def results(whole_board: Path, tmp_path: Path) -> Path:
    """A copy of the results that the board's submissions were made from."""
    return Path(copytree(whole_board.parent / "results", tmp_path / "results"))


def test_a_submission_holds_submitter_scores_and_predictions(whole_board: Path):
    folder = whole_board / "submissions" / "projection"
    tasks = read_truth(whole_board, "tetris-hyp").tasks
    assert set(contents(folder)) == {
        "submission.toml",
        "tetris-hyp/result.json",
        *(f"tetris-hyp/{task}.parquet" for task in tasks),
    }
    assert validate(whole_board, "projection").submission == about(
        "projection", method="projection"
    )


def test_rounded_predictions_move_a_score_by_no_more_than_their_step_allows(whole_board: Path):
    made = read_result(whole_board.parent / "results/weight-statistics/tetris-hyp/standard")
    folder = whole_board / "submissions/statistics/tetris-hyp"
    for task in read_result(folder).tasks:
        assert len(read_predictions(folder, task)) == task.rows
        before = made.by_task[task.task].mean
        assert before is not None
        # Rounding adds at most half a step of a 64th of the spread to each error.
        most = 2 * (1 - before) ** 0.5 / 128 + 1 / 128**2
        assert task.mean == pytest.approx(before, abs=most if task.kind == "regression" else 0)


@given(
    values=arrays(np.float32, (2, 5), elements=st.floats(-1e6, 1e6, width=32)),
    targets=arrays(np.float64, 5, elements=st.floats(-1e3, 1e3)),
)
def test_rounding_moves_a_prediction_by_less_than_a_hundredth_of_the_spread(
    values: np.ndarray, targets: np.ndarray
):
    spread = targets.std()
    again = rounded(values, targets)
    if spread > 1e-6:
        assert np.all(np.abs(again - values) <= spread / 100 + 1e-6 * np.abs(values))
        assert np.array_equal(rounded(again, targets), again)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda result: replace(result, tasks=result.tasks[1:]), "tasks: 'eph' is missing"),
        (
            lambda result: replace(result, embedder=replace(result.embedder, dirty=True)),
            "embedder.dirty",
        ),
        (
            lambda result: replace(result, embedder=replace(result.embedder, commit=None)),
            "embedder.commit",
        ),
        (
            lambda result: replace(result, zoo=replace(result.zoo, models_built=3)),
            "zoo.models_built: 3 of 144 models",
        ),
    ],
    ids=["partial", "dirty", "uncommitted", "part of a zoo"],
)
def test_a_partial_or_dirty_result_is_refused_and_the_board_unchanged(
    board: Path, results: Path, change: "object", message: str
):
    folder = results / "random-projection/tetris-hyp/standard"
    assert callable(change)
    changed: Record = change(read_result(folder))
    write_result(folder, changed)
    before = contents(board)
    with pytest.raises(IntegrityError, match=message):
        submitted(board, results / "random-projection", "another")
    assert contents(board) == before


def test_a_taken_name_is_refused_unless_overwritten(board: Path, results: Path):
    before = contents(board)
    with pytest.raises(ZooError, match="--replace"):
        submitted(board, results / "random-projection", "statistics")
    assert contents(board) == before
    file = results / "about.toml"
    write_submission(file, about("statistics", description="Another."))
    submit(results / "random-projection", file, board, overwrite=True)
    assert validate(board, "statistics").submission.description == "Another."
    assert {path.name for path in (board / "submissions").iterdir()} == {
        "chance",
        "projection",
        "statistics",
    }


@pytest.mark.parametrize("before", ["old is there", "old was moved"])
def test_leftovers_of_a_killed_replacement_do_no_harm(board: Path, results: Path, before: str):
    folder = board / "submissions/projection"
    left = folder.with_name(".projection.replaced")
    copytree(folder, left) if before == "old is there" else folder.rename(left)
    file = results / "about.toml"
    write_submission(file, about("projection", description="Another."))
    submit(results / "random-projection", file, board, overwrite=True)
    assert validate(board, "projection").submission.description == "Another."
    assert not left.exists()


def test_a_submission_can_hold_only_some_zoos(board: Path, results: Path):
    file = results / "about.toml"
    write_submission(file, about("one-zoo"))
    folder = submit(results / "weight-statistics", file, board, zoos=["mixed"])
    assert {path.name for path in folder.iterdir()} == {"submission.toml", "mixed"}
    write_submission(file, about("no-zoo"))
    with pytest.raises(UnknownNameError, match="closest: mixed"):
        submit(results / "weight-statistics", file, board, zoos=["mixt"])


def test_each_track_takes_the_results_of_its_own_probe(
    board: Path, results: Path, hyp_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zoobench.probes.boosted.ROUNDS", 2)
    evaluated(results, "random-projection", hyp_zoo, probe="boosted")
    folder = submitted(
        board, results / "random-projection", "trees", track="supervised", method="supervised"
    )
    assert read_result(folder / "tetris-hyp").probe == "boosted"
    entry = validate(board, "trees")
    assert entry.submission.track == "supervised"
    assert command(entry.zoos["tetris-hyp"]).endswith(" --zoo tetris-hyp --probe boosted")
    text = (folder / "submission.toml").read_text()
    (folder / "submission.toml").write_text(text.replace('"supervised"', '"weights"', 1))
    with pytest.raises(IntegrityError, match="'boosted', the track weights takes 'standard'"):
        validate(board, "trees")


def test_a_result_on_a_zoo_the_board_does_not_know_is_refused(tmp_path: Path, results: Path):
    with pytest.raises(UnknownNameError, match="zoo on the board"):
        submitted(tmp_path / "empty", results / "weight-statistics", "statistics")
    assert not (tmp_path / "empty").exists()


def test_part_of_a_zoo_is_not_admitted(seed_zoo: Zoo, tmp_path: Path):
    with pytest.raises(ZooError, match="60 of 1000 models"):
        admit(tmp_path, seed_zoo)
    assert not list(tmp_path.iterdir())


def test_another_version_of_a_zoo_is_not_admitted(board: Path, hyp_zoo: Zoo):
    admit(board, hyp_zoo)  # the same version may be admitted again
    path = board / "zoos/tetris-hyp/zoo.json"
    version, content = hyp_zoo.spec.version, ',\n    "content'
    path.write_text(
        path.read_text().replace(
            f'"version": {version}{content}', f'"version": {version + 1}{content}'
        )
    )
    with pytest.raises(ZooError, match="another version of tetris-hyp"):
        admit(board, hyp_zoo)


text = st.text(st.characters(exclude_categories=["C"], exclude_characters="<>"), min_size=1)


@given(
    description=text.filter(lambda text: len(text) <= 1000),
    author=text.filter(lambda text: len(text) <= 100),
)
def test_a_submission_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, description: str, author: str
):
    file = tmp_path_factory.mktemp("about") / "submission.toml"
    given_fields = about("name", description=description, authors=(author,))
    write_submission(file, given_fields)
    assert read_submission(file) == given_fields


def test_without_a_submission_file_the_message_shows_one(tmp_path: Path):
    with pytest.raises(ZooError, match="authors = ") as told:
        read_submission(tmp_path / "submission.toml")
    example = str(told.value).split("for example:\n\n")[1]
    (tmp_path / "submission.toml").write_text(example.replace("https://...", "https://a.org/b"))
    assert read_submission(tmp_path / "submission.toml").name == "my-embedder"
