"""The zoos that have a name."""

import sys
from importlib import import_module

from zoogen.errors import UnknownNameError, ZooError
from zoogen.spec import MLP, ZooSpec

PAPER = "Schürholt et al. 2021, Self-Supervised Representation Learning on Neural Network Weights"

TETRIS_SEED = ZooSpec(
    name="tetris-seed",
    version=1,
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
    version=1,
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

ZOOS = {zoo.name: zoo for zoo in (TETRIS_SEED, TETRIS_HYP)}


def zoo_spec(name: str) -> ZooSpec:
    """Return the registered spec called ``name``.

    Raises:
        UnknownNameError: If there is none; the message lists the closest names.
    """
    if name not in ZOOS:
        raise UnknownNameError("zoo", name, ZOOS)
    return ZOOS[name]


def find_spec(name: str) -> ZooSpec:
    """Return a registered spec, or one of yours named ``module:attribute``.

    Modules are also looked for in the folder the command runs in.

    Raises:
        UnknownNameError: If no zoo of that name is registered.
        ZooError: If the module cannot be imported, or the attribute is no valid ``ZooSpec``.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        return zoo_spec(name)
    if "" not in sys.path:
        sys.path.append("")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ZooError(f"{name}: {error}; name a spec as module:attribute") from error
    if not isinstance(found, ZooSpec):
        raise ZooError(f"{name} is a {type(found).__name__}, expected a ZooSpec")
    return found
