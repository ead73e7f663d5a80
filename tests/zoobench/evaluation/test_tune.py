"""A search draws free settings, starts from the given embedder and never sees the test split."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from zoobench.cli.commands import app
from zoobench.embedders.embed import embed
from zoobench.embedders.find import find_embedder
from zoobench.evaluation.run import Evaluation
from zoobench.evaluation.tune import Trial, as_typed, held_out_scores, run_trial, tune
from zoobench.results.store import find_results, label
from zoogen import SPLITS, Zoo, ZooError

SHOWS_A_SHARE = """
from dataclasses import dataclass
import numpy as np
from zoobench import Choice, Uniform

@dataclass
class Share:
    shown: int = 1
    noise: float = 0.5
    name: str = "share"
    search_space = {"shown": Choice((1, 100)), "noise": Uniform(1e-3, 1.0, log=True)}

    def fit(self, train, validation, *, seed):
        return self

    def transform(self, weights):
        rows = np.asarray(weights)[:, : self.shown]
        return rows + self.noise * np.sin(1e4 * rows)

embedder = Share()
"""


@pytest.fixture
def embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ZOOBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "share.py").write_text(SHOWS_A_SHARE, encoding="utf-8")
    return str(tmp_path / "share.py")


def test_a_search_starts_with_the_given_embedder_and_ends_with_the_best(
    embedder: str, seed_zoo: Zoo
):
    evaluation = Evaluation(
        embedder=embedder, zoo=str(seed_zoo.folder), settings={}, tasks=("acc",)
    )
    trials = tune(evaluation, 5)
    assert len(trials) == 5
    assert [each.score for each in trials] == sorted((each.score for each in trials), reverse=True)
    assert {} in [each.settings for each in trials]
    assert len({each.settings.get("shown", "1") for each in trials}) == 2
    for each in trials:
        rows = embed(find_embedder(embedder, each.settings), seed_zoo, seed=0).splits
        assert [each.score] == pytest.approx(list(held_out_scores(rows, seed_zoo, evaluation)))
    assert tune(evaluation, 5) == trials


def test_given_settings_are_not_searched(
    embedder: str, seed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    searched: list[Any] = []

    def noted(_: Any, *found: Any) -> list[Trial]:
        searched.extend(found)
        return [Trial({}, 0.5)]

    monkeypatch.setattr("zoobench.evaluation.tune.run_trials", noted)
    tune(Evaluation(embedder=embedder, zoo=str(seed_zoo.folder), settings={"shown": "3"}), 2)
    space, first, *_ = searched
    assert list(space) == ["noise"]
    assert first == {"noise": 0.5}


def test_an_embedder_without_a_search_space_cannot_be_searched(seed_zoo: Zoo):
    evaluation = Evaluation(embedder="raw-weights", zoo=str(seed_zoo.folder), settings={})
    with pytest.raises(ZooError, match="search_space"):
        tune(evaluation, 2)


def test_no_label_of_the_test_split_is_read(seed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch):
    evaluation = Evaluation(embedder="weight-statistics", zoo="", settings={}, tasks=("acc", "eph"))
    rows = embed(find_embedder("weight-statistics"), seed_zoo, seed=0).splits
    before = list(held_out_scores(rows, seed_zoo, evaluation))
    part = type(seed_zoo).part

    def refuse_test(zoo: Zoo, split: Any) -> Any:
        assert split != "test"
        return part(zoo, split)

    monkeypatch.setattr(type(seed_zoo), "part", refuse_test)
    nonsense = {split: rows[split] if split != "test" else rows[split] * np.nan for split in SPLITS}
    assert list(held_out_scores(nonsense, seed_zoo, evaluation)) == before
    assert np.isfinite(before).all()


def test_settings_are_written_as_a_user_would_type_them():
    assert as_typed({"rate": 0.00123456, "dim": 50, "tokens": "none"}) == {
        "dim": "50",
        "rate": "0.00123",
        "tokens": "none",
    }


def test_a_task_that_does_not_vary_does_not_count(
    embedder: str, seed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    evaluation = Evaluation(
        embedder=embedder, zoo=str(seed_zoo.folder), settings={}, tasks=("acc",)
    )
    for scores, expected in ([0.5, np.nan, 0.7], 0.6), ([np.nan], -np.inf):
        monkeypatch.setattr(
            "zoobench.evaluation.tune.held_out_scores", lambda *_, found=scores: iter(found)
        )
        trial = run_trial({}, evaluation=evaluation, first={}, seed=0)
        assert trial.score == pytest.approx(expected)


def test_the_command_scores_the_settings_it_chose(embedder: str, seed_zoo: Zoo, tmp_path: Path):
    arguments = [
        "evaluate",
        embedder,
        "--zoo",
        str(seed_zoo.folder),
        "--task",
        "acc",
        "--tune",
        "4",
    ]
    done = CliRunner().invoke(app, [*arguments, "--no-references", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    ((_, result),) = find_results(tmp_path / "out")
    best = done.output.splitlines()[3].split(maxsplit=1)[1].strip()
    chosen = {} if best == "as asked for" else dict(pair.split("=") for pair in best.split(", "))
    assert result.embedder.name == label("share", chosen)


def test_a_failed_trial_comes_last_with_its_reason(
    embedder: str, seed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = SHOWS_A_SHARE.replace(
        "        return self\n",
        "        if self.shown == 100:\n"
        "            raise ZooError('no such luck')\n"
        "        return self\n",
    ).replace("from zoobench", "from zoogen import ZooError\nfrom zoobench", 1)
    (tmp_path / "broken.py").write_text(broken, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    evaluation = Evaluation(
        embedder="broken.py", zoo=str(seed_zoo.folder), settings={"noise": "0.1"}, tasks=("acc",)
    )
    best, *_, last = tune(evaluation, 5)
    assert best.reason == ""
    assert (last.settings, last.reason) == ({"shown": "100"}, "no such luck")
    only = Evaluation(
        embedder="broken.py", zoo=str(seed_zoo.folder), settings={"shown": "100"}, tasks=("acc",)
    )
    with pytest.raises(ZooError, match="no such luck"):
        tune(only, 1)
