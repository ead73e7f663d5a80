"""The registered zoos."""

import sys
from dataclasses import replace
from importlib import import_module

from pydantic import ValidationError

from zoogen.errors import UnknownNameError, ZooError
from zoogen.spec.architectures import CNN, MLP, Convolution
from zoogen.spec.axes import RandomSeeds, Range
from zoogen.spec.faults import fault_message
from zoogen.spec.zoo_spec import ZooSpec

PAPER = "Schürholt et al. 2021, Self-Supervised Representation Learning on Neural Network Weights"
SMALL_CNN_ZOO = "Unterthiner et al. 2020, Predicting Neural Network Accuracy from Weights"

TETRIS_SEED = ZooSpec(
    name="tetris-seed",
    version=2,
    images="tetris",
    network=MLP(widths=(16, 5, 4)),
    activation=("tanh",),
    initialiser=("uniform",),
    learning_rate=(3e-5,),
    seeds=tuple(range(1, 1001)),
    epochs=75,
    batch_size=1,
    models_per_shard=500,
    source=f"{PAPER}, Tables 8 and 9",
)

TETRIS_HYP = ZooSpec(
    name="tetris-hyp",
    version=2,
    images="tetris",
    network=MLP(widths=(16, 5, 4)),
    activation=("tanh", "relu"),
    initialiser=(
        "uniform",
        "normal",
        "kaiming_normal",
        "kaiming_uniform",
        "xavier_normal",
        "xavier_uniform",
    ),
    learning_rate=(1e-3, 1e-4, 1e-5),
    seeds=tuple(range(1, 101)),
    epochs=75,
    batch_size=1,
    models_per_shard=600,
    group="start",
    source=f"{PAPER}, Tables 8 and 9",
)

PAPER_CNN = CNN(
    image=(1, 28, 28),
    convolutions=(
        Convolution(channels=8, kernel=5, pool=2),
        Convolution(channels=6, kernel=5, pool=2),
        Convolution(channels=4, kernel=2, dropout=False),
    ),
    widths=(20, 10),
)


def cnn_seed(name: str, images: str, source: str) -> ZooSpec:
    """Return a zoo of the paper's CNN in which only the seed varies."""
    return ZooSpec(
        name=name,
        version=2,
        images=images,
        network=PAPER_CNN,
        activation=("tanh",),
        initialiser=("uniform",),
        learning_rate=(3e-4,),
        seeds=tuple(range(1, 1001)),
        epochs=25,
        batch_size=16,
        models_per_shard=16,
        source=f"{PAPER}, {source}",
    )


MNIST_SEED = cnn_seed("mnist-seed", "mnist", "Tables 8 and 9")
FASHION_SEED = cnn_seed("fashion-seed", "fashion-mnist", "Tables 8 and 9")
SVHN_SEED = cnn_seed("svhn-seed", "svhn-28", "Figure 14")


def mnist_hyp_1(name: str, seeds: tuple[int, ...] | RandomSeeds) -> ZooSpec:
    """Return a zoo of 1152 configs with one seed each."""
    return ZooSpec(
        name=name,
        version=2,
        images="mnist",
        network=PAPER_CNN,
        activation=("tanh", "relu", "sigmoid", "gelu"),
        initialiser=("uniform", "normal", "kaiming_uniform", "kaiming_normal"),
        optimiser=("adam", "sgd"),
        learning_rate=(3e-3, 1e-3, 3e-4, 1e-4),
        weight_decay=(0.0, 1e-3, 1e-1),
        dropout=(0.0, 0.3, 0.5),
        seeds=seeds,
        order="dealt",
        epochs=25,
        batch_size=16,
        models_per_shard=16,
        source=f"{PAPER}, Tables 8 and 9",
    )


MNIST_HYP_1_FIX_SEED = mnist_hyp_1("mnist-hyp-1-fix-seed", (42,))
MNIST_HYP_1_RAND_SEED = mnist_hyp_1("mnist-hyp-1-rand-seed", RandomSeeds(each=1))


def mnist_hyp_5(name: str, seeds: tuple[int, ...] | RandomSeeds) -> ZooSpec:
    """Return a zoo of 256 configs with five seeds each."""
    return replace(
        mnist_hyp_1(name, seeds),
        learning_rate=(1e-3, 1e-4),
        weight_decay=(1e-3, 1e-1),
        dropout=(0.0, 0.5),
    )


MNIST_HYP_5_FIX_SEED = mnist_hyp_5("mnist-hyp-5-fix-seed", (1, 2, 3, 4, 5))
MNIST_HYP_5_RAND_SEED = mnist_hyp_5("mnist-hyp-5-rand-seed", RandomSeeds(each=5))


def small_cnn_zoo(name: str, images: str, side: int) -> ZooSpec:
    """Return a random search after Unterthiner et al. 2020, with seed 42 for every model.

    ``docs/decisions/0009-random-search.md`` explains the ranges.
    """
    return ZooSpec(
        name=name,
        version=2,
        images=images,
        network=CNN(
            image=(1, side, side),
            convolutions=(Convolution(channels=16, kernel=3, stride=2),) * 3,
            features="mean",
            widths=(10,),
        ),
        activation=("relu", "tanh"),
        initialiser=(
            "xavier_normal",
            "kaiming_normal",
            "orthogonal",
            "normal",
            "truncated_normal",
        ),
        init_std=Range(1e-3, 0.5, "log"),
        optimiser=("adam", "sgd", "rmsprop"),
        learning_rate=Range(5e-4, 5e-2, "log"),
        weight_decay=Range(1e-8, 1e-2, "log"),
        dropout=Range(0.0, 0.7),
        train_fraction=(0.1, 0.25, 0.5, 1.0),
        seeds=(42,),
        random_points=30_000,
        order="dealt",
        initial_bias=0.0,
        momentum=0.0,
        epochs=86,
        snapshot_epochs=(0, 1, 2, 3, 20, 40, 60, 80, 86),
        batch_size=512,
        models_per_shard=32,
        source=f"after {SMALL_CNN_ZOO}",
    )


MNIST_HYP = small_cnn_zoo("mnist-hyp", "mnist", 28)
FASHION_HYP = small_cnn_zoo("fashion-hyp", "fashion-mnist", 28)
CIFAR10_HYP = small_cnn_zoo("cifar10-hyp", "cifar10-grey", 32)
SVHN_HYP = small_cnn_zoo("svhn-hyp", "svhn-grey", 32)

ZOOS = {
    zoo.name: zoo
    for zoo in (
        TETRIS_SEED,
        TETRIS_HYP,
        MNIST_SEED,
        FASHION_SEED,
        SVHN_SEED,
        MNIST_HYP_1_FIX_SEED,
        MNIST_HYP_1_RAND_SEED,
        MNIST_HYP_5_FIX_SEED,
        MNIST_HYP_5_RAND_SEED,
        MNIST_HYP,
        FASHION_HYP,
        CIFAR10_HYP,
        SVHN_HYP,
    )
}

REPOSITORIES: dict[str, str] = {}
"""Address of each published zoo, ``hub:OWNER/NAME@REVISION``."""


def zoo_spec(name: str) -> ZooSpec:
    """Return the registered spec called ``name``.

    Raises:
        UnknownNameError: If no zoo has this name; the message lists the closest names.

    Example:
        >>> import zoogen
        >>> zoogen.zoo_spec("mnist-seed").network.layout.params
        2464
    """
    if name not in ZOOS:
        raise UnknownNameError("zoo", name, ZOOS)
    return ZOOS[name]


def find_spec(name: str) -> ZooSpec:
    """Return a registered spec, or your own spec named ``module:attribute``.

    Modules are also searched in the current folder.

    Raises:
        UnknownNameError: If no zoo of that name is registered.
        ZooError: If the module cannot be imported, or the attribute is not a valid ``ZooSpec``.

    Example:
        >>> import zoogen
        >>> zoogen.find_spec("tetris-hyp").models
        3600
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        return zoo_spec(name)
    if not all(part.isidentifier() for part in module.split(".")):
        raise ZooError(
            f"{name}: {module!r} is not a module name; name a spec as module:attribute, without "
            ".py or a folder"
        )
    if "" not in sys.path:
        sys.path.append("")
    try:
        found = getattr(import_module(module), attribute)
    except ValidationError as error:
        raise ZooError(f"{name}: {fault_message(error)}") from error
    except (ImportError, AttributeError, ValueError) as error:
        raise ZooError(f"{name}: {error}; name a spec as module:attribute") from error
    if not isinstance(found, ZooSpec):
        raise ZooError(f"{name} is a {type(found).__name__}, expected a ZooSpec")
    return found
