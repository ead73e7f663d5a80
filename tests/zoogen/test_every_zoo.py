"""A contract over the registry: what holds for every registered zoo."""

from collections import Counter
from math import prod

import numpy as np
import pytest

from zoogen import SPLITS, ZOOS, ZooSpec
from zoogen.images.natural import NATURAL, channels_first, prepared
from zoogen.images.sets import load_images
from zoogen.load.locate import BUILT_ON_DEMAND
from zoogen.spec.axes import RandomSeeds, Range
from zoogen.spec.configs import model_configs
from zoogen.spec.split import model_groups, model_splits, shares_starts
from zoogen.spec.zoo_spec import AXES, SPEC

every_zoo = pytest.mark.parametrize("spec", ZOOS.values(), ids=lambda spec: spec.name)

GRIDS = {
    "tetris-seed": (1000,),
    "tetris-hyp": (2, 6, 3, 100),
    "mnist-seed": (1000,),
    "fashion-seed": (1000,),
    "svhn-seed": (1000,),
    "mnist-hyp-1-fix-seed": (4, 4, 2, 4, 3, 3),
    "mnist-hyp-1-rand-seed": (4, 4, 2, 4, 3, 3),
    "mnist-hyp-5-fix-seed": (4, 4, 2, 2, 2, 2, 5),
    "mnist-hyp-5-rand-seed": (4, 4, 2, 2, 2, 2, 5),
    "mnist-hyp": (30_000,),
    "fashion-hyp": (30_000,),
    "cifar10-hyp": (30_000,),
    "svhn-hyp": (30_000,),
}
MODELS = {name: prod(grid) for name, grid in GRIDS.items()}
GROUPS = MODELS | {"tetris-hyp": 600}
PUBLISHED = {
    "MNIST": (2, 28, 28),
    "FashionMNIST": (2, 28, 28),
    "CIFAR10": (2, 32, 32, 3),
    "SVHN": (2, 3, 32, 32),
}
"""Shapes of two images in torchvision's layout."""
SNAPSHOTS = {100: 75, 2464: 25, 4970: 9}
"""Snapshots per model, by its number of weights."""


def test_every_zoo_is_registered_under_its_own_name():
    assert all(name == spec.name for name, spec in ZOOS.items())


@every_zoo
def test_it_names_its_source_and_its_licence(spec: ZooSpec):
    assert spec.source.strip()
    assert spec.licence.strip()
    assert spec.version >= 1


@every_zoo
def test_it_can_be_written_to_json_and_read_back(spec: ZooSpec):
    assert SPEC.validate_json(SPEC.dump_json(spec)) == spec


@every_zoo
def test_it_has_the_announced_number_of_models(spec: ZooSpec):
    configs = model_configs(spec)
    assert len(configs) == spec.models == MODELS[spec.name]
    points = {tuple(getattr(config, axis) for axis in (*AXES, "seed")) for config in configs}
    assert len(points) == len(configs)
    assert len(spec.stored_epochs) == SNAPSHOTS[spec.network.layout.params]


TABLE_9 = {
    "activation": {
        "tetris-hyp": ("tanh", "relu"),
        "mnist-hyp": ("tanh", "relu", "sigmoid", "gelu"),
    },
    "optimiser": {"mnist-hyp": ("adam", "sgd")},
    "learning_rate": {
        "tetris-seed": (3e-5,),
        "tetris-hyp": (1e-3, 1e-4, 1e-5),
        "mnist-hyp-1": (3e-3, 1e-3, 3e-4, 1e-4),
        "mnist-hyp-5": (1e-3, 1e-4),
        "": (3e-4,),
    },
    "weight_decay": {"mnist-hyp-1": (0.0, 1e-3, 1e-1), "mnist-hyp-5": (1e-3, 1e-1)},
    "dropout": {"mnist-hyp-1": (0.0, 0.3, 0.5), "mnist-hyp-5": (0.0, 0.5)},
    "initialiser": {
        "tetris-hyp": (
            *("uniform", "normal", "kaiming_normal"),
            *("kaiming_uniform", "xavier_normal", "xavier_uniform"),
        ),
        "mnist-hyp": ("uniform", "normal", "kaiming_uniform", "kaiming_normal"),
    },
    "seeds": {
        "tetris-hyp": tuple(range(1, 101)),
        "mnist-hyp-1-fix": (42,),
        "mnist-hyp-1-rand": RandomSeeds(each=1, low=1, high=1_000_000),
        "mnist-hyp-5-fix": (1, 2, 3, 4, 5),
        "mnist-hyp-5-rand": RandomSeeds(each=5, low=1, high=1_000_000),
        "": tuple(range(1, 1001)),
    },
}
"""Values by the beginning of the zoo's name; the first match counts."""
DEFAULTS = {
    "activation": ("tanh",),
    "optimiser": ("adam",),
    "weight_decay": (0.0,),
    "dropout": (0.0,),
    "initialiser": ("uniform",),
}


@every_zoo
def test_its_axes_have_the_values_of_table_9(spec: ZooSpec):
    if spec.random_points is not None:
        return
    for axis, by_zoo in TABLE_9.items():
        named = [values for name, values in by_zoo.items() if spec.name.startswith(name)]
        assert getattr(spec, axis) == (named[0] if named else DEFAULTS[axis]), axis
    assert (spec.initial_bias, spec.momentum, spec.snapshot_epochs) == (0.01, 0.9, ())


@every_zoo
def test_a_random_search_has_the_ranges_of_decision_9(spec: ZooSpec):
    if spec.random_points is None:
        return
    assert spec.learning_rate == Range(5e-4, 5e-2, "log")
    assert spec.weight_decay == Range(1e-8, 1e-2, "log")
    assert spec.dropout == Range(0.0, 0.7)
    assert spec.init_std == Range(1e-3, 0.5, "log")
    assert spec.train_fraction == (0.1, 0.25, 0.5, 1.0)
    assert (spec.seeds, spec.initial_bias, spec.momentum) == ((42,), 0.0, 0.0)
    assert spec.snapshot_epochs == (0, 1, 2, 3, 20, 40, 60, 80, 86)
    assert (spec.epochs, spec.batch_size) == (86, 512)


@every_zoo
def test_starts_are_shared_if_seeds_are_few(spec: ZooSpec):
    few = spec.random_points is not None or "-fix-seed" in spec.name
    assert shares_starts(spec, model_configs(spec)) == few


@every_zoo
def test_every_value_of_every_axis_is_used(spec: ZooSpec):
    configs = model_configs(spec)
    for axis in AXES:
        values = getattr(spec, axis)
        found = {getattr(config, axis) for config in configs}
        if isinstance(values, Range):
            assert values.low <= min(found) < max(found) <= values.high
            assert len(found) > 0.9 * spec.points
        else:
            assert found == set(values)


@every_zoo
def test_its_groups_have_the_announced_size(spec: ZooSpec):
    sizes = Counter(model_groups(spec, model_configs(spec)))
    assert len(sizes) == GROUPS[spec.name]
    assert set(sizes.values()) == {spec.models // GROUPS[spec.name]}


@every_zoo
def test_its_splits_are_70_15_15(spec: ZooSpec):
    counts = Counter(model_splits(spec, model_configs(spec)))
    assert [counts[split] / spec.models for split in SPLITS] == pytest.approx(
        [0.70, 0.15, 0.15], abs=1 / spec.models
    )


@every_zoo
def test_its_network_fits_its_images(spec: ZooSpec):
    if spec.images in NATURAL:
        natural = NATURAL[spec.images]
        seen = prepared(natural, channels_first(np.zeros(PUBLISHED[natural.source], np.uint8)))
        assert (seen.shape[1:], natural.classes) == (spec.network.image_shape, spec.network.classes)
    else:
        images = load_images(spec.images)
        assert images.image_shape == spec.network.image_shape
        assert images.classes == spec.network.classes
        assert set(images.train_labels) == set(images.test_labels) == set(range(images.classes))


@every_zoo
def test_its_layout_covers_its_weights(spec: ZooSpec):
    layout = spec.network.layout
    assert sum(slot.size for slot in layout) == layout.params
    assert [slot.start for slot in layout][1:] == [slot.start + slot.size for slot in layout][:-1]


def test_only_registered_zoos_are_built_on_demand():
    assert set(BUILT_ON_DEMAND) <= set(ZOOS)
