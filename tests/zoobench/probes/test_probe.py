"""Contracts of every registered probe."""

import numpy as np
import pytest

from zoobench.probes.probe import PROBES, Probe, find_probe
from zoobench.task.metrics import accuracy, r2
from zoogen import UnknownNameError

every_probe = pytest.mark.parametrize("probe", PROBES.values(), ids=lambda probe: probe.name)
every_linear_probe = pytest.mark.parametrize("name", ["standard", "paper"])


def test_a_probe_is_found_by_its_name():
    assert {name: find_probe(name).name for name in PROBES} == {
        "standard": "standard",
        "paper": "paper",
        "boosted": "boosted",
    }


def test_an_unknown_probe_lists_the_closest():
    with pytest.raises(UnknownNameError, match=r"no probe called 'standrad'; closest: standard"):
        find_probe("standrad")


@every_linear_probe
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_linear_property_is_predicted_on_other_snapshots(name: str, dtype):
    probe = PROBES[name]
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 5)).astype(dtype)
    targets = features[:, :2].astype(np.float64) - 2
    fit = probe.regress(features[:200], targets[:200], features[200:300], targets[200:300])
    predictions = fit.map(features[300:])
    for column in range(2):
        assert r2(targets[300:, column], predictions[:, column]) > 0.999
    assert len(fit.penalties) == len(fit.validation_scores) == 2


@every_probe
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_linear_class_is_predicted_on_other_snapshots(probe: Probe, dtype):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, size=700)
    features = (20 * np.eye(5)[labels] + rng.normal(size=(700, 5))).astype(dtype)
    fit = probe.classify(
        features[:500], labels[:500], features[500:600], labels[500:600], classes=3
    )
    assert accuracy(labels[600:], fit.map(features[600:]).argmax(axis=1)) > 0.95
    assert len(fit.penalties) == len(fit.validation_scores) == 1


@every_probe
def test_the_validation_score_is_that_of_the_map(probe: Probe):
    rng = np.random.default_rng(2)
    features, labels = rng.normal(size=(300, 4)), rng.integers(0, 2, size=300)
    targets = features @ rng.normal(size=(4, 2)) + rng.normal(size=(300, 2))
    regression = probe.regress(features[:200], targets[:200], features[200:], targets[200:])
    scores = [
        r2(truth, guess)
        for truth, guess in zip(targets[200:].T, regression.map(features[200:]).T, strict=True)
    ]
    assert regression.validation_scores == pytest.approx(scores)
    fit = probe.classify(features[:200], labels[:200], features[200:], labels[200:], classes=2)
    assert fit.validation_scores == (accuracy(labels[200:], fit.map(features[200:]).argmax(1)),)
