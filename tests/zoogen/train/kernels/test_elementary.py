"""Functions of one number are as precise as float32 allows, alone and in loops."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numba import njit
from scipy import special

from zoogen.spec.zoo_spec import Activation
from zoogen.train.kernels import activation, elementary

EVERYWHERE = np.linspace(-30, 30, 100_001).astype(np.float32)
POSITIVE = np.geomspace(1e-6, 1e6, 100_001).astype(np.float32)


@cache
def loop_over(function: Callable[..., float]) -> Callable[[np.ndarray], np.ndarray]:
    """Compile a loop that applies a function to every number."""

    @njit
    def loop(numbers: np.ndarray) -> np.ndarray:
        results = np.empty_like(numbers)
        for i in range(len(numbers)):
            results[i] = function(numbers[i])
        return results

    return loop


def mapped(function: Callable[..., float], numbers: np.ndarray) -> np.ndarray:
    """Apply a compiled function to every number in a compiled loop."""
    return loop_over(function)(numbers)


@pytest.mark.parametrize(
    ("name", "numbers", "expected", "relative", "absolute"),
    [
        ("exp", EVERYWHERE, np.exp, 1e-7, 0),
        ("log", POSITIVE, np.log, 1e-7, 1e-7),
        ("tanh", EVERYWHERE, np.tanh, 5e-7, 0),
        ("erf", EVERYWHERE, special.erf, 5e-7, 0),
        ("sigmoid", EVERYWHERE, special.expit, 3e-7, 0),
        ("normal_share", EVERYWHERE, special.ndtr, 0, 3e-7),
    ],
)
def test_functions_are_those_of_numpy_and_scipy(
    name: str,
    numbers: np.ndarray,
    expected: Callable[[np.ndarray], np.ndarray],
    relative: float,
    absolute: float,
):
    ours = mapped(getattr(elementary, name), numbers).astype(np.float64)
    np.testing.assert_allclose(
        ours, expected(numbers.astype(np.float64)), rtol=relative, atol=absolute
    )


@pytest.mark.parametrize("name", ["exp", "tanh", "erf", "sigmoid", "normal_share"])
def test_nan_stays_nan(name: str):
    assert np.isnan(mapped(getattr(elementary, name), np.full(9, np.nan, np.float32))).all()


@pytest.mark.parametrize("length", [1, 7, 8, 19, 64])
@pytest.mark.parametrize("name", ["exp", "log", "tanh", "erf"])
def test_a_number_has_the_same_bits_wherever_it_lies_in_a_loop(name: str, length: int):
    numbers, function = POSITIVE[5000 : 5000 + length] / 100, getattr(elementary, name)
    alone = np.concatenate([mapped(function, number[None]) for number in numbers])
    assert mapped(function, numbers).tobytes() == alone.tobytes()


@pytest.mark.parametrize("name", activation.NAMES)
def test_derivatives_are_those_of_the_activation(name: Activation):
    kind = activation.NAMES.index(name)
    units = np.linspace(-6, 6, 999).astype(np.float32)
    made, slopes = units.copy(), np.empty_like(units)
    activation.activate_and_differentiate(kind, made, slopes)
    only = units.copy()
    activation.activate(kind, only)
    assert only.tobytes() == made.tobytes()
    small = 1e-3
    sides = {
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0),
        "sigmoid": special.expit,
        "gelu": lambda x: x * special.ndtr(x),
    }[name]
    exact = units.astype(np.float64)
    np.testing.assert_allclose(made, sides(exact), atol=3e-6)
    smooth = np.abs(exact) > 2 * small if name == "relu" else np.full(len(exact), True)
    differences = (sides(exact + small) - sides(exact - small)) / (2 * small)
    np.testing.assert_allclose(slopes[smooth], differences[smooth], atol=3e-6)
