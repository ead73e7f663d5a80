"""Contracts of every registered baseline, on read-only mapped weights of several layouts."""

import pkgutil
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import baselines
from zoobench import Embedder
from zoogen import CNN, MLP, Convolution, Layout, Weights

LAYOUTS = {
    "mlp": MLP(widths=(16, 5, 4)).layout,
    "cnn": CNN(
        image=(1, 7, 7),
        convolutions=(
            Convolution(channels=4, kernel=3, pool=2),
            Convolution(channels=3, kernel=2, stride=1),
        ),
        features="mean",
        widths=(4,),
    ).layout,
}
BASELINES = [
    point
    for point in entry_points(group="zoobench.embedders")
    if point.module.startswith("baselines.")
]


@dataclass(frozen=True)
class Case:
    """A baseline fitted on a small population, and its embedding of other rows."""

    point: EntryPoint
    given: Embedder
    fitted: Embedder
    train: Weights
    weights: Weights
    embedding: np.ndarray


def untrained(point: EntryPoint) -> Embedder:
    """Load a baseline; limit one that trains in epochs to three and to a small embedding."""
    embedder: Any = point.load()
    quick = {"epochs": 3, "steps": 0, "dim": 20} if hasattr(embedder, "epochs") else {}
    return replace(embedder, **quick)


def trajectories(layout: Layout, models: int, seed: int) -> np.ndarray:
    """Draw weight vectors that resemble training: random walks of fifteen steps."""
    draw = np.random.default_rng(seed)
    starts = draw.normal(0, 0.3, (models, 1, layout.params))
    steps = draw.normal(0, 0.1, (models, 15, layout.params)).cumsum(axis=1)
    values = (starts + steps).reshape(-1, layout.params).astype(np.float32)
    return draw.permutation(values)


@pytest.fixture(
    scope="module",
    params=[(point, layout) for point in BASELINES for layout in LAYOUTS],
    ids=lambda param: f"{param[0].name}-{param[1]}",
)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Fit one baseline on one layout, on weights in two shards mapped read-only."""
    point, layout = request.param[0], LAYOUTS[request.param[1]]
    folder = tmp_path_factory.mktemp("shards")
    shards = []
    for number, rows in enumerate(np.array_split(trajectories(layout, 20, seed=0), 2)):
        np.save(folder / f"{number}.npy", rows)
        shards.append(np.load(folder / f"{number}.npy", mmap_mode="r"))
    train = Weights(shards, layout)
    weights = Weights([trajectories(layout, 6, seed=1)], layout)
    given = untrained(point)
    fitted = given.fit(train, weights, seed=3)
    return Case(point, given, fitted, train, weights, fitted.transform(weights))


def assert_alike(first: np.ndarray, second: np.ndarray) -> None:
    """Require embeddings to agree to a thousandth of the standard deviation of each axis."""
    spread = second.std(axis=0) + 1e-6 * np.abs(second).max()
    assert (np.abs(first - second) / spread).max() < 1e-3


def test_every_module_of_baselines_is_registered() -> None:
    modules = {f"baselines.{module.name}" for module in pkgutil.iter_modules(baselines.__path__)}
    points = [*BASELINES, *entry_points(group="zoobench.reproductions")]
    assert modules == {".".join(point.module.split(".")[:2]) for point in points}


def test_a_baseline_has_the_name_it_is_registered_under(case: Case) -> None:
    assert case.fitted.name == case.point.name


def test_fitting_returns_the_embedder_itself(case: Case) -> None:
    assert case.fitted is case.given


def test_an_embedding_is_one_finite_row_per_snapshot(case: Case) -> None:
    assert case.embedding.ndim == 2
    assert len(case.embedding) == len(case.weights)
    assert np.isfinite(case.embedding).all()


def test_an_embedding_tells_snapshots_apart(case: Case) -> None:
    assert len(np.unique(case.embedding, axis=0)) == len(case.weights)


def test_the_same_seed_gives_the_same_embedding(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZOOBENCH_CACHE", str(tmp_path))
    again = untrained(case.point).fit(case.train, case.weights, seed=3)
    np.testing.assert_array_equal(again.transform(case.weights), case.embedding)


def test_the_order_of_rows_does_not_matter(case: Case) -> None:
    order = np.random.default_rng(2).permutation(len(case.weights))
    assert_alike(case.fitted.transform(case.weights.take(order)), case.embedding[order])


def test_the_rows_beside_a_row_do_not_matter(case: Case) -> None:
    parts = [slice(None, 1), slice(1, 30), slice(30, None)]
    embedded = [case.fitted.transform(case.weights.take(part)) for part in parts]
    assert_alike(np.concatenate(embedded), case.embedding)


def test_the_rows_read_at_a_time_do_not_matter(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = Weights.blocks
    monkeypatch.setattr(Weights, "blocks", lambda weights, rows=0: blocks(weights, 7))
    assert_alike(case.fitted.transform(case.weights), case.embedding)


def test_embedding_does_not_change_the_weights(case: Case) -> None:
    values = np.asarray(case.weights)
    case.fitted.transform(Weights([values], case.weights.layout))
    np.testing.assert_array_equal(values, np.asarray(case.weights))


def test_weights_mapped_read_only_embed_like_those_in_memory(case: Case) -> None:
    in_memory = Weights([np.asarray(case.train)], case.train.layout)
    assert_alike(case.fitted.transform(case.train), case.fitted.transform(in_memory))
