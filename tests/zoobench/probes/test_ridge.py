"""Both regression probes against direct solutions of their objectives."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from zoobench.probes.linear import ROWS_AT_ONCE, LinearMap
from zoobench.probes.ridge import (
    PAPER_PENALTIES,
    PENALTIES,
    paper_path,
    paper_ridge,
    standard_ridge,
)
from zoobench.task.metrics import r2

PROBES = [paper_ridge, standard_ridge]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread, since threads of small products wait for a free core."""
    with threadpool_limits(1):
        yield


def problem(train: int, dim: int, *, targets: int = 3, noise: float = 0.5, seed: int = 0):
    """Return correlated features of several scales and offsets, and noisy linear targets."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(dim, dim)) * rng.lognormal(size=dim)
    features = rng.normal(size=(train + 60, dim)) @ mix + rng.normal(size=dim)
    truth = features @ rng.normal(size=(dim, targets)) / np.linalg.norm(mix)
    truth += noise * rng.normal(size=truth.shape) + rng.normal(size=targets)
    return features[:train], truth[:train], features[train:], truth[train:]


def with_ones(features):
    return np.column_stack([features, np.ones(len(features))])


def authors_probe(train, train_targets, validation, validation_targets):
    """Solve each penalty and target separately; return score, penalty and weights per target."""
    chosen = []
    for y, held_out in zip(train_targets.T, validation_targets.T, strict=True):
        best = (-np.inf, None, None)
        for penalty in PAPER_PENALTIES:
            x = with_ones(train)
            b = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
            score = r2(held_out, with_ones(validation) @ b)
            if score > best[0]:
                best = (score, penalty, b)
        chosen.append(best)
    return chosen


@pytest.mark.parametrize(("snapshots", "dim"), [(300, 5), (200, 30), (25, 40)])
def test_the_paper_probe_solves_the_normal_equations_for_seventeen_penalties(snapshots, dim):
    data = problem(snapshots, dim)
    fit = paper_ridge(*data)
    direct = authors_probe(*data)
    assert fit.penalties == tuple(penalty for _, penalty, _ in direct)
    assert len(set(fit.penalties)) > 1 or dim == 5
    np.testing.assert_allclose(fit.validation_scores, [score for score, _, _ in direct])
    for column, (_, _, b) in enumerate(direct):
        np.testing.assert_allclose(fit.map.weights[:, column], b[:-1], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(fit.map.intercept[column], b[-1], rtol=1e-6, atol=1e-9)


def test_the_paper_probe_solves_features_of_very_different_scale_exactly():
    rng = np.random.default_rng(1)
    plain = rng.normal(size=(400, 3))
    features = plain * [1e-2, 1.0, 1e5]
    targets = plain @ [[1.0], [2.0], [3.0]] + rng.normal(size=(400, 1)) + 4
    path = paper_path(features, targets)(features)
    for penalty, ours in zip(PAPER_PENALTIES, path.T, strict=True):
        stacked = np.vstack([with_ones(features), np.sqrt(penalty) * np.eye(4)])
        padded = np.append(targets, np.zeros(4))
        exact = with_ones(features) @ np.linalg.lstsq(stacked, padded, rcond=1e-30)[0]
        np.testing.assert_allclose(ours, exact, atol=1e-8)


@pytest.mark.parametrize("scale", [1.0, 1e8])
def test_a_singular_problem_is_solved_even_where_rounding_swallows_the_penalty(scale):
    rng = np.random.default_rng(2)
    feature = rng.integers(-9, 10, size=(200, 1)) * scale
    targets = feature / scale + 3 + 0.1 * rng.normal(size=(200, 1))
    features = np.hstack([feature, feature, np.zeros((200, 1)), np.full((200, 1), scale)])
    path = paper_path(features, targets)(features)
    assert r2(targets[:, 0], path[:, -1]) > 0.99


def test_the_paper_probe_penalises_the_intercept():
    targets = 5 + np.random.default_rng(2).normal(size=(80, 1))
    nothing = np.zeros((80, 3))
    assert paper_ridge(nothing, targets, nothing, targets).penalties == (1e-5,)
    fit = paper_ridge(nothing, targets, nothing, targets / 20)
    assert fit.penalties == (1e3,)
    np.testing.assert_allclose(fit.map.intercept, targets.sum() / (80 + 1e3))


@pytest.mark.parametrize(("snapshots", "dim"), [(300, 5), (200, 30), (25, 40)])
def test_the_standard_probe_is_scikit_learns_ridge_on_standardised_features(snapshots, dim):
    train, train_targets, validation, validation_targets = problem(snapshots, dim)
    fit = standard_ridge(train, train_targets, validation, validation_targets)
    scaler = StandardScaler().fit(train)
    for column in range(train_targets.shape[1]):
        predictions = {}
        for penalty in PENALTIES:
            model = Ridge(alpha=penalty * snapshots, solver="svd")
            model.fit(scaler.transform(train), train_targets[:, column])
            predictions[penalty] = model.predict(scaler.transform(validation))
        scores = {p: r2(validation_targets[:, column], y) for p, y in predictions.items()}
        chosen = fit.penalties[column]
        assert scores[chosen] == pytest.approx(max(scores.values()), abs=1e-9)
        assert fit.validation_scores[column] == pytest.approx(scores[chosen], abs=1e-9)
        np.testing.assert_allclose(
            fit.map(validation)[:, column], predictions[chosen], rtol=1e-6, atol=1e-6
        )


@settings(max_examples=40)
@given(
    exponents=st.lists(st.floats(-12, 12), min_size=8, max_size=8),
    offsets=st.lists(st.floats(-100, 100), min_size=8, max_size=8),
    snapshots=st.sampled_from([6, 40]),
)
def test_scale_and_offset_of_features_do_not_change_the_standard_probe(
    exponents, offsets, snapshots
):
    train, train_targets, validation, validation_targets = problem(snapshots, 8)
    scales = 10.0 ** np.array(exponents)

    def moved(features):
        return (features + np.array(offsets)) * scales

    plain = standard_ridge(train, train_targets, validation, validation_targets)
    fit = standard_ridge(moved(train), train_targets, moved(validation), validation_targets)
    np.testing.assert_allclose(fit.validation_scores, plain.validation_scores, atol=1e-6)
    np.testing.assert_allclose(
        fit.map(moved(validation)), plain.map(validation), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("snapshots", [10, 200])
def test_constant_features_are_harmless(dtype, snapshots):
    train, train_targets, validation, validation_targets = problem(snapshots, 8)
    train, validation = train.astype(dtype), validation.astype(dtype)
    rng = np.random.default_rng(3)

    def padded(features):
        rounding = 0.1 * (1 + np.finfo(dtype).eps * rng.integers(-4, 5, len(features)))
        constants = [np.zeros(len(features)), np.full(len(features), 0.1), rounding]
        return np.column_stack([features, *constants]).astype(dtype)

    plain = standard_ridge(train, train_targets, validation, validation_targets)
    fit = standard_ridge(padded(train), train_targets, padded(validation), validation_targets)
    assert not fit.map.weights[8:].any()
    np.testing.assert_allclose(fit.map(padded(validation)), plain.map(validation), atol=1e-6)


def test_both_gram_matrices_give_the_same_probe():
    train, train_targets, validation, validation_targets = problem(40, 40)

    def wider(features):
        return np.column_stack([features, np.zeros(len(features))])

    square = standard_ridge(train, train_targets, validation, validation_targets)
    wide = standard_ridge(wider(train), train_targets, wider(validation), validation_targets)
    assert wide.penalties == square.penalties
    np.testing.assert_allclose(wide.map.weights[:-1], square.map.weights, rtol=1e-5, atol=1e-8)


def test_repeating_a_feature_changes_no_prediction_at_small_penalties():
    train, train_targets, validation, validation_targets = problem(200, 4, noise=0)

    def twice(features):
        return np.column_stack([features, features])

    plain = standard_ridge(train, train_targets, validation, validation_targets)
    fit = standard_ridge(twice(train), train_targets, twice(validation), validation_targets)
    np.testing.assert_allclose(fit.map(twice(validation)), plain.map(validation), atol=1e-6)


def test_equal_scores_keep_the_largest_penalty():
    _, train_targets, _, validation_targets = problem(50, 3)
    fit = standard_ridge(np.ones((50, 3)), train_targets, np.ones((60, 3)), validation_targets)
    assert fit.penalties == (PENALTIES[0],) * 3
    np.testing.assert_allclose(fit.map(np.ones((1, 3)))[0], train_targets.mean(axis=0))


@pytest.mark.parametrize("probe", PROBES)
def test_a_target_constant_in_validation_keeps_the_largest_penalty(probe):
    train, train_targets, validation, validation_targets = problem(50, 3)
    validation_targets[:, 1] = 0.3
    fit = probe(train, train_targets, validation, validation_targets)
    largest = {paper_ridge: PAPER_PENALTIES, standard_ridge: PENALTIES}[probe][0]
    assert fit.penalties[1] == largest
    assert np.isnan(fit.validation_scores).tolist() == [False, True, False]


@pytest.mark.parametrize("probe", PROBES)
def test_a_target_is_fitted_the_same_alone_and_with_others(probe):
    train, train_targets, validation, validation_targets = problem(100, 6)
    together = probe(train, train_targets, validation, validation_targets)
    alone = probe(train, train_targets[:, 1:2], validation, validation_targets[:, 1:2])
    assert alone.penalties == together.penalties[1:2]
    np.testing.assert_allclose(alone.map.weights[:, 0], together.map.weights[:, 1], rtol=1e-9)


@pytest.mark.parametrize("probe", PROBES)
def test_single_precision_features_never_exist_in_double_precision(probe):
    rng = np.random.default_rng(4)
    features = rng.normal(size=(100_000, 100)).astype(np.float32)
    targets = features[:, :2].astype(np.float64)
    tracemalloc.start()
    fit = probe(features, targets, features[:2000], targets[:2000])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < features.nbytes / 2
    assert min(fit.validation_scores) > 0.999


def test_a_linear_map_of_many_rows_equals_one_product():
    rng = np.random.default_rng(5)
    features = rng.normal(size=(2 * ROWS_AT_ONCE + 3, 2)).astype(np.float32)
    line = LinearMap(rng.normal(size=(2, 3)), rng.normal(size=3))
    np.testing.assert_allclose(
        line(features), features.astype(np.float64) @ line.weights + line.intercept
    )
