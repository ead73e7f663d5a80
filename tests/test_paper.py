"""The transcription of the paper's numbers."""

import pytest

from zoobench.find import embedder_names
from zoobench.paper import paper_scores
from zoobench.tasks import tasks_of
from zoogen import zoo_spec


def test_every_number_belongs_to_a_task_of_ours():
    for zoo, task, _ in paper_scores():
        assert task in tasks_of(zoo_spec(zoo))


def test_every_embedder_of_the_paper_has_a_full_row():
    embedders = {embedder for _, _, embedder in paper_scores()}
    assert embedders - set(embedder_names()) <= {"self-supervised"}
    for zoo in ("tetris-seed", "tetris-hyp"):
        rows = {embedder: set() for embedder in embedders}
        for of, task, embedder in paper_scores():
            if of == zoo:
                rows[embedder].add(task)
        assert len({frozenset(tasks) for tasks in rows.values()}) == 1


def test_scores_are_shares():
    assert paper_scores()["tetris-seed", "eph", "raw-weights"].score == pytest.approx(0.554)
    assert all(-1 <= score.score <= 1 for score in paper_scores().values())
