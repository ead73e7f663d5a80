"""The transcription of the paper's numbers."""

import pytest

from zoobench.find import embedder_names
from zoobench.paper import paper_scores
from zoobench.reproduce import TABLES, PaperTable
from zoobench.tasks import tasks_of
from zoogen import zoo_spec

NOT_IN_THE_PAPER = {"svhn-seed"}
"""Named in Figure 14, in no table."""


def test_every_number_belongs_to_a_task_of_ours():
    for zoo, task, _ in paper_scores():
        assert task in tasks_of(zoo_spec(zoo))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_embedder_of_a_table_has_a_full_row(table: PaperTable):
    scores = paper_scores()
    for zoo in set(table.zoos) - NOT_IN_THE_PAPER:
        told = {embedder: set() for embedder in (*table.embedders, "self-supervised")}
        for of, task, embedder in scores:
            if of == zoo:
                told[embedder].add(task)
        expected = set(table.tasks) & set(tasks_of(zoo_spec(zoo))) or told["raw-weights"]
        assert len(expected) >= 3
        assert all(tasks == expected for tasks in told.values())


def test_every_embedder_of_the_paper_is_ours_or_yet_to_come():
    embedders = {embedder for _, _, embedder in paper_scores()}
    assert embedders - set(embedder_names()) <= {"self-supervised"}


def test_scores_are_shares():
    assert paper_scores()["tetris-seed", "eph", "raw-weights"].score == pytest.approx(0.554)
    assert all(-1 <= score.score <= 1 for score in paper_scores().values())
