"""The supervised probe: what trees can predict, and how their number is chosen."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from zoobench.probes import boosted
from zoobench.probes.boosted import (
    PENALTIES,
    boosted_classification,
    boosted_regression,
    settings,
)
from zoobench.probes.ridge import standard_ridge
from zoobench.task.metrics import accuracy, r2
from zoogen import ZooError


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosted, "ROUNDS", 40)


def products(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features that say nothing one by one, and the signs of products of two."""
    features = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    return features, np.sign(features[:, :1] * features[:, 1:]).astype(np.float64)


TRAIN, VALIDATION, TEST = products(2000, 0), products(500, 1), products(500, 2)


def test_a_property_that_is_not_linear_is_predicted_on_other_snapshots():
    fit = boosted_regression(*TRAIN, *VALIDATION)
    predictions = fit.map(TEST[0])
    assert predictions.shape == (500, 2)
    for column in range(2):
        assert r2(TEST[1][:, column], predictions[:, column]) > 0.8
    line = standard_ridge(*TRAIN, *VALIDATION).map(TEST[0])
    assert r2(TEST[1][:, 0], line[:, 0]) < 0.1


@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_that_is_not_linear_is_predicted_on_other_snapshots(classes: int):
    labels = [(part[1] > 0).sum(axis=1) for part in (TRAIN, VALIDATION, TEST)]
    labels = [np.minimum(each, classes - 1) for each in labels]
    fit = boosted_classification(TRAIN[0], labels[0], VALIDATION[0], labels[1], classes=classes)
    logits = fit.map(TEST[0])
    assert logits.shape == (500, classes)
    np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, rtol=1e-6)
    assert accuracy(labels[2], logits.argmax(axis=1)) > 0.85


def test_the_validation_split_decides_on_penalty_and_rounds():
    draw = np.random.default_rng(3)
    train, held_out = draw.normal(size=(300, 3)), draw.normal(size=(200, 3))
    targets, truth = (part[:, 0] + draw.normal(size=len(part)) for part in (train, held_out))
    fit = boosted_regression(train, targets[:, None], held_out, truth[:, None])
    found = {
        (penalty, rounds): r2(truth, predicted)
        for penalty in PENALTIES
        for rounds, predicted in enumerate(
            HistGradientBoostingRegressor(**settings(penalty))
            .fit(train, targets)
            .staged_predict(held_out),
            start=1,
        )
    }
    penalty, rounds = max(found, key=lambda key: found[key])
    assert rounds < 40
    assert fit.penalties == (penalty,)
    assert fit.validation_scores == (found[penalty, rounds],)
    assert r2(truth, fit.map(held_out)[:, 0]) == found[penalty, rounds]


def test_a_target_that_is_constant_on_validation_keeps_the_largest_penalty():
    fit = boosted_regression(*TRAIN, VALIDATION[0], np.ones((500, 2)))
    assert fit.penalties == (PENALTIES[0],) * 2
    assert np.isnan(fit.validation_scores).all()
    assert np.isfinite(fit.map(TEST[0])).all()


def test_a_class_without_training_snapshots_is_refused():
    labels = np.zeros(500, dtype=np.int64)
    with pytest.raises(ZooError, match="no training snapshot of class 1"):
        boosted_classification(VALIDATION[0], labels, TEST[0], labels, classes=2)
