"""A whole evaluation: what is scored, what is saved, and what is not done twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, r2_score

from baselines.weight_statistics import embedder as statistics
from zoobench.embedders.alone import EmbedderError
from zoobench.embedders.provenance import embedder_stamp
from zoobench.evaluation.evaluate import evaluate
from zoobench.probes import predict as predicting
from zoobench.probes.probe import PROBES
from zoobench.results.files import RESULT, read_predictions, read_result, read_squared_errors
from zoobench.results.record import Record
from zoobench.task.tasks import find_tasks
from zoogen import Weights, Zoo

STANDARD = PROBES["standard"]


def scored(zoo: Zoo, folder: Path, *ids: str, embedder: Any = statistics, **options: Any) -> Record:
    options = {"probe": STANDARD} | options
    return evaluate(embedder, zoo, find_tasks(zoo.spec, ids), folder=folder, **options)


@pytest.mark.parametrize("probe", PROBES.values(), ids=lambda probe: probe.name)
def test_every_score_follows_from_the_predictions(hyp_zoo: Zoo, tmp_path: Path, probe: Any):
    result = scored(hyp_zoo, tmp_path, probe=probe)
    test = hyp_zoo.test.properties.set_index(["model", "epoch"], drop=False)
    assert len(result.tasks) == 10
    for task in result.tasks:
        predicted = read_predictions(tmp_path, task).set_index(["model", "epoch"])
        truth = test.loc[predicted.index, task.target]
        metric = r2_score if task.metric == "r2" else accuracy_score
        assert task.scores[0] == pytest.approx(metric(truth, predicted["seed_0"]), abs=1e-6)
        assert len(predicted) == task.rows == len(test)


def test_the_result_on_disk_is_the_one_returned(seed_zoo: Zoo, tmp_path: Path):
    result = scored(seed_zoo, tmp_path, "eph", "acc")
    assert read_result(tmp_path) == result
    assert [task.task for task in result.tasks] == ["eph", "acc"]


def test_intervals_hold_the_score(hyp_zoo: Zoo, tmp_path: Path):
    for task in scored(hyp_zoo, tmp_path, "eph", "act").tasks:
        low, high = task.interval
        assert low is not None
        assert high is not None
        assert low <= task.scores[0] <= high


def test_finished_tasks_are_not_done_again(
    seed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = scored(seed_zoo, tmp_path, "eph", "acc")
    asked: list[list[str]] = []
    predict = predicting.predict

    def watched(embeddings: Any, tables: Any, batch: Any, probe: Any) -> Any:
        asked.append([task.id for task in batch])
        return predict(embeddings, tables, batch, probe)

    monkeypatch.setattr("zoobench.evaluation.evaluate.predict", watched)
    assert scored(seed_zoo, tmp_path, "eph", "acc") == first
    assert not asked
    more = scored(seed_zoo, tmp_path, "eph", "acc", "ggap")
    assert asked == [["ggap"]]
    assert [task.task for task in more.tasks] == ["eph", "acc", "ggap"]


def test_an_interrupted_evaluation_continues_at_the_next_task(
    hyp_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = scored(hyp_zoo, tmp_path / "whole", "eph", "act", "init")
    predict = predicting.predict

    def stops(embeddings: Any, tables: Any, batch: Any, probe: Any) -> Any:
        if batch[0].id == "init":
            raise KeyboardInterrupt
        return predict(embeddings, tables, batch, probe)

    with monkeypatch.context() as patch:
        patch.setattr("zoobench.evaluation.evaluate.predict", stops)
        with pytest.raises(KeyboardInterrupt):
            scored(hyp_zoo, tmp_path / "cut", "eph", "act", "init")
    assert [task.task for task in read_result(tmp_path / "cut").tasks] == ["eph", "act"]
    resumed = scored(hyp_zoo, tmp_path / "cut", "eph", "act", "init")
    assert [task.scores for task in resumed.tasks] == [task.scores for task in whole.tasks]


@pytest.mark.parametrize(
    "change", [{"probe": PROBES["paper"]}, {"seeds": (0, 1)}], ids=["probe", "seeds"]
)
def test_a_result_of_another_evaluation_is_replaced(
    seed_zoo: Zoo, tmp_path: Path, change: dict[str, Any]
):
    scored(seed_zoo, tmp_path, "eph")
    assert [task.task for task in scored(seed_zoo, tmp_path, "acc", **change).tasks] == ["acc"]


def test_a_task_with_altered_predictions_is_scored_again(seed_zoo: Zoo, tmp_path: Path):
    first = scored(seed_zoo, tmp_path, "eph")
    pd.DataFrame({"model": [0]}).to_parquet(tmp_path / "eph.parquet")
    assert scored(seed_zoo, tmp_path, "eph").tasks[0].scores == first.tasks[0].scores
    read_predictions(tmp_path, read_result(tmp_path).tasks[0])


class Decodes:
    """Embeds as the weights themselves and decodes them without loss."""

    name = "decodes"

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Decodes":
        return self

    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights)

    def reconstruct(self, embeddings: np.ndarray) -> Any:
        return embeddings


def test_lost_errors_of_a_reconstruction_are_made_again(seed_zoo: Zoo, tmp_path: Path):
    first = scored(seed_zoo, tmp_path, "eph", embedder=Decodes())
    assert first.reconstruction is not None
    assert first.reconstruction.scores == (1.0,)
    assert first.reconstruction.interval == (1.0, 1.0)
    (tmp_path / "rec.parquet").unlink()
    again = scored(seed_zoo, tmp_path, "eph", embedder=Decodes())
    assert again.reconstruction == first.reconstruction
    assert len(read_squared_errors(tmp_path, first.reconstruction)) == first.tasks[0].rows
    assert read_result(tmp_path) == again


def test_a_new_commit_or_name_of_the_same_code_is_recorded_without_a_new_run(
    seed_zoo: Zoo, tmp_path: Path
):
    stamp = replace(embedder_stamp(statistics, reference="mine.py"), commit=None, dirty=True)
    first = scored(seed_zoo, tmp_path, "eph", stamp=stamp)
    clean = replace(stamp, commit="c0ffee" * 7, dirty=False, reference="weight-statistics")
    assert scored(seed_zoo, tmp_path, "eph", stamp=clean) == replace(first, embedder=clean)
    assert read_result(tmp_path) == replace(first, embedder=clean)
    scored(seed_zoo, tmp_path, "eph")  # from Python, without a typed name
    assert read_result(tmp_path).embedder.reference == "weight-statistics"


def test_a_damaged_result_is_replaced(seed_zoo: Zoo, tmp_path: Path):
    scored(seed_zoo, tmp_path, "eph")
    (tmp_path / RESULT).write_text("{")
    assert scored(seed_zoo, tmp_path, "eph") == read_result(tmp_path)


def test_seeds_are_scored_one_by_one(seed_zoo: Zoo, tmp_path: Path):
    class Projection:
        name = "projection"

        def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Projection":
            self.axes = np.random.default_rng(seed).normal(size=(train.layout.params, 3))
            return self

        def transform(self, weights: Weights) -> np.ndarray:
            return np.asarray(weights) @ self.axes

    task = scored(seed_zoo, tmp_path, "eph", embedder=Projection(), seeds=(0, 1, 2)).tasks[0]
    assert len(set(task.scores)) == 3
    assert list(read_predictions(tmp_path, task))[2:] == ["seed_0", "seed_1", "seed_2"]


def test_an_embedder_that_knows_the_row_order_gains_nothing(seed_zoo: Zoo, tmp_path: Path):
    class Memory:
        """Remembers the place of each row, which would tell epochs in the stored order."""

        name = "memory"

        def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Memory":
            self.place = {row.tobytes(): float(at) for at, row in enumerate(np.asarray(train))}
            return self

        def transform(self, weights: Weights) -> np.ndarray:
            found = [self.place.get(row.tobytes(), 0.0) for row in np.asarray(weights)]
            epochs = np.array(found)[:, None]
            return np.concatenate([epochs, epochs % 3], axis=1) + 1e-9 * np.asarray(weights)[:, :1]

    task = scored(seed_zoo, tmp_path, "eph", embedder=Memory()).tasks[0]
    assert task.scores[0] is not None
    assert task.scores[0] < 0.2


def test_scaling_an_embedding_leaves_the_standard_scores_unchanged(hyp_zoo: Zoo, tmp_path: Path):
    class Scaled:
        name = "scaled"

        def __init__(self, scale: float) -> None:
            self.scale = scale
            self.settings = {"scale": scale}

        def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Scaled":
            return self

        def transform(self, weights: Weights) -> np.ndarray:
            return statistics.transform(weights).astype(np.float64) * self.scale

    plain, scaled = (
        scored(hyp_zoo, tmp_path / str(scale), embedder=Scaled(scale)) for scale in (1.0, 1e4)
    )
    for one, other in zip(plain.tasks, scaled.tasks, strict=True):
        assert one.scores[0] == pytest.approx(other.scores[0], abs=2e-3)


def test_a_missing_target_leaves_out_only_its_rows(
    seed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gaps = seed_zoo.properties.copy()
    gaps.loc[::4, "test_accuracy"] = np.nan
    monkeypatch.setitem(vars(seed_zoo), "properties", gaps)
    eph, acc = scored(seed_zoo, tmp_path, "eph", "acc").tasks
    assert eph.rows == len(seed_zoo.test.weights)
    assert acc.rows == int(seed_zoo.test.properties["test_accuracy"].notna().sum()) < eph.rows


def test_a_broken_embedder_leaves_no_result(seed_zoo: Zoo, tmp_path: Path):
    class Broken:
        name = "broken"

        def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Broken":
            return self

        def transform(self, weights: Weights) -> np.ndarray:
            return np.full((len(weights), 2), np.nan)

    with pytest.raises(EmbedderError):
        scored(seed_zoo, tmp_path / "result", embedder=Broken())
    assert not (tmp_path / "result").exists()
