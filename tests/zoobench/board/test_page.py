"""The built board: scores as submitted, ranks, and what is left out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.boards import about
from tests.zoobench.board.test_validate import rewrite, set_to
from zoobench.board.board import read_truths
from zoobench.board.page import build_board, paper_cells
from zoobench.board.submission import write_submission
from zoobench.results.files import read_result
from zoogen import ZooError


def built(board: Path, site: Path) -> dict[str, dict]:  # type: ignore[type-arg]
    assert build_board(board, site) == {}
    rows = json.loads((site / "data/board.json").read_text())["rows"]
    return {row["name"]: row for row in rows if row["kind"] != "paper"}


@pytest.fixture(scope="module")
def rows(whole_board: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:  # type: ignore[type-arg]
    return built(whole_board, tmp_path_factory.mktemp("site"))


def test_the_board_shows_what_was_submitted(whole_board: Path, rows: dict[str, dict]):  # type: ignore[type-arg]
    for name in ("statistics", "projection", "chance"):
        folder = whole_board / "submissions" / name
        for zoo in rows[name]["zoos"]:
            for task in read_result(folder / zoo).tasks:
                cell = rows[name]["cells"][f"{zoo}/{task.task}"]
                assert cell["s"] == pytest.approx(task.mean, rel=1e-3)
                assert cell["lo"] == pytest.approx(task.interval[0], rel=1e-3)


def test_chance_is_zero_and_has_no_rank(rows: dict[str, dict]):  # type: ignore[type-arg]
    assert rows["chance"]["cells"]["overall"]["s"] == 0
    assert "r" not in rows["chance"]["cells"]["overall"]
    assert rows["chance"]["mean_ranks"] == {}


def test_an_entry_that_misses_a_zoo_has_no_overall_score(rows: dict[str, dict]):  # type: ignore[type-arg]
    assert rows["projection"]["zoos"] == ["tetris-hyp"]
    assert "overall" not in rows["projection"]["cells"]
    assert "mixed" not in rows["projection"]["cells"]
    assert {"overall", "mixed", "tetris-hyp"} <= rows["statistics"]["cells"].keys()
    assert rows["statistics"]["mean_ranks"]["overall"]["s"] == 1


def test_an_invalid_submission_is_left_out_and_the_others_stay(
    board: Path,
    tmp_path: Path,
    rows: dict[str, dict],  # type: ignore[type-arg]
):
    rewrite(board, set_to("tasks", 0, "scores", value=[0.99, 0.99]))
    refused = build_board(board, tmp_path)
    assert list(refused) == ["projection"]
    assert "tasks.eph.scores" in refused["projection"]
    shown = json.loads((tmp_path / "data/board.json").read_text())["rows"]
    assert {row["name"] for row in shown if row["kind"] != "paper"} == {"statistics", "chance"}
    assert not (tmp_path / "data/rows/projection.js").exists()


def test_the_data_of_the_page_is_replaced_as_a_whole(board: Path, tmp_path: Path):
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True)
    (site / "data/old.js").write_text("old")
    assert build_board(board, site) == {}
    shown = {path.name for path in (site / "data").iterdir()}
    assert shown == {"board.js", "board.json", "results", "rows"}
    assert [path.name for path in site.iterdir()] == ["data"]


def test_no_text_can_end_the_script_it_is_in(board: Path, tmp_path: Path):
    build_board(board, tmp_path)
    assert "<" not in (tmp_path / "data/board.js").read_text()


def test_the_papers_scores_are_rows_of_their_own(whole_board: Path, tmp_path: Path):
    build_board(whole_board, tmp_path)
    shown = json.loads((tmp_path / "data/board.json").read_text())["rows"]
    paper = {row["name"]: row for row in shown if row["kind"] == "paper"}
    assert paper["umap"]["cells"]["tetris-hyp/eph"]["s"] > 0
    assert all("r" not in cell for row in paper.values() for cell in row["cells"].values())


def test_the_papers_mean_over_all_zoos_needs_all_its_scores(whole_board: Path, tmp_path: Path):
    whole = read_truths(whole_board)["tetris-hyp"]
    printed = {task: of for task, of in whole.tasks.items() if not task.startswith("f1")}
    truth = replace(whole, tasks=printed)
    chance = dict.fromkeys((f"tetris-hyp/{task}" for task in truth.tasks), 0.0)
    found = paper_cells("weight-statistics", {"tetris-hyp": truth}, chance)
    scores = [found[f"tetris-hyp/{task}"]["s"] for task in truth.tasks]
    assert found["overall"]["s"] == pytest.approx(sum(scores) / len(scores), rel=1e-3)
    assert found["overall"]["sure"]
    assert not paper_cells("umap", {"tetris-hyp": truth}, chance)["overall"]["sure"]
    assert not {"overall", "tetris-hyp"} & paper_cells("umap", {"tetris-hyp": whole}, {}).keys()
    assert paper_cells("umap", {"tetris-hyp": truth}, {}).keys() == chance.keys()


def test_a_folder_holds_all_that_the_page_links_to(board: Path, tmp_path: Path):
    (board / "RULES.md").write_text("# Rules\n")
    build_board(board, tmp_path)
    data = tmp_path / "data"
    assert (data / "rules.txt").read_text() == "# Rules\n"
    assert json.loads((data / "board.json").read_text())["rules"]
    for name, row in built(board, tmp_path).items():
        for zoo in row["zoos"]:
            submitted = board / "submissions" / name / zoo / "result.json"
            copied = data / "results" / name / f"{zoo}.json"
            assert copied.read_bytes() == submitted.read_bytes()


def test_an_empty_board_names_the_command(tmp_path: Path):
    with pytest.raises(ZooError, match="zoobench admit"):
        build_board(tmp_path, tmp_path / "site")


def test_tracks_are_ranked_apart(board: Path, tmp_path: Path):
    file = board / "submissions/projection/submission.toml"
    write_submission(file, about("projection", track="forward", method="projection"))
    shown = built(board, tmp_path)
    assert shown["projection"]["cells"]["tetris-hyp/eph"]["r"] == 1
    assert shown["statistics"]["cells"]["tetris-hyp/eph"]["r"] == 1


def test_truths_are_those_of_the_boards_zoos(whole_board: Path):
    assert set(read_truths(whole_board)) == {"mixed", "tetris-hyp"}
