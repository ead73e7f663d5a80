"""Quick runs of self-supervised training."""

from pathlib import Path

import numpy as np
import torch

from baselines.self_supervised.settings import Settings
from baselines.self_supervised.train import train
from zoogen import MLP, Weights

LAYOUT = MLP(widths=(16, 5, 4)).layout
QUICK = Settings(
    dim=10, width=16, hidden=32, batch=50, epochs=6, learning_rate=3e-3, projection=(1, 16, 8)
)


def population(rows: int, seed: int) -> Weights:
    """Draw vectors near a few directions, so that there is something to learn."""
    shape = np.random.default_rng(0).normal(size=(4, LAYOUT.params))
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(rows, 4)) @ shape + 0.1 * draw.normal(size=(rows, LAYOUT.params))
    return Weights([values.astype(np.float32)], LAYOUT)


TRAIN, VALIDATION = population(300, 1), population(120, 2)


def run(settings: Settings, folder: Path, *, seed: int = 0, on: Weights = TRAIN) -> torch.nn.Module:
    return train(on, VALIDATION, settings, seed=seed, folder=folder)


def state(network: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}
