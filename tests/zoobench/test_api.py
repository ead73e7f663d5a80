"""The Python API: one call turns an embedder into a result."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import zoobench
from zoobench import EmbedderError, Result, ZooPair
from zoobench.results.files import read_result
from zoogen import UnknownNameError, Weights, Zoo, ZooError

TASKS = ["eph", "acc", "ggap_running"]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="session")
def statistics(hyp_zoo: Zoo, kept: Path) -> Result:
    return zoobench.evaluate("weight-statistics", hyp_zoo, tasks=TASKS, root=kept)


@pytest.fixture(scope="session")
def raw(hyp_zoo: Zoo, kept: Path) -> Result:
    return zoobench.evaluate("raw-weights", hyp_zoo, tasks=TASKS, root=kept)


class Means:
    """The smallest possible embedder."""

    name = "means"

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Means":
        return self

    def transform(self, weights: Weights) -> np.ndarray:
        return np.asarray(weights).mean(axis=1, keepdims=True)


@pytest.mark.parametrize(
    "embedder",
    [Means(), Means, PCA(n_components=3), make_pipeline(StandardScaler(), PCA(3)), "raw-weights"],
    ids=["object", "class", "estimator", "pipeline", "name"],
)
def test_every_kind_of_embedder_is_scored(embedder: object, seed_zoo: Zoo, tmp_path: Path):
    result = zoobench.evaluate(embedder, seed_zoo, tasks=["acc"], references=False, root=tmp_path)
    assert list(result.scores.index) == ["acc"]
    assert read_result(result.folder) == result.record


def test_a_zoo_may_be_loaded_or_a_folder(seed_zoo: Zoo, tmp_path: Path):
    found = [
        zoobench.evaluate(Means(), zoo, tasks=["acc"], references=False, root=tmp_path / str(place))
        for place, zoo in enumerate([seed_zoo, seed_zoo.folder, str(seed_zoo.folder)])
    ]
    assert len({result.record.tasks[0].scores for result in found}) == 1


def test_settings_are_values_and_part_of_the_name(seed_zoo: Zoo, tmp_path: Path):
    result = zoobench.evaluate(
        "pca-linear", seed_zoo, tasks=["acc"], settings={"dim": 2}, references=False, root=tmp_path
    )
    assert result.record.embedding_dim == 2
    assert result.record.embedder.name == "pca-linear,dim=2"


def test_scores_are_those_of_the_record_beside_the_reference_rows(statistics: Result, raw: Result):
    scores = raw.scores
    assert list(scores.columns) == [
        *("metric", "score", "low", "high", "chance", "hyper-parameters", "s(W)", "paper")
    ]
    for task in TASKS:
        assert scores.loc[task, "score"] == raw.record.by_task[task].mean
        assert scores.loc[task, "s(W)"] == statistics.scores.loc[task, "score"]
        assert scores.loc[task, "low"] <= scores.loc[task, "score"] <= scores.loc[task, "high"]


@pytest.mark.parametrize("task", TASKS)
def test_the_score_follows_from_the_predictions(raw: Result, task: str):
    predicted = raw.predictions(task)
    assert list(predicted.columns) == ["model", "epoch", "true", "seed_0"]
    assert r2_score(predicted["true"], predicted["seed_0"]) == pytest.approx(
        raw.scores.loc[task, "score"], abs=1e-6
    )


def test_a_comparison_is_the_difference_of_scores_with_its_interval(
    statistics: Result, raw: Result
):
    found = statistics.compare(raw)
    assert list(found.index) == TASKS
    difference = statistics.scores["score"] - raw.scores["score"]
    pd.testing.assert_series_equal(found["difference"], difference, check_names=False)
    assert ((found["low"] <= found["difference"]) & (found["difference"] <= found["high"])).all()


def test_results_of_different_zoos_or_folders_are_not_compared(
    statistics: Result, seed_zoo: Zoo, hyp_zoo: Zoo, tmp_path: Path
):
    other = zoobench.evaluate(Means(), seed_zoo, tasks=["acc"], references=False, root=tmp_path)
    with pytest.raises(ZooError, match="tetris-seed cannot be compared with one on tetris-hyp"):
        statistics.compare(other)
    elsewhere = zoobench.evaluate(Means(), hyp_zoo, tasks=["acc"], references=False, root=tmp_path)
    with pytest.raises(ZooError, match="keep both in one folder"):
        statistics.compare(elsewhere)


def test_a_task_that_was_not_scored_has_no_predictions(raw: Result):
    with pytest.raises(UnknownNameError, match="scored task of tetris-hyp called 'lr'"):
        raw.predictions("lr")


def test_every_form_of_the_table_holds_the_same_scores(raw: Result):
    table = raw.table
    for row in table.rows:
        assert " | ".join(row) in raw.to_markdown()
        assert all(f"<td>{text}</td>" in raw._repr_html_() for text in row)
        assert row[0].replace("R²", "R$^2$").replace("_", r"\_") in raw.to_latex()
    printed = repr(raw)
    assert all(len(line) <= 80 for line in printed.splitlines())
    for task in TASKS:
        assert f"{100 * raw.scores.loc[task, 'score']:.1f}" in printed


def test_no_name_becomes_markup_in_a_table_of_html(seed_zoo: Zoo, tmp_path: Path):
    class Named(Means):
        name = "<b>x"

    named = Named()
    named.__class__.__module__ = Means.__module__
    result = zoobench.evaluate(named, seed_zoo, tasks=["acc"], references=False, root=tmp_path)
    assert "<b>" not in result._repr_html_()


def test_what_is_learned_on_one_zoo_is_tested_on_another(
    seed_zoo: Zoo, hyp_zoo: Zoo, tmp_path: Path
):
    pair = ZooPair(seed_zoo, hyp_zoo)
    result = zoobench.evaluate(Means(), pair, tasks=["acc"], references=False, root=tmp_path)
    assert list(result.scores.index) == ["acc_tau", "acc"]
    assert "τ-b" in repr(result)
    assert len(result.predictions("acc")) == len(hyp_zoo.test.properties)


def test_a_wrong_name_is_reported_before_anything_is_done(tmp_path: Path):
    for wrong, message in (
        ({"embedder": "pca-liner"}, "pca-linear"),
        ({"zoo": "tetris-sed"}, "tetris-seed"),
        ({"tasks": ["accc"]}, "acc"),
        ({"probe": "standart"}, "standard"),
    ):
        with pytest.raises(UnknownNameError, match=message):
            zoobench.evaluate(**{"embedder": "raw-weights", "root": tmp_path} | wrong)
    with pytest.raises(ZooError, match="without fit and transform"):
        zoobench.evaluate(3, root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_embedder_that_breaks_the_protocol_is_refused(seed_zoo: Zoo, tmp_path: Path):
    class Constant(Means):
        def transform(self, weights: Weights) -> np.ndarray:
            return np.ones((len(weights), 1))

    with pytest.raises(EmbedderError):
        zoobench.evaluate(Constant(), seed_zoo, references=False, root=tmp_path)


def test_tasks_are_those_of_the_zoo(seed_zoo: Zoo):
    assert list(zoobench.tasks("tetris-seed")) == list(zoobench.tasks(seed_zoo))
    assert {"act", "init"} <= set(zoobench.tasks("tetris-hyp"))


def test_part_of_a_zoo_is_not_scored(seed_zoo: Zoo, tmp_path: Path):
    with pytest.raises(ZooError, match="loaded in part"):
        zoobench.evaluate("raw-weights", seed_zoo.where("epoch > 1"), root=tmp_path)
