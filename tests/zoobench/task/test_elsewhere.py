"""Out of distribution: learn on one zoo, score on another."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import r2_score
from typer.testing import CliRunner

from baselines.paper.table_types import Row
from baselines.paper.tables import plain
from baselines.paper.tables_elsewhere import TABLES_ELSEWHERE
from baselines.weight_statistics import embedder as statistics
from zoobench.cli.commands import app
from zoobench.embedders.alone import EmbedderError
from zoobench.embedders.find import find_embedder
from zoobench.evaluation.evaluate import evaluate
from zoobench.probes.probe import PROBES
from zoobench.report.text import MISSING, percent
from zoobench.results.files import read_predictions, read_result
from zoobench.results.paper import PaperScore, paper_scores_elsewhere
from zoobench.results.record import Record
from zoobench.task.elsewhere import TAU, shared_regressions, tasks_elsewhere
from zoobench.task.metrics import kendall_tau_ceiling
from zoobench.task.pair import ELSEWHERE, ZooPair, elsewhere_at_hand, shared_starts
from zoobench.task.tasks import tasks_of
from zoogen import ZOOS, UnknownNameError, Weights, Zoo, ZooError

PNG_SIGNATURE = b"\x89PNG"


@pytest.fixture
def pair(seed_zoo: Zoo, hyp_zoo: Zoo) -> ZooPair:
    return ZooPair(seed_zoo, hyp_zoo)


def scored(pair: ZooPair, folder: Path, *ids: str, embedder: Any = statistics) -> Record:
    tasks = tasks_elsewhere(pair, ids)
    return evaluate(embedder, pair, tasks, probe=PROBES["standard"], folder=folder)


@pytest.fixture
def both_built(
    seed_zoo: Zoo, hyp_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A cache with small zoos under the names of the registered ones."""
    for zoo in (seed_zoo, hyp_zoo):
        copytree(zoo.folder, tmp_path / "cache" / zoo.spec.name)
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path


class Watching:
    """Records what it is handed."""

    name = "watching"

    def __init__(self) -> None:
        self.fitted: list[np.ndarray] = []
        self.embedded: list[np.ndarray] = []

    def __deepcopy__(self, memo: object) -> "Watching":
        return self

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Watching":
        self.fitted += [np.asarray(train), np.asarray(validation)]
        return self

    def transform(self, weights: Weights) -> np.ndarray:
        self.embedded.append(np.asarray(weights))
        return np.asarray(weights)


def as_set(rows: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in rows}


def test_every_pair_is_of_registered_zoos_with_one_network():
    for name, others in ELSEWHERE.items():
        for other in others:
            assert ZOOS[name].network.layout == ZOOS[other].network.layout
            assert {"eph", "acc", "ggap"} <= set(shared_regressions(ZOOS[name], ZOOS[other]))


def test_scores_are_those_of_the_predictions_on_the_other_zoo(pair: ZooPair, tmp_path: Path):
    result = scored(pair, tmp_path)
    test = pair.tested_on.test.properties.set_index(["model", "epoch"], drop=False)
    assert len(result.tasks) == 2 * 7
    for task in result.tasks:
        predicted = read_predictions(tmp_path, task).set_index(["model", "epoch"])["seed_0"]
        truth = test.loc[predicted.index, task.target]
        assert len(predicted) == len(test)
        if task.task.endswith(TAU):
            expected = kendalltau(truth, predicted).statistic
            assert task.ceiling == pytest.approx(kendall_tau_ceiling(truth.to_numpy(np.float64)))
        else:
            expected = r2_score(truth, predicted.astype(np.float64))
            assert task.ceiling is None
        assert task.scores[0] == pytest.approx(expected, abs=1e-6, rel=1e-6)


def test_predictions_are_those_of_a_fit_on_the_first_zoo_by_hand(pair: ZooPair, tmp_path: Path):
    result = scored(pair, tmp_path, "acc")
    embed = find_embedder("weight-statistics").fit(
        pair.trained_on.train.weights, pair.trained_on.validation.weights, seed=0
    )
    parts = {split: pair.trained_on.part(split) for split in ("train", "validation")}
    shown = {split: embed.transform(part.weights) for split, part in parts.items()}
    columns = {
        split: part.properties[["test_accuracy"]].to_numpy(np.float64)
        for split, part in parts.items()
    }
    fit = PROBES["standard"].regress(
        shown["train"], columns["train"], shown["validation"], columns["validation"]
    )
    expected = fit.map(embed.transform(pair.tested_on.test.weights))[:, 0]
    predicted = read_predictions(tmp_path, result.by_task["acc"])["seed_0"]
    np.testing.assert_allclose(predicted, expected, rtol=1e-3, atol=1e-4)


def test_an_embedder_fits_on_one_zoo_and_sees_the_test_split_of_the_other(
    pair: ZooPair, tmp_path: Path
):
    watching = Watching()
    scored(pair, tmp_path, "eph", embedder=watching)
    ours, theirs = pair.trained_on, pair.tested_on
    train, validation = watching.fitted
    assert as_set(train) == as_set(np.asarray(ours.train.weights))
    assert as_set(validation) == as_set(np.asarray(ours.validation.weights))
    shown = set().union(*(as_set(rows) for rows in watching.embedded[:3]))
    assert shown & as_set(np.asarray(theirs.weights)) == as_set(np.asarray(theirs.test.weights))
    assert not shown & as_set(np.asarray(ours.test.weights))


@pytest.mark.parametrize("which", ["trained_on", "tested_on"])
def test_neither_zoo_can_be_opened_by_an_embedder(pair: ZooPair, tmp_path: Path, which: str):
    table = getattr(pair, which).folder / "snapshots.parquet"

    class Reading(Watching):
        def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Reading":
            table.read_bytes()
            return self

    with pytest.raises(EmbedderError, match=r"snapshots\.parquet"):
        scored(pair, tmp_path, "eph", embedder=Reading())


def test_a_zoo_paired_with_itself_is_scored_as_usual(seed_zoo: Zoo, tmp_path: Path):
    paired = scored(ZooPair(seed_zoo, seed_zoo), tmp_path / "pair", "acc").by_task["acc"]
    alone = evaluate(
        statistics,
        seed_zoo,
        [tasks_of(seed_zoo.spec)["acc"]],
        probe=PROBES["standard"],
        folder=tmp_path / "alone",
    ).by_task["acc"]
    assert (paired.scores, paired.interval) == (alone.scores, alone.interval)


def test_a_result_names_the_zoo_it_was_tested_on(pair: ZooPair, tmp_path: Path):
    result = scored(pair, tmp_path, "acc")
    assert read_result(tmp_path) == result
    assert result.zoos == "tetris-seed-to-tetris-hyp"
    assert result.tested_on is not None
    assert result.tested_on.content_sha256 == pair.tested_on.manifest.content_sha256
    assert replace(result, tested_on=None).identity != result.identity


def test_zoos_of_different_networks_make_no_pair(seed_zoo: Zoo, cnn_zoo: Zoo):
    with pytest.raises(
        ZooError, match=r"100 weights.*different layouts: only one has fc1\.weight \(5, 16\)"
    ):
        ZooPair(seed_zoo, cnn_zoo)


def test_only_regressions_of_both_zoos_are_scored(seed_zoo: Zoo, hyp_zoo: Zoo):
    there = ZooPair(hyp_zoo, seed_zoo)
    assert {task.target for task in tasks_elsewhere(there)} == {
        task.target for task in tasks_of(seed_zoo.spec).values()
    }
    assert [task.id for task in tasks_elsewhere(there, ["act", "acc"])] == ["acc_tau", "acc"]
    told = r"act is a regression on both tetris-hyp and tetris-seed; expected one of"
    with pytest.raises(ZooError, match=told):
        tasks_elsewhere(there, ["act"])
    with pytest.raises(UnknownNameError, match="acc"):
        tasks_elsewhere(there, ["accuracy"])


def test_zoos_that_are_not_built_are_named_with_their_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path))
    with pytest.raises(ZooError, match=r"zoogen build fashion-seed, zoogen build svhn-seed"):
        elsewhere_at_hand("mnist-seed")
    with pytest.raises(ZooError, match=r"no zoo is registered to test tetris-hyp on.*ZooPair"):
        elsewhere_at_hand("tetris-hyp")
    (tmp_path / "svhn-seed").mkdir()
    (tmp_path / "svhn-seed" / "zoo.json").touch()
    assert elsewhere_at_hand("mnist-seed") == ["svhn-seed"]
    assert "zoogen build fashion-seed" in caplog.text


def test_the_command_prints_order_ceiling_and_references_within_80_columns(
    both_built: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(both_built)
    runner = CliRunner()
    done = runner.invoke(app, ["evaluate", "raw-weights", "--ood"])
    assert done.exit_code == 0, done.output
    printed = done.stdout[done.stdout.index("tested on tetris-hyp") :]
    for word in ("τ-b", "ceil-", "R²", "s(W)", "hyper-", "test models start where"):
        assert word in printed
    names = [line.split()[0] for line in printed.splitlines() if line.strip()]
    assert [name for name in names if name in tasks_of(ZOOS["tetris-seed"])] == [
        *tasks_of(ZOOS["tetris-seed"])
    ]
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "kept in results/raw-weights/tetris-seed-to-tetris-hyp/standard" in printed
    shown = runner.invoke(app, ["show", "raw-weights"])
    assert "tested on tetris-hyp" in shown.stdout
    assert "ceil-" in shown.stdout


def test_a_figure_holds_both_metrics_and_is_drawn(
    both_built: Path, monkeypatch: pytest.MonkeyPatch
):
    small = replace(
        TABLES_ELSEWHERE["fig11"],
        trained_on=("tetris-seed",),
        tested_on=("tetris-seed", "tetris-hyp", "mnist-hyp"),
        rows=(*plain("raw-weights"), Row("self-supervised", "random-projection")),
    )
    told = ("fig11", "tetris-seed", "tetris-hyp", "acc_tau", "raw-weights")
    monkeypatch.setitem(paper_scores_elsewhere(), told, PaperScore(0.123, sure=False))
    monkeypatch.setitem(TABLES_ELSEWHERE, "fig11", small)
    monkeypatch.chdir(both_built)
    done = CliRunner().invoke(app, ["reproduce", "fig11", "--write", "pages/fig11.md"])
    assert done.exit_code == 0, done.output
    text = (both_built / "pages" / "fig11.md").read_text(encoding="utf-8")
    assert text in done.stdout
    assert "| τ-b of acc | | tetris-seed | tetris-hyp |" in text
    assert "| R² of acc | | tetris-seed | tetris-hyp |" in text
    assert text.count("| ceiling |") == 1
    assert "|  | paper | – | 12.3? |" in text
    assert text.count("| self-supervised − raw-weights | ours |") == 2
    raw, learned = (
        [
            percent(read_result(folder / name / "paper").by_task["acc_tau"].mean)
            for name in ("tetris-seed-to-tetris-seed", "tetris-seed-to-tetris-hyp")
        ]
        for folder in (both_built / "results" / row.embedder for row in small.rows)
    )
    assert f"| raw-weights | ours | {' | '.join(raw)} |" in text
    assert f"| self-supervised | ours | {' | '.join(learned)} |" in text
    assert "mnist-hyp: Not built here; run: `zoogen build mnist-hyp`" in text
    assert "**Partial zoo**" in text
    assert (both_built / "pages" / "fig11.png").read_bytes().startswith(PNG_SIGNATURE)


def test_test_models_with_a_start_learned_from_are_counted(seed_zoo: Zoo, hyp_zoo: Zoo):
    all_tested = Zoo(hyp_zoo.folder, hyp_zoo.manifest, hyp_zoo.weights)
    all_tested.__dict__["properties"] = hyp_zoo.properties.assign(split="test")
    pair = ZooPair(seed_zoo, all_tested)
    learned = pair.trained_on.properties.query("split != 'test'")
    starts = set(zip(learned["initialiser"], learned["seed"], strict=True))
    tested = pair.test.properties.drop_duplicates("model")
    expected = sum(
        start in starts for start in zip(tested["initialiser"], tested["seed"], strict=True)
    )
    assert 0 < shared_starts(pair) == expected < len(tested)
    assert shared_starts(ZooPair(seed_zoo, seed_zoo)) == 0


def test_an_interrupted_result_is_shown_as_far_as_it_goes(
    pair: ZooPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    half = tasks_elsewhere(pair, ["acc"])[:1]
    folder = tmp_path / "results" / "weight-statistics" / pair.name / "standard"
    evaluate(statistics, pair, half, probe=PROBES["standard"], folder=folder)
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["show", "weight-statistics"])
    assert shown.exit_code == 0, shown.output
    (row,) = (line for line in shown.stdout.splitlines() if line.strip().startswith("acc"))
    assert row.split()[-1] == MISSING


def test_a_task_that_cannot_be_scored_elsewhere_is_refused_before_learning(
    both_built: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(both_built)
    monkeypatch.setitem(ELSEWHERE, "tetris-hyp", ("tetris-seed",))
    asked = ["evaluate", "raw-weights", "--zoo", "tetris-hyp", "--task", "act", "--ood"]
    done = CliRunner().invoke(app, asked)
    assert isinstance(done.exception, ZooError)
    assert "no task among act is a regression on both" in str(done.exception)
    assert not (both_built / "results").exists()
