"""CNNs trained by kernels, against torch (single models and stacks) and against matmul."""

from functools import partial
from math import prod

import torch

from benchmarks.every_core import Work, here, on_every_core
from benchmarks.image_steps import Turns, alone, by_kernels, by_stack, drawn_images, measured
from benchmarks.ratio import Ratio
from zoogen import CNN, ZooSpec, zoo_spec
from zoogen.device import cores, one_thread
from zoogen.spec.configs import model_configs
from zoogen.train.loop import stacks
from zoogen.train.tuning import models_per_stack

CLAIM = (
    "Kernels train one model in each of as many processes as cores, on 60 000 random images of "
    "MNIST's size. Costs are microseconds per image shown to one model: forwards, backwards and "
    "the optimiser's step. The peers train on 5120 images. They are one model with torch.nn and "
    "torch.optim in one process, at its better thread setting; the same in one process per core; "
    "a torch stack in one process per core; and products of matrices of 1024 × 1024 on every "
    "core, with as many operations as training would take if it skipped none. Measuring is "
    "compared with the training of the same epoch, both by kernels on all cores. The fastest of "
    "three to five runs counts, each on all cores at once."
)

IMAGES, TEST_IMAGES, PEERS_IMAGES = 60_000, 10_000, 5120
MATRIX, PRODUCTS = 1024, 20
MEASURING_SHARE = 0.45
OUR_RUNS = 5

ALL_IMAGES = partial(drawn_images, IMAGES, TEST_IMAGES)
FEW_IMAGES = partial(drawn_images, PEERS_IMAGES)


def operations(network: CNN) -> int:
    """Count the additions and multiplications that training on one image takes.

    Two for every weight at every position, three times: forwards, and for the gradients of weights
    and inputs. The first layer needs no gradient of its inputs.
    """
    places = [
        prod(side * block.pool for side in shape[1:])
        for shape, block in zip(network.maps, network.convolutions, strict=True)
    ]
    weights = [slot for slot in network.layout if slot.name.endswith("weight")]
    places += [1] * (len(weights) - len(places))
    counts = [2 * slot.size * times for slot, times in zip(weights, places, strict=True)]
    return 3 * sum(counts) - counts[0]


def products() -> Turns:
    """Multiply large matrices; yield the number of operations."""
    with one_thread():
        matrix, out = torch.randn(MATRIX, MATRIX), torch.empty(MATRIX, MATRIX)
        while True:
            for _ in range(PRODUCTS):
                torch.mm(matrix, matrix, out=out)
            yield PRODUCTS * 2 * MATRIX**3


def per_image(name: str, ours: float, peer: float, required: float | None) -> Ratio:
    """Compare the cost of an image."""
    return Ratio(name=name, ours=1e6 * ours, peer=1e6 * peer, unit="µs", required=required)


def one_model(spec: ZooSpec, threads: int) -> Work:
    """Return the peer that trains a single model."""
    return partial(alone, spec, model_configs(spec)[0], ALL_IMAGES, PEERS_IMAGES, threads)


def paper_cnn() -> list[Ratio]:
    """Train and measure the network of mnist-seed."""
    spec = zoo_spec("mnist-seed")
    assert isinstance(spec.network, CNN)
    stack = model_configs(spec)[: models_per_stack(spec.network, spec.batch_size, "cpu")]
    ours = on_every_core(partial(by_kernels, spec, stack[:1], ALL_IMAGES), OUR_RUNS)
    measuring = on_every_core(partial(measured, spec, stack[0], ALL_IMAGES), OUR_RUNS)
    one = min(here(one_model(spec, threads)) for threads in {1, cores()})
    one_per_core = on_every_core(one_model(spec, 1))
    stacked = on_every_core(partial(by_stack, spec, stack, FEW_IMAGES))
    limit = operations(spec.network) * on_every_core(products, OUR_RUNS)
    training = IMAGES * ours
    return [
        per_image("an image of mnist-seed, against one model at a time", ours, one, 20),
        per_image("an image of mnist-seed, against torch stacks", ours, stacked, 6),
        per_image("an image of mnist-seed, against one model per core", ours, one_per_core, None),
        per_image("an image of mnist-seed, against the rate of matrix products", ours, limit, 1),
        Ratio(
            name=f"measuring an epoch, against {MEASURING_SHARE} of its training",
            ours=measuring,
            peer=MEASURING_SHARE * training,
            required=1,
        ),
        Ratio(
            name="measuring an epoch, against all of its training", ours=measuring, peer=training
        ),
    ]


def small_cnn_zoo() -> list[Ratio]:
    """Train the same models of mnist-hyp, of several kinds, by kernels and as a stack."""
    spec = zoo_spec("mnist-hyp")
    size = models_per_stack(spec.network, spec.batch_size, "cpu")
    stack = stacks(model_configs(spec)[: spec.models_per_shard], size)[0]
    ours = on_every_core(partial(by_kernels, spec, stack, ALL_IMAGES))
    stacked = on_every_core(partial(by_stack, spec, stack, FEW_IMAGES))
    return [per_image("an image of mnist-hyp, against torch stacks", ours, stacked, 4)]


def measure() -> list[Ratio]:
    """Train the two networks of the registered zoos."""
    return [*paper_cnn(), *small_cnn_zoo()]
