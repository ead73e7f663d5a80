"""Every registered baseline passes the check, on both kinds of networks."""

from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.baselines.test_every_baseline import BASELINES
from tests.zoobench.cli.test_commands import zoobench
from zoobench import cache_folder
from zoobench.checks.check import check
from zoobench.checks.memory import peak_growth
from zoobench.checks.tiny import TINY, staged, tiny_zoo
from zoobench.cli.options import complete_network
from zoogen import SPLITS, UnknownNameError, load_zoo


def brief(point: EntryPoint) -> Any:
    """Load a baseline; make training short: one epoch of a small network."""
    embedder: Any = point.load()
    small = {"epochs": 1, "steps": 0, "dim": 16, "layers": 1, "hidden": 32}
    return replace(embedder, **small) if hasattr(embedder, "epochs") else embedder


@pytest.mark.filterwarnings("ignore:n_neighbors is larger than the dataset size")
@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("point", BASELINES, ids=lambda point: point.name)
def test_every_baseline_passes(point: EntryPoint, kind: str):
    found = check(brief(point), tiny_zoo(kind))
    assert [each for each in found if each.verdict == "FAILED"] == []
    assert [each.subject for each in found] == [
        "shape",
        "tells apart",
        "labels",
        "seed",
        "batch",
        "order",
        "company",
        "recognition",
        "time",
        "memory",
    ]


@pytest.mark.parametrize("kind", TINY)
def test_a_small_zoo_has_trained_networks_in_every_split(kind: str):
    zoo = tiny_zoo(kind)
    assert zoo.manifest.failures == ()
    assert zoo.properties["train_accuracy"].max() > 0.5
    assert all(len(zoo.part(split).weights) >= 15 for split in SPLITS)


def test_a_small_zoo_is_built_once():
    manifest = tiny_zoo("mlp").folder / "zoo.json"
    built = manifest.stat().st_mtime_ns
    tiny_zoo("mlp")
    assert manifest.stat().st_mtime_ns == built


def test_an_unknown_kind_of_network_is_refused():
    with pytest.raises(UnknownNameError, match="closest: mlp"):
        tiny_zoo("mlps")
    assert complete_network("c") == ["cnn"]


def test_exchanged_labels_are_those_of_other_snapshots_of_the_same_split():
    zoo = tiny_zoo("mlp")
    outside = cache_folder()
    with staged(zoo, relabelled=True) as lent:
        assert lent.folder.is_relative_to(cache_folder())
        assert cache_folder() != outside
        assert np.array_equal(np.asarray(lent.weights), np.asarray(zoo.weights))
        assert lent.properties["split"].equals(zoo.properties["split"])
        moved = lent.properties[["model", "epoch"]] != zoo.properties[["model", "epoch"]]
        assert moved.any(axis=1).mean() > 0.8
        for split in SPLITS:
            ours, theirs = zoo.part(split).properties, lent.part(split).properties
            labels = ["model", "epoch", "test_accuracy"]
            pd.testing.assert_frame_equal(
                ours[labels].sort_values(labels, ignore_index=True),
                theirs[labels].sort_values(labels, ignore_index=True),
            )
    assert cache_folder() == outside
    assert not lent.folder.exists()
    load_zoo(zoo.folder)


def test_the_peak_of_memory_is_measured():
    with peak_growth() as growth:
        np.ones(2**26, dtype=np.uint8).sum()
    assert growth.bytes > 2**25


def test_the_command_reports_in_80_columns(tmp_path: Path):
    done = zoobench("check", "weight-statistics", "--network", "mlp", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "weight-statistics on check-mlp" in done.stdout
    assert "recognition" in done.stdout


def test_the_command_fails_and_names_what_failed(tmp_path: Path):
    (tmp_path / "batch.py").write_text(
        "import numpy as np\n"
        "class Batch:\n"
        "    name = 'batch'\n"
        "    def fit(self, train, validation, *, seed): return self\n"
        "    def transform(self, weights): return np.asarray(weights) - np.mean(weights, axis=0)\n"
        "embedder = Batch()\n"
    )
    done = zoobench("check", "batch.py", folder=tmp_path)
    assert done.returncode == 1
    where = "batch on mlp, company on mlp, batch on cnn, company on cnn"
    assert f"batch failed 4 of 20: {where}" in done.stderr
    assert "Traceback" not in done.stderr
