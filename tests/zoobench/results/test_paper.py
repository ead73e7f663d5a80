"""The transcription of the paper's numbers."""

import pytest

from baselines.paper.table_types import PaperTable
from baselines.paper.tables import TABLES
from zoobench.results.paper import paper_scores
from zoobench.results.record import RECONSTRUCTION
from zoobench.task.tasks import tasks_of
from zoogen import zoo_spec

NOT_IN_THE_PAPER = {"svhn-seed", "weight-statistics-wide", "random-projection"}
"""A zoo that only Figure 14 has, and rows that we add."""


def test_every_number_belongs_to_a_task_of_ours():
    for zoo, task, _ in paper_scores():
        assert task in {RECONSTRUCTION, *tasks_of(zoo_spec(zoo))}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_row_of_a_table_in_the_paper_is_complete(table: PaperTable):
    scores = paper_scores()
    for zoo in set(table.zoos) - NOT_IN_THE_PAPER:
        told = {
            title: {task for of, task, row in scores if (of, row) == (zoo, title)}
            for title in table.by_title
            if title not in NOT_IN_THE_PAPER
        }
        if table.name == "table3":
            assert all(RECONSTRUCTION in columns for columns in told.values())
            continue
        expected = set(table.tasks) & set(tasks_of(zoo_spec(zoo))) or told["self-supervised"]
        assert len(expected) >= 3
        for title, columns in told.items():
            assert columns | {RECONSTRUCTION, "ggap"} >= expected, title
            assert columns, title


def test_every_number_of_the_paper_has_a_row_of_ours():
    rows = {title for table in TABLES.values() for title in table.by_title}
    assert {embedder for _, _, embedder in paper_scores()} <= rows


def test_scores_are_shares():
    assert paper_scores()["tetris-seed", "eph", "raw-weights"].score == pytest.approx(0.554)
    assert all(-1 <= score.score <= 1 for score in paper_scores().values())
