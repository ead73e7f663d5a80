"""Verdicts on the paper's claims follow from the intervals of the differences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.paper.claims import claim_section, verdict
from baselines.paper.reproduce import evaluate_all, reproduce_table
from baselines.paper.table_types import Claim, Row
from baselines.paper.tables import TABLES, plain
from tests.baselines.paper.conftest import Use
from zoobench.evaluation.compare import Difference, difference
from zoobench.results.bootstrap import paired_interval
from zoobench.results.files import read_predictions
from zoobench.results.record import RECONSTRUCTION, Record
from zoobench.results.store import result_folder
from zoogen import Zoo

ABOVE = Difference(0.1, 0.05, 0.2)
BELOW = Difference(-0.1, -0.2, -0.05)
UNSURE = Difference(0.0, -1.0, 1.0)


@pytest.mark.parametrize(
    ("expect", "found", "expected"),
    [
        ("above", [ABOVE, ABOVE], "Holds (2 of 2 above, 0 below)."),
        ("above", [ABOVE, None], "Holds (1 of 1 above, 0 below)."),
        ("above", [ABOVE, UNSURE], "Holds in part (1 of 2 above, 0 below)."),
        ("above", [ABOVE, ABOVE, BELOW], "Holds in part (2 of 3 above, 1 below)."),
        ("above", [ABOVE, BELOW], "Does not hold (1 of 2 above, 1 below)."),
        ("above", [UNSURE], "Does not hold (0 of 1 above, 0 below)."),
        ("above", [None], "Does not hold (0 of 0 above, 0 below)."),
        ("mixed", [ABOVE, BELOW], "Holds (1 of 2 above, 1 below)."),
        ("mixed", [ABOVE, UNSURE], "Does not hold (1 of 2 above, 0 below)."),
    ],
)
def test_a_verdict_counts_the_differences_whose_interval_excludes_zero(
    expect: str, found: list[Difference | None], expected: str
):
    claim = Claim("A is above B.", (("a", "b"),), expect=expect)  # type: ignore[arg-type]
    columns = {f"task_{number}": each for number, each in enumerate(found)}
    assert verdict(claim, {("a", "b"): columns}) == expected


@pytest.fixture
def results(hyp_zoo: Zoo, tmp_path: Path, use: Use) -> dict[str, Record]:
    use(hyp_zoo)
    table = replace(TABLES["table5"], rows=plain("weight-statistics", "random-projection"))
    return evaluate_all(table, "tetris-hyp", "paper", ["acc", "act"], tmp_path)[0]


def test_a_difference_is_that_of_two_scores_on_the_same_resamples(
    hyp_zoo: Zoo, tmp_path: Path, results: dict[str, Record]
):
    ours, other = results.values()
    for task in ("acc", "act"):
        found = difference(tmp_path, hyp_zoo, ours, other, task)
        back = difference(tmp_path, hyp_zoo, other, ours, task)
        assert found is not None
        assert back is not None
        assert found.mean == pytest.approx(ours.by_task[task].mean - other.by_task[task].mean)
        assert (found.low, found.high) == pytest.approx((-back.high, -back.low))
        assert found.low <= found.high
    same = difference(tmp_path, hyp_zoo, ours, ours, "acc")
    assert same == Difference(0.0, 0.0, 0.0)


def test_a_difference_of_accuracies_compares_labels_with_labels(
    hyp_zoo: Zoo, tmp_path: Path, results: dict[str, Record]
):
    def hits(result: Record) -> np.ndarray:
        folder = result_folder(tmp_path, result.embedder.name, "tetris-hyp", "paper")
        labels = read_predictions(folder, result.by_task["act"])["seed_0"]
        return (labels.to_numpy() == hyp_zoo.test.properties["activation"].to_numpy()).astype(int)

    ours, other = results.values()
    models = hyp_zoo.test.properties["model"].to_numpy()
    ones = np.ones(len(models), dtype=np.int64)
    expected = paired_interval("accuracy", ones, hits(ours)[None], hits(other)[None], models)
    found = difference(tmp_path, hyp_zoo, ours, other, "act")
    assert found is not None
    assert (found.low, found.high) == pytest.approx(expected)


def test_a_missing_score_has_no_difference(
    hyp_zoo: Zoo, tmp_path: Path, results: dict[str, Record]
):
    ours, other = results.values()
    assert difference(tmp_path, hyp_zoo, ours, other, "eph") is None
    assert difference(tmp_path, hyp_zoo, ours, other, RECONSTRUCTION) is None


def test_reconstructions_are_compared_and_shown_with_the_claim(
    seed_zoo: Zoo, tmp_path: Path, use: Use
):
    use(seed_zoo)
    tiny = {"width": "16", "hidden": "16", "epochs": "2", "dim": "10", "batch": "50", "heads": "1"}
    rows = tuple(
        Row(title, "self-supervised", {**tiny, "beta": beta})
        for title, beta in (("ED", "1"), ("self-supervised", "0.5"), ("E_c", "0"))
    )
    claim = Claim("ED keeps more.", (("ED", "self-supervised"), ("ED", "E_c")), (RECONSTRUCTION,))
    table = replace(TABLES["table1"], rows=rows, claims=(claim,), tasks=("eph",))
    text = reproduce_table(table, tmp_path)
    lines = text.splitlines()
    claimed = next(line for line in lines if line.startswith("**ED keeps more.**"))
    assert claimed.endswith(
        ("Holds (1 of 1 above, 0 below).", "Does not hold (0 of 1 above, 0 below).")
    )
    ours = [line for line in lines if line.startswith("| ED −")]
    assert "–" not in ours[0].split("|")[3]
    assert ours[1].split("|")[3].strip() == "–"
    assert "| | paper | +12.0 |" in lines
    assert "| embedder | | rec | eph |" in lines
    assert "* ED: `self-supervised --set width=16" in text


def test_a_claim_about_some_zoos_is_checked_on_those_alone(
    hyp_zoo: Zoo, tmp_path: Path, results: dict[str, Record]
):
    pairs = (("weight-statistics", "random-projection"),)
    claims = (Claim("Here.", pairs, zoos=("tetris-hyp",)), Claim("There.", pairs, zoos=("mnist",)))
    text = claim_section(claims, results, hyp_zoo, ["acc"], tmp_path)
    assert "**Here.**" in text
    assert "**There.**" not in text
