"""Training learns and resumes where it was stopped."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.self_supervised import SelfSupervised
from baselines.self_supervised.checkpoint import read_checkpoint
from baselines.self_supervised.losses import objective
from baselines.self_supervised.networks import tensor_scale
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.train import train, validate
from tests.baselines.self_supervised.runs import (
    LAYOUT,
    QUICK,
    TRAIN,
    VALIDATION,
    run,
    state,
)
from zoogen import MLP, Weights, ZooError


def stop_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C once so many epochs are done and saved."""
    monkeypatch.setattr("baselines.self_supervised.train.KEEP_SECONDS", -1.0)
    calls = iter(range(1, 1000))

    def stopped(*arguments: Any) -> Any:
        if next(calls) > epochs:
            raise KeyboardInterrupt
        return validate(*arguments)

    monkeypatch.setattr("baselines.self_supervised.train.validate", stopped)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_training_lowers_the_loss_on_unseen_snapshots(tmp_path: Path, beta: float):
    run(replace(QUICK, beta=beta, epochs=15), tmp_path)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    losses = [epoch.validation_loss for epoch in checkpoint.history]
    assert min(losses) < 0.9 * losses[0]
    assert all((epoch.r2 is None) == (beta == 0) for epoch in checkpoint.history)


def test_the_network_of_the_best_epoch_is_returned(tmp_path: Path):
    network = run(replace(QUICK, epochs=8, learning_rate=0.3), tmp_path)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    losses = [epoch.validation_loss for epoch in checkpoint.history]
    assert checkpoint.best == 1 + int(np.argmin(losses))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, checkpoint.tensors[f"best.{name}"])


@pytest.mark.parametrize("schedule", ["plateau", "one-cycle"])
def test_a_stopped_run_resumes_to_the_same_result(
    schedule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = replace(QUICK, schedule=schedule)
    whole = state(run(settings, tmp_path / "whole"))
    with monkeypatch.context() as patch:
        stop_after(3, patch)
        with pytest.raises(KeyboardInterrupt):
            run(settings, tmp_path / "stopped")
    torch.rand(3)  # another draw in between
    resumed = state(run(settings, tmp_path / "stopped"))
    assert all(np.array_equal(resumed[name], whole[name]) for name in whole)


def test_a_finished_run_is_loaded_and_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = state(run(QUICK, tmp_path))
    stop_after(0, monkeypatch)
    again = state(run(QUICK, tmp_path))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_training_does_not_disturb_the_callers_random_numbers(tmp_path: Path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(replace(QUICK, epochs=1), tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_another_seed_trains_another_network(tmp_path: Path):
    first, second = (state(run(QUICK, tmp_path / str(seed), seed=seed)) for seed in (0, 1))
    assert any(not np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(("steps", "epochs"), [(0, 3), (18, 3), (19, 4), (31, 6)])
def test_the_number_of_epochs_is_raised_to_reach_the_number_of_steps(
    tmp_path: Path, steps: int, epochs: int
):
    run(replace(QUICK, epochs=3, steps=steps), tmp_path)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert len(checkpoint.history) == epochs


def test_a_step_uses_two_views_of_each_snapshot_that_follow_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shown: list[torch.Tensor] = []

    def recorded(network: Any, views: torch.Tensor, settings: Settings) -> Any:
        shown.append(views)
        return objective(network, views, settings)

    monkeypatch.setattr("baselines.self_supervised.train.objective", recorded)
    plain = replace(QUICK, epochs=1, erase=0.0)
    run(plain, tmp_path / "permuted")
    run(replace(plain, permute=False, erase=1.0, erased=(0.3, 0.3)), tmp_path / "erased")
    run(replace(plain, permute=False, noise=1e6), tmp_path / "noisy")
    steps = len(TRAIN) // QUICK.batch
    assert len(shown) == 3 * steps
    permuted, erased, noisy = (
        torch.cat([views.unflatten(0, (2, -1)) for views in shown[first : first + steps]], dim=1)
        for first in range(0, 3 * steps, steps)
    )
    rows = torch.from_numpy(np.asarray(TRAIN))
    known = {row.sort().values.numpy().tobytes() for row in rows}
    for views in permuted:
        assert {row.sort().values.numpy().tobytes() for row in views} == known
    assert (permuted[0] != permuted[1]).any(dim=1).double().mean() > 0.9
    assert ((erased == 0).sum(dim=2) == 30).all()
    assert noisy.std() == pytest.approx(1e6, rel=0.05)


def test_the_learning_rate_falls_to_three_tenths_when_the_loss_stagnates(tmp_path: Path):
    still = replace(QUICK, beta=1.0, permute=False, erase=0.0, dropout=0.0, learning_rate=2e-8)
    run(replace(still, epochs=13), tmp_path)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    rates = [epoch.learning_rate for epoch in checkpoint.history]
    assert rates == pytest.approx([2e-8] * 11 + [6e-9] * 2, rel=1e-6, abs=0)


def test_normalising_divides_by_the_spread_of_the_training_weights(tmp_path: Path):
    network = run(replace(QUICK, epochs=1, normalise=True), tmp_path)
    expected = tensor_scale(torch.from_numpy(np.asarray(TRAIN)), LAYOUT)
    assert torch.equal(network.scale, expected)
    assert (expected != 1).all()


def test_training_stops_when_validation_stops_improving(tmp_path: Path):
    run(replace(QUICK, epochs=50, patience=2, learning_rate=1.0), tmp_path)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.finished
    assert len(checkpoint.history) == checkpoint.best + 2 < 50


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        stop_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            run(QUICK, tmp_path)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(
        "baselines.self_supervised.train.objective",
        lambda network, views, settings: (network.embed(views).sum() * torch.nan, None),
    )
    with pytest.raises(ZooError, match=r"nan at step 1 of epoch 3; the last good checkpoint"):
        run(QUICK, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_without_permutations_a_network_without_hidden_layers_trains(tmp_path: Path):
    layout = MLP(widths=(25, 4)).layout
    parts = [Weights([np.asarray(part)], layout) for part in (TRAIN, VALIDATION)]
    with pytest.raises(ZooError, match="set permute=False"):
        train(*parts, QUICK, seed=0, folder=tmp_path)
    train(*parts, replace(QUICK, permute=False, epochs=1), seed=0, folder=tmp_path)


def test_fewer_snapshots_than_a_batch_form_one_batch(tmp_path: Path):
    network = run(replace(QUICK, batch=500, epochs=1), tmp_path)
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())


def test_an_embedder_reconstructs_weights_like_those_it_was_trained_on():
    embedder = SelfSupervised(
        dim=10, width=32, hidden=64, batch=50, epochs=60, learning_rate=3e-3, beta=1.0, erase=0.0
    ).fit(TRAIN, VALIDATION, seed=0)
    seen = np.asarray(VALIDATION)
    rows = embedder.reconstruct(embedder.transform(VALIDATION))
    assert rows is not None
    assert rows.shape == seen.shape
    assert 1 - np.square(rows - seen).sum() / np.square(seen - seen.mean(axis=0)).sum() > 0.3


def test_without_a_reconstruction_loss_nothing_is_reconstructed():
    settings = {"dim": 10, "width": 16, "hidden": 16, "batch": 50, "epochs": 1}
    embedder = SelfSupervised(**settings, beta=0.0).fit(TRAIN, VALIDATION, seed=0)
    assert embedder.reconstruct(embedder.transform(VALIDATION)) is None


def test_a_validation_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stop_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(QUICK, tmp_path)
    monkeypatch.setattr("baselines.self_supervised.train.validate", lambda *_: (np.nan, None))
    with pytest.raises(ZooError, match=r"nan on validation of epoch 3; the last good checkpoint"):
        run(QUICK, tmp_path)
    checkpoint = read_checkpoint(tmp_path)
    assert checkpoint is not None
    assert len(checkpoint.history) == 2


@pytest.mark.parametrize("device", ["cuda:99", "cuda:first"])
def test_a_missing_device_is_reported_before_anything_is_written(tmp_path: Path, device: str):
    with pytest.raises(ZooError, match=device):
        run(replace(QUICK, device=device), tmp_path / "run")
    assert not (tmp_path / "run").exists()
