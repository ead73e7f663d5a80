"""The transcription of the paper's scores across zoos."""

import csv
from importlib.resources import files

from baselines.paper.tables_elsewhere import TABLES_ELSEWHERE
from zoobench.embedders.find import find_embedder
from zoobench.results.paper import paper_scores_elsewhere
from zoobench.task.tasks import tasks_of
from zoogen import ZOOS


def test_all_scores_that_the_paper_prints_across_zoos_are_there():
    scores = paper_scores_elsewhere()
    text = files("zoobench.results").joinpath("paper_elsewhere.csv").read_text(encoding="utf-8")
    assert len(scores) == len(list(csv.DictReader(text.splitlines()))) == 138
    for table, trained_on, tested_on, task, embedder in scores:
        described = TABLES_ELSEWHERE[table]
        assert trained_on in described.trained_on
        assert tested_on in described.tested_on
        assert task in described.columns
        assert embedder in {row.title for row in described.rows}
    assert scores["table7", "fashion-hyp", "fashion-hyp", "ggap_tau", "raw-weights"].score == 0.54


def test_every_table_across_zoos_names_zoos_of_one_network_and_embedders_that_exist():
    for table in TABLES_ELSEWHERE.values():
        networks = {ZOOS[name].network.layout for name in (*table.trained_on, *table.tested_on)}
        assert len(networks) == 1
        for row in table.rows:
            find_embedder(row.embedder, row.settings)
        for name in table.trained_on:
            assert table.task in tasks_of(ZOOS[name])
