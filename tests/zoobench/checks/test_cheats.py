"""Cheats are caught or gain nothing, apart from those that the docs admit."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cheats import (
    BatchStatistics,
    CarriesLabels,
    CarriesNearLabels,
    EpochOrder,
    Honest,
    KeepsStatistics,
    LearnsPlaces,
    LooksAround,
    LooksAtThreads,
    LooksEverywhere,
    LooksUp,
    LooksWhenCopied,
    MemorisesTraining,
    ReadsAndHushes,
    ReadsFiles,
    ReadsNatively,
    RemembersNearPlaces,
    RemembersPlaces,
    RowOrder,
    read_natively,
    read_with_pandas,
)
from tests.zoobench.cli.test_commands import zoobench
from zoobench.checks.check import check
from zoobench.checks.tiny import tiny_zoo
from zoobench.embedders.alone import WATCHES, EmbedderError
from zoobench.embedders.embed import embed
from zoobench.evaluation.evaluate import evaluate
from zoobench.probes.predict import predict
from zoobench.probes.probe import PROBES
from zoobench.task.tasks import find_tasks
from zoogen import SPLITS, Weights, Zoo

CAUGHT = {
    RowOrder: "another batch or order",
    EpochOrder: "another batch or order",
    RemembersPlaces: "last bit of each weight",
    BatchStatistics: "another batch or order",
    LooksEverywhere: "gc.get_objects",
    LooksAround: "sys._current_frames",
}
FAILS_THE_CHECK = {
    RowOrder: "order",
    EpochOrder: "order",
    RemembersPlaces: "batch",
    RemembersNearPlaces: "batch",
    BatchStatistics: "batch",
    KeepsStatistics: "batch",
    MemorisesTraining: "recognition",
    ReadsNatively: "labels",
    LooksEverywhere: "rules",
}


def score(zoo: Zoo, embeddings: Any) -> float:
    """Return the R² of the epoch on the test split."""
    tables = {split: zoo.part(split).properties for split in SPLITS}
    (guess,) = predict([embeddings], tables, find_tasks(zoo.spec, ["eph"]), PROBES["standard"])
    truth = zoo.test.properties["epoch"].to_numpy()
    return 1 - float(
        np.square(guess.values[0] - truth).sum() / np.square(truth - truth.mean()).sum()
    )


def gain(zoo: Zoo, cheat: Any) -> float:
    """Return how much a cheat scores above the honest embedder."""
    honest, cheated = (embed(each, zoo, seed=0).splits for each in (Honest(), cheat))
    return score(zoo, cheated) - score(zoo, honest)


@pytest.fixture(scope="module")
def small() -> Zoo:
    return tiny_zoo("mlp")


@pytest.mark.parametrize("cheat", CAUGHT, ids=lambda cheat: cheat.__name__)
def test_an_evaluation_refuses_the_cheat(cheat: type[Honest], seed_zoo: Zoo):
    with pytest.raises(EmbedderError, match=CAUGHT[cheat]):
        embed(cheat(), seed_zoo, seed=0)
    assert not WATCHES


@pytest.mark.parametrize("cheat", FAILS_THE_CHECK, ids=lambda cheat: cheat.__name__)
def test_the_cheat_fails_the_check(cheat: type[Honest], small: Zoo):
    failed = {each.subject: each for each in check(cheat(), small) if each.verdict == "FAILED"}
    assert FAILS_THE_CHECK[cheat] in failed, failed


def test_an_honest_embedder_passes_the_check(small: Zoo):
    assert {each.verdict for each in check(Honest(), small)} == {"ok", "note"}


@pytest.mark.parametrize("cheat", [RemembersNearPlaces, MemorisesTraining])
def test_remembering_gains_nothing(cheat: type[Honest], seed_zoo: Zoo):
    assert gain(seed_zoo, cheat()) < 0.1


def test_places_teach_epochs_in_stored_order_and_nothing_in_the_order_shown(seed_zoo: Zoo):
    values = np.asarray(seed_zoo.weights)
    values[:, 7] += seed_zoo.properties["epoch"]  # easy to learn for a cheat that knows the epoch
    zoo = replace(seed_zoo, weights=Weights([values], seed_zoo.layout))
    parts = [zoo.part(split).weights for split in SPLITS]
    stored = LearnsPlaces().fit(*parts[:2], seed=0)
    told = dict(zip(SPLITS, map(stored.transform, parts), strict=True))
    assert score(zoo, told) > 0.8
    assert score(zoo, embed(LearnsPlaces(), zoo, seed=0).splits) < 0.3


@pytest.mark.parametrize("cheat", [ReadsFiles, ReadsAndHushes])
@pytest.mark.parametrize("read", [read_with_pandas, read_natively])
def test_opening_the_files_of_the_zoo_is_caught(cheat: Any, read: Any, seed_zoo: Zoo):
    with pytest.raises(EmbedderError, match=r"opened .*zoo"):
        embed(cheat(seed_zoo.folder, read), seed_zoo, seed=0)


@pytest.mark.parametrize("cheat", [LooksUp, LooksAtThreads, LooksWhenCopied])
def test_no_frame_or_thread_has_the_labels(
    cheat: type[LooksUp], seed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cheat, "found", ())
    assert seed_zoo.properties is not None
    tasks = find_tasks(seed_zoo.spec, ["eph"])
    evaluate(cheat(), seed_zoo, tasks, probe=PROBES["standard"], folder=tmp_path)
    assert cheat.found == ()
    zoo = seed_zoo
    cheat().transform(zoo.test.weights)
    assert cheat is LooksAtThreads or "zoo" in cheat.found  # it finds what is on its own stack


LOOKS_WHEN_ASKED = """
import atexit
from pathlib import Path
from tests.cheats import LooksWhenAsked as Cheat

embedder = Cheat()
atexit.register(lambda: Path("found").write_text(f"{Cheat.asked} {Cheat.found}"))
"""


def test_name_and_settings_are_read_where_no_frame_has_the_labels(
    seed_zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Run in a process of its own, because type checks here read the name as well."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]), prepend=os.pathsep)
    (tmp_path / "cheat.py").write_text(LOOKS_WHEN_ASKED)
    options = ("--zoo", str(seed_zoo.folder), "--task", "eph", "--no-references")
    done = zoobench("evaluate", "cheat.py", *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    asked, found = (tmp_path / "found").read_text().split(maxsplit=1)
    assert int(asked) > 3
    assert found == "()"


def test_published_weights_known_by_hash_are_caught(seed_zoo: Zoo):
    rows, labels = np.asarray(seed_zoo.weights), seed_zoo.properties["epoch"].to_numpy()
    with pytest.raises(EmbedderError, match="recognise"):
        embed(CarriesLabels(rows, labels), seed_zoo, seed=0)


def test_published_weights_known_by_their_neighbourhood_gain_on_them_and_on_no_others(
    seed_zoo: Zoo, hyp_zoo: Zoo
):
    rows, labels = np.asarray(seed_zoo.weights), seed_zoo.properties["epoch"].to_numpy()
    cheat = CarriesNearLabels(rows, labels)
    assert score(seed_zoo, embed(cheat, seed_zoo, seed=0).splits) > 0.99
    assert score(hyp_zoo, embed(cheat, hyp_zoo, seed=0).splits) < 0.2


def test_a_native_reader_that_knows_the_path_is_not_seen_by_an_evaluation(
    seed_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
):
    """The docs admit this; they must change when it is refused."""
    table = read_natively(seed_zoo.folder)
    rows = np.asarray(seed_zoo.weights)
    assert len(rows) == len(table)

    class Native(CarriesNearLabels):
        def transform(self, weights: Any) -> Any:
            self.labels = read_natively(seed_zoo.folder)["epoch"].to_numpy()
            return super().transform(weights)

    assert (
        score(seed_zoo, embed(Native(rows, table["epoch"].to_numpy()), seed_zoo, seed=0).splits)
        > 0.99
    )


def test_any_error_of_an_embedder_is_a_finding_that_says_where(small: Zoo):
    class Breaks(Honest):
        def transform(self, weights: Any) -> Any:
            raise ValueError("no [bold]idea")

    (found,) = check(Breaks(), small)
    assert (found.subject, found.verdict) == ("rules", "FAILED")
    assert "raised ValueError: no [bold]idea" in found.detail
    assert "test_cheats.py" in found.detail
